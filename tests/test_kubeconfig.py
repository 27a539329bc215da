import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tui.kube import kubeconfig
from tui.kube.kubeconfig import Access, known_servers, read_access
from tui.ports import Misconfigured


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home" / ".kube").mkdir(parents=True)
    return tmp_path / "home"


def write(path: Path, **parts: object) -> Path:
    path.write_text(yaml.safe_dump({key.replace("_", "-"): value for key, value in parts.items()}))
    return path


def cluster(name: str, server: str = "https://a:6443", **more: object) -> dict[str, object]:
    return {"name": name, "cluster": {"server": server, **more}}


def user(name: str, **entry: object) -> dict[str, object]:
    return {"name": name, "user": entry}


def context(name: str, cluster: str, user: str | None = None) -> dict[str, object]:
    return {"name": name, "context": {"cluster": cluster, **({"user": user} if user else {})}}


def simple(path: Path, **more: object) -> Path:
    parts: dict[str, object] = {
        "current_context": "one",
        "contexts": [context("one", "c", "u"), context("two", "d", "u")],
        "clusters": [cluster("c", "https://one:6443/"), cluster("d", "https://two:6443")],
        "users": [user("u", token="t")],
    }
    return write(path, **(parts | more))


def refusal(kubeconfig: str | None = None, context: str | None = None) -> str:
    with pytest.raises(Misconfigured) as raised:
        read_access(kubeconfig, context)
    text = str(raised.value)
    assert "\n" not in text
    return text


def test_the_flag_names_the_file_and_the_context(tmp_path: Path) -> None:
    path = simple(tmp_path / "config")
    assert read_access(str(path), None).server == "https://one:6443"
    chosen = read_access(str(path), "two")
    assert (chosen.context, chosen.server, chosen.user.token) == ("two", "https://two:6443", "t")


def test_the_default_file_is_in_the_home_folder(home: Path) -> None:
    simple(home / ".kube" / "config")
    assert read_access(None, None).context == "one"


def test_every_context_is_told_with_its_server_and_what_cannot_be_used_without(tmp_path: Path) -> None:
    contexts = [context("one", "c", "u"), context("two", "d"), context("torn", "missing")]
    path = simple(tmp_path / "config", contexts=contexts)
    assert known_servers(str(path)) == {"one": "https://one:6443", "two": "https://two:6443", "torn": None}
    assert known_servers(str(tmp_path / "nowhere")) == {}


def test_of_several_files_the_first_to_say_something_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(
        tmp_path / "first",
        current_context="",
        clusters=[cluster("c", "https://first")],
        contexts=[context("one", "c", "u")],
    )
    second = simple(tmp_path / "second", current_context="two")
    third = simple(tmp_path / "third", current_context="one")
    missing = tmp_path / "missing"
    monkeypatch.setenv("KUBECONFIG", f"{missing}::{first}:{second}:{third}")
    assert read_access(None, None).context == "two"
    assert read_access(None, "one").server == "https://first"
    assert read_access(None, "one").user.token == "t"


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    exec_entry = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login"}
    simple(
        folder / "config",
        clusters=[cluster("c", **{"certificate-authority": "ca.crt"})],
        users=[user("u", **{"client-certificate": "../u.crt", "client-key": "/abs/u.key", "exec": exec_entry})],
    )
    monkeypatch.chdir(folder)
    access = read_access("config", None)
    assert access.cluster.certificate_authority == str(folder / "ca.crt")
    assert access.user.client_certificate == str(tmp_path / "u.crt")
    assert access.user.client_key == "/abs/u.key"
    assert access.user.exec is not None
    assert access.user.exec.command == str(folder / "login")


def test_empty_texts_are_not_set(tmp_path: Path) -> None:
    path = simple(
        tmp_path / "config",
        clusters=[cluster("c", **{"certificate-authority-data": "", "proxy-url": ""})],
        users=[user("u", token="", username="")],
    )
    access = read_access(str(path), None)
    assert (access.cluster.certificate_authority_data, access.cluster.proxy_url, access.user.token) == (None,) * 3


@pytest.mark.parametrize(
    ("entry", "expected"),
    [({}, "http://a:6443"), ({"insecure-skip-tls-verify": True}, "https://a:6443")],
)
def test_a_server_without_scheme(tmp_path: Path, entry: Mapping[str, object], expected: str) -> None:
    path = simple(tmp_path / "config", clusters=[cluster("c", "a:6443", **entry)])
    assert read_access(str(path), None).server == expected


def test_a_login_in_the_servers_address_is_never_shown(tmp_path: Path) -> None:
    path = simple(tmp_path / "config", clusters=[cluster("c", "https://me:secret@a:6443/k8s/")])
    assert read_access(str(path), None).server == "https://a:6443/k8s"


def test_a_context_without_user_is_anonymous(tmp_path: Path) -> None:
    path = simple(tmp_path / "config", contexts=[context("one", "c")])
    assert read_access(str(path), None).user.token is None


def in_cluster(monkeypatch: pytest.MonkeyPatch, folder: Path, host: str = "10.43.0.1") -> None:
    folder.mkdir()
    (folder / "token").write_text("t")
    monkeypatch.setattr(kubeconfig, "SERVICE_ACCOUNT", folder)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")


def test_in_a_pod_without_kubeconfig_the_service_account_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_cluster(monkeypatch, tmp_path / "account", "fd00::1")
    access = read_access(None, None)
    assert (access.context, access.server) == ("in-cluster", "https://[fd00::1]:443")
    assert access.user.token_file == str(tmp_path / "account" / "token")
    assert access.cluster.certificate_authority == str(tmp_path / "account" / "ca.crt")
    assert read_access(None, "in-cluster") == access


def test_in_a_pod_a_kubeconfig_goes_before_the_service_account(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_cluster(monkeypatch, tmp_path / "account")
    simple(home / ".kube" / "config")
    assert read_access(None, None).context == "one"


def test_no_kubeconfig_at_all(home: Path) -> None:
    assert f"{home}/.kube/config does not exist; name one with --kubeconfig" in refusal()


def test_a_named_kubeconfig_that_is_missing(tmp_path: Path, home: Path) -> None:
    simple(home / ".kube" / "config")
    assert f"{tmp_path}/nope does not exist" in refusal(str(tmp_path / "nope"))


def test_a_kubeconfig_that_cannot_be_read(tmp_path: Path) -> None:
    assert f"{tmp_path} cannot be read (Is a directory)" in refusal(str(tmp_path))


def test_a_kubeconfig_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\xff\xfe\x00")
    assert "is not text in UTF-8" in refusal(str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("apiVersion: v1\nkind: Config\nclusters: [\n", "malformed in line 4"),
        ("a: 1\nb: c: d\n", "malformed in line 2 (mapping values are not allowed in this context)"),
        ("a: 1\n\nb: \x07\n", "malformed in line 3 (a character that YAML does not allow)"),
        ("contexts: yes\n", "malformed (Expected `array | null`, got `bool` - at `$.contexts`)"),
        ("contexts:\n- context: {}\n", "missing required field `name`"),
        ("kind: Config\ndate: 2026-13-01\n", "malformed (month must be in 1..12)"),
        ("just text\n", "Expected `object`, got `str`"),
        ("", "has no contexts"),
        ("kind: Config\ncontexts: null\nclusters: []\n", "has no contexts"),
    ],
)
def test_a_malformed_kubeconfig(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    told = refusal(str(path))
    assert said in told
    assert str(path) in told


def test_one_malformed_file_of_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = simple(tmp_path / "good"), tmp_path / "bad"
    bad.write_text("}")
    monkeypatch.setenv("KUBECONFIG", f"{good}:{bad}")
    assert f"{bad} is malformed in line 1" in refusal()


def test_no_current_context(tmp_path: Path) -> None:
    path = simple(tmp_path / "config", current_context="")
    assert "has no current-context: choose with --context one of one, two" in refusal(str(path))


def test_an_unknown_context_lists_the_known_ones(tmp_path: Path) -> None:
    path = simple(tmp_path / "config")
    assert 'has no context "on\\x1be": choose with --context one of one, two' in refusal(str(path), "on\x1be")
    many = simple(tmp_path / "many", contexts=[context(f"c{number}", "c") for number in range(20)])
    assert "its current-context: choose with --context one of c0, c1, c2, c3, c4, c5, c6, c7, and 12 more" in refusal(
        str(many)
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"contexts": [context("one", "")]}, "names no cluster"),
        ({"contexts": [{"name": "one"}]}, "names no cluster"),
        ({"clusters": []}, 'names the cluster "c", which is missing'),
        ({"users": None}, 'names the user "u", which is missing'),
        ({"clusters": [cluster("c", "")]}, 'the cluster "c" of'),
        ({"clusters": [cluster("c", **{"proxy-url": "proxy:3128"})]}, "begin it with http://"),
    ],
)
def test_a_context_that_leads_nowhere(tmp_path: Path, parts: Mapping[str, object], said: str) -> None:
    assert said in refusal(str(simple(tmp_path / "config", **parts)))


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    access: Access = read_access(
        str(
            simple(
                tmp_path / "config",
                users=[user("u", token="s3cret")],
                clusters=[cluster("c", **{"proxy-url": "http://me:hush@proxy"})],
            )
        ),
        None,
    )
    assert access.user.token == "s3cret"
    assert "s3cret" not in repr(access)
    assert "hush" not in repr(access)


def test_opening_imports_no_client(tmp_path: Path) -> None:
    path = simple(tmp_path / "config")
    program = (
        "import sys; from tui.kube import KubeNodes;"
        f"print(KubeNodes.open(kubeconfig={str(path)!r}, context=None).cluster().server,"
        " *{'kubernetes', 'urllib3', 'requests'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "https://one:6443\n"
