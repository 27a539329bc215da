"""The README says what is true: keys, exit codes, findings, clouds, permissions, and a test behind every promise."""

import json
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
import yaml

import tui.screen
from tests.screen.console import Console, console
from tui.cli import main
from tui.clouds import CLOUDS
from tui.kube import FLANNEL_CONFIG_MAPS
from tui.pages import PAGES
from tui.screen.commands import key_name, live_commands
from tui.screen.dialog import Notice
from tui.screen.panes import PANES

_PROMISE = re.compile(r"`(test\w+)::(test_\w+)`")


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text()


def table(readme: str, heading: str) -> list[list[str]]:
    """Return the rows under a heading, cells without their code marks, without the table's own two head rows."""
    section = readme.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]
    rows = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.split(" | ")] for row in rows[2:]]


async def test_the_keys_are_those_of_the_screen(readme: str, tmp_path: Path) -> None:
    async with console(tmp_path) as shown:
        live = list(live_commands(shown.app.screen))
        for pane in PANES[1:]:
            await shown.press(pane.KEY)
            keys = {key for command in live for key in command.keys}
            live += [command for command in live_commands(shown.app.screen) if not keys.intersection(command.keys)]
    moving = [command for command in live if command.id.startswith("grid.")]
    told = [
        [" ".join(f"`{key}`" for key in command.keys), command.title, command.explanation]
        for command in live
        if command not in moving
    ]
    expected = "\n".join(f"| {' | '.join(row)} |" for row in told)
    assert table(readme, "Keys") == told, f"the table of keys must be\n{expected}"
    prose = (
        readme.split("\n## Keys\n")[1].split("\n|", maxsplit=1)[0].replace("the arrows", "`up` `down` `left` `right`")
    )
    assert {key for command in moving for key in command.keys} - set(re.findall(r"`(\S+)`", prose)) == {"home", "end"}


EDITING = ("grid.", "text.", "input.", "picker.", "arm.", "dialog.", "notice.")
"""Moving and typing, which every program does so."""


async def test_every_key_of_dialogs_stands_in_help_and_on_the_page(readme: str, tmp_path: Path) -> None:
    prose = readme.split("\n## Keys\n")[1].split("\n## ", maxsplit=1)[0]
    async with console(tmp_path, size=(120, 160)) as shown:
        told = {identity for pane in PANES for identity in await _told_in(shown, pane.KEY)}
        await shown.press("question_mark")
        dialog = shown.app.screen
        assert isinstance(dialog, Notice)
        helped = "\n".join(line.text for line in dialog.text.lines)
        seen = 0
        for module in map(import_module, _screens()):
            for kind in vars(module).values():
                ours = isinstance(kind, type) and kind.__module__.startswith("tui.")
                for binding in vars(kind).get("BINDINGS", ()) if ours else ():
                    if binding.id in told or binding.id.startswith(EDITING):
                        continue
                    seen += 1
                    keys = [key_name(key) for key in binding.key.split(",")]
                    assert all(f"`{key}`" in prose for key in keys), (binding.id, keys)
                    assert binding.tooltip in helped, binding.id
        assert seen


async def _told_in(shown: Console, key: str) -> set[str]:
    await shown.press(key)
    return {command.id for command in live_commands(shown.app.screen)}


def _screens() -> list[str]:
    return [f"tui.screen.{module.name}" for module in iter_modules(tui.screen.__path__)]


def test_the_exit_codes_are_those_of_the_help(readme: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out.split("exit codes:\n")[1].split("\n\n")[0]
    expected = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in told.splitlines()]
    assert table(readme, "Exit codes") == expected


def test_the_findings_are_those_of_the_pages(readme: str) -> None:
    told = [[cell.replace("`", "") for cell in row] for row in table(readme, "What it finds")]
    expected = [[page.code, page.about, page.fix] for page in PAGES.values()]
    assert told == expected, "the table must be\n" + "\n".join(f"| {' | '.join(row)} |" for row in expected)


def test_the_clouds_are_those_that_this_version_reads(readme: str) -> None:
    assert f"This version reads and writes **{', '.join(entry.title for entry in CLOUDS.values())}**." in readme


def test_every_promise_has_a_test(readme: str, repository: Path) -> None:
    for promise, proof in table(readme, "What you can rely on"):
        named = _PROMISE.findall(proof)
        assert named, promise
        for file, test in named:
            (path,) = (repository / "tests").rglob(f"{file}.py")
            assert re.search(rf"^(async )?def {test}\(", path.read_text(), re.MULTILINE), f"{file}::{test}"


def test_the_permissions_are_the_files_and_what_the_adapters_call(readme: str, repository: Path) -> None:
    policy = (repository / "permissions" / "aws-iam-policy.json").read_text()
    role = (repository / "permissions" / "kubernetes-clusterrole.yaml").read_text()
    observe, fix = (statement["Action"] for statement in json.loads(policy)["Statement"])
    called = re.findall(r'"((?:Describe|Modify)[A-Z]\w+)"', (repository / "tui" / "clouds" / "aws.py").read_text())
    assert {f"ec2:{operation}" for operation in called} == {*observe, fix}
    cluster_wide, in_system, in_default = (document["rules"] for document in yaml.safe_load_all(role))
    nodes, config_maps, namespaces, pods = cluster_wide
    assert (pods["resources"], pods["verbs"]) == (["pods"], ["list"])
    assert (namespaces["resourceNames"], namespaces["verbs"]) == (["kube-system"], ["get"])
    assert [(rule["resources"], rule["verbs"]) for rule in (*in_system, *in_default)] == [
        (["pods"], ["list"]),
        (["leases"], ["create"]),
        (["leases"], ["get", "update"]),
        (["events"], ["create"]),
    ]
    assert (nodes["resources"], nodes["verbs"]) == (["nodes"], ["list", "watch"])
    assert set(config_maps["resourceNames"]) == {place.partition("/")[2] for place in FLANNEL_CONFIG_MAPS}


def test_the_role_on_google_cloud_allows_what_the_adapter_asks_for(repository: Path) -> None:
    role = yaml.safe_load((repository / "permissions" / "gcp-role.yaml").read_text())
    sources = "".join(path.read_text() for path in (repository / "tui" / "clouds").glob("gce*.py"))
    asked = set(re.findall(r'"(compute\.\w+\.\w+)"', sources))
    assert {"compute.instances.update", "compute.routes.create"} <= asked
    assert asked <= set(role["includedPermissions"])


def test_the_roles_on_azure_allow_what_the_adapter_asks_for(repository: Path) -> None:
    whole, observing = (
        json.loads((repository / "permissions" / f"azure-role{kind}.json").read_text())["Actions"]
        for kind in ("", "-read-only")
    )
    sources = "".join(path.read_text() for path in (repository / "tui" / "clouds").glob("azure*.py"))
    named = set(re.findall(r'"(Microsoft\.\w+(?:/\w+)+)"', sources))
    asked = {name for name in named if name.rpartition("/")[2] in {"read", "action"}}
    written = named - asked  # resources, to which the writer appends what it does
    assert len(written) == 4
    reads = {name for name in asked if name.endswith("/read")} | {f"{resource}/read" for resource in written}
    deletes = {f"{resource}/delete" for resource in written if "/routeTables" in resource}
    assert reads == set(observing)
    needed = reads | asked | deletes | {f"{resource}/write" for resource in written}
    operations = {f"Microsoft.Network/locations/{name}/read" for name in ("operations", "operationResults")}
    assert {name for name in whole if "/join" not in name} == needed | operations
    assert len(whole) == len(set(whole))


def test_every_file_that_is_linked_exists(readme: str, repository: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", readme):
        assert (repository / link).is_file(), link
