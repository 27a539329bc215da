"""What the program tells of itself: of this machine without asking anybody, then of whom each server takes it for."""

import json
from pathlib import Path

import pytest
import yaml

from tui.cli import main
from tui.info import READS, local
from tui.settings import load_settings

SECRET = "hunter2"


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubeconfig whose token and whose server's URL hold the secret; nobody listens there."""
    path = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(path))
    cluster = {"server": f"https://someone:{SECRET}@127.0.0.1:1"}
    context = {"cluster": "here", "user": "me"}
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "here", "cluster": cluster}],
                "users": [{"name": "me", "user": {"token": SECRET}}],
                "contexts": [{"name": "prod-1", "context": context}],
                "current-context": "prod-1",
            }
        )
    )
    return path


def test_it_tells_files_versions_options_rights_and_how_each_source_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--demo=denied", "-o", "json", "--max-changes", "7"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "l2bridge-tui/info/v1"
    assert told["versions"]["textual"]
    assert told["cluster"]["context"] == "demo-denied"
    assert told["options"]["max-changes"] == {"value": 7, "from": "--max-changes"}
    assert told["reads"]["aws"] == ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    sources = {source["name"]: source for source in told["sources"]}
    assert sources["kubernetes"]["state"] == "ok"
    assert sources["kubernetes"]["identity"] == "operator@example.com"
    denied = [source for source in sources.values() if source["state"] == "denied"]
    assert denied
    assert all(source["message"] for source in denied)


def test_people_read_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--demo=mixed"]) == 0
    text = capsys.readouterr().out
    headings = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert headings == ["Versions", "Paths", "Cluster", "Options", "Environment", "Reads", "Sources"]
    assert "ok, as arn:aws:sts::" in text


def test_a_missing_cluster_is_told_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    assert main(["info", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "nowhere does not exist" in told["cluster"]["trouble"]
    assert told["sources"] == []


def test_a_server_that_does_not_answer_is_told_too(kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--protected", "prod*"]) == 0
    text = capsys.readouterr().out
    assert str(kubeconfig) in text
    assert "protected" in text
    assert "kubernetes            unavailable, as nobody it would tell" in text


def test_no_secret_is_ever_told(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("ARM_ENDPOINT", f"https://someone:{SECRET}@127.0.0.1:1")
    for words in (["info"], ["info", "-o", "json"]):
        assert main(words) == 0
        printed = capsys.readouterr()
        assert SECRET not in printed.out + printed.err
        assert "AZURE_CLIENT_SECRET" in printed.out
        assert "https://127.0.0.1:1" in printed.out


def test_the_config_file_is_named_and_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('\nprotected = ["prod*"]\n')
    told = local(load_settings({"config": path, "demo": "mixed"}, {}), {})
    assert told["options"] == {"protected": {"value": ["prod*"], "from": f"{path}, line 2: 'protected'"}}


def test_an_option_of_a_context_is_told_with_its_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text('max-changes = 3\n[contexts."demo-*"]\nmax-changes = 2\nread-only = true\n')
    assert main(["info", "--demo=aws", "--config", str(path), "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    place = f"{path}, line 3: 'max-changes' in [contexts.\"demo-*\"]"
    assert told["options"]["max-changes"] == {"value": 2, "from": place}
    assert told["cluster"]["access"] == "read-only"


def test_what_is_said_to_be_read_is_what_the_permissions_grant(repository: Path) -> None:
    folder = repository / "permissions"
    aws = json.loads((folder / "aws-iam-policy.json").read_text())["Statement"][0]["Action"]
    azure = json.loads((folder / "azure-role-read-only.json").read_text())["Actions"]
    gce = yaml.safe_load((folder / "gcp-role-read-only.yaml").read_text())["includedPermissions"]
    assert set(READS["aws"]) == set(aws)
    assert set(READS["azure"]) == set(azure)
    assert set(READS["gce"]) == set(gce)
    rules = [
        (verb, resource)
        for role in yaml.safe_load_all((folder / "kubernetes-clusterrole.yaml").read_text())
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    granted = {(verb, resource) for verb, resource in rules if verb in {"get", "list", "watch"}}
    said = set()
    for line in READS["kubernetes"]:
        what, _, verbs = line.partition(": ")
        kind = what.split()[0]
        said |= {(verb, kind if kind.endswith("s") else f"{kind}s") for verb in verbs.split(", ")}
    assert said == granted
