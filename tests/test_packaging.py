"""What is installed: the commands, the version, the files beside the code, and the packages that the code imports."""

import ast
import re
import sys
import tomllib
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from tui import __version__, completing
from tui.arguments import parse_arguments
from tui.cli import main

CARRIED = {"rich": "textual", "botocore": "boto3", "urllib3": "kubernetes"}
"""Packages whose versions are chosen by the one that brings them along."""


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, object]:
    document: dict[str, dict[str, object]] = tomllib.loads((repository / "pyproject.toml").read_text())
    return document["project"]


def test_both_commands_are_the_same_program(project: dict[str, object]) -> None:
    scripts = project["scripts"]
    assert isinstance(scripts, dict)
    assert set(scripts) == {"l2bridge-tui", "kubectl-l2bridge", "kubectl_complete-l2bridge"}
    entries = {}
    for script, reference in scripts.items():
        module, _, name = reference.partition(":")
        entries[script] = getattr(import_module(module), name)
    assert entries["l2bridge-tui"] is entries["kubectl-l2bridge"] is main
    assert entries["kubectl_complete-l2bridge"] is completing.main


def test_the_newest_entry_of_the_changelog_is_this_version(repository: Path) -> None:
    headings = [line for line in (repository / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0].split()[1] == __version__


def test_every_package_that_is_imported_is_a_dependency(repository: Path, project: dict[str, object]) -> None:
    dependencies = project["dependencies"]
    assert isinstance(dependencies, list)
    declared = {requirement.partition(">=")[0] for requirement in dependencies}
    providers = packages_distributions()
    for path in (repository / "tui").rglob("*.py"):
        for name in imported(ast.parse(path.read_text())):
            if name not in {"tui", *sys.stdlib_module_names}:
                found = {provider.lower().replace("_", "-") for provider in providers.get(name, ())} | {
                    CARRIED.get(name, name)
                }
                assert found & declared, f"{path} imports {name}"


def test_the_lock_file_knows_every_dependency(repository: Path, project: dict[str, object]) -> None:
    dependencies, extras = project["dependencies"], project["optional-dependencies"]
    assert isinstance(dependencies, list)
    assert isinstance(extras, dict)
    lock = tomllib.loads((repository / "uv.lock").read_text())
    (own,) = (package for package in lock["package"] if package["name"] == project["name"])
    locked = {entry["name"] + entry.get("specifier", "") for entry in own["metadata"]["requires-dist"]}
    declared = {re.sub(r"\[.*\]", "", requirement).lower() for requirement in [*dependencies, *extras["test"]]}
    assert locked == declared, "run: uv lock"


def imported(tree: ast.AST) -> set[str]:
    """Return the top-level packages that are imported when the code runs, not those for the type checker alone."""
    names: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
        names |= imported(node)
    return names


def test_the_plugin_for_k9s_calls_what_there_is(repository: Path, project: dict[str, object]) -> None:
    (plugin,) = yaml.safe_load((repository / "integrations" / "k9s-plugins.yaml").read_text())["plugins"].values()
    assert {"shortCut", "description", "scopes", "command"} <= plugin.keys()
    assert plugin["scopes"] == ["nodes"]
    assert plugin["command"] in project["scripts"]  # type: ignore[operator]
    told = {"$CONTEXT": "prod", "$NAME": "win-1"}
    given = parse_arguments([told.get(word, word) for word in plugin["args"]], plugin["command"])
    assert (given.context, given.select, given.verb) == ("prod", "win-1", None)
