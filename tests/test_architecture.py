"""The rules of the house that no other tool executes: what an import costs, registries, budgets, habits."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import tui.checks
from tui.checks import CHECKS, ROUTE_CHECKS
from tui.clouds import CLOUDS, load_reader, load_writer
from tui.model.finding import Code
from tui.model.node import Cloud
from tui.screen.pane import Pane
from tui.screen.panes import PANES

SOURCE = Path(tui.checks.__file__).parents[1]
FILES = sorted(SOURCE.rglob("*.py"))
HEAVY = ("textual", "rich", "boto3", "botocore", "kubernetes", "urllib3", "google", "azure", "pyperclip", "msgspec")
LINES = {"app.py": 250, "session.py": 250}
"""Budgets are alarms: raising one is a decision that is seen in a diff."""


def loaded_by(code: str) -> set[str]:
    """Return which heavy packages a fresh interpreter holds after this code."""
    script = f"{code}\nimport sys\nprint('\\n'.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(HEAVY).intersection(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["tui", "tui.cli", "tui.verbs", "tui.clouds", "tui.wiring", "tui.render_text", "tui.engine.session", "tui.demo"],
)
def test_importing_loads_neither_textual_nor_an_sdk(module: str) -> None:
    assert loaded_by(f"import {module}") == set()


def test_the_demo_loads_no_sdk_and_its_verbs_no_textual() -> None:
    quiet = "import contextlib, io\nfrom tui.cli import main\nwith contextlib.redirect_stdout(io.StringIO()):\n"
    assert loaded_by(f"{quiet}    assert main(['--demo', 'check']) == 1") == set()


def test_the_console_loads_no_sdk_before_it_is_shown() -> None:
    assert loaded_by("import tui.screen.app") <= {"textual", "rich"}


def test_every_check_is_registered_and_decides_its_codes() -> None:
    files = {path.stem for path in (SOURCE / "checks").glob("*.py")} - {"__init__"}
    assert {check.__module__.rpartition(".")[2] for check in (*CHECKS, *ROUTE_CHECKS)} == files
    told = {
        node.attr
        for path in (SOURCE / "checks").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Code"
    }
    assert told == set(Code.__members__)


def test_every_cloud_adapter_is_registered_and_can_be_loaded() -> None:
    adapters = {path.stem.partition("_")[0] for path in (SOURCE / "clouds").glob("*.py")} - {""}
    assert {entry.reader.partition(":")[0].rpartition(".")[2] for entry in CLOUDS.values()} == adapters
    for cloud in CLOUDS:
        assert load_reader(cloud) is not None
        assert load_writer(cloud) is not None
    assert Cloud.NONE not in CLOUDS


def test_every_pane_is_registered_under_a_key_of_its_own() -> None:
    for path in (SOURCE / "screen").glob("*.py"):
        import_module(f"tui.screen.{path.stem}")

    def leaves(pane: type[Pane]) -> set[type[Pane]]:
        below = pane.__subclasses__()
        return {pane} if pane in PANES else {leaf for child in below for leaf in leaves(child)} or {pane}

    assert leaves(Pane) == set(PANES)
    assert len({pane.KEY for pane in PANES}) == len(PANES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_stays_within_its_budget_and_says_why_it_exists(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert len((ast.get_docstring(tree) or "").split()) > 3
    budget = 450 if path.parent.name == "clouds" else LINES.get(path.name, 300)
    assert len(text.splitlines()) <= budget
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name
    assert "time.sleep(" not in text


def test_names_that_say_nothing_are_not_used() -> None:
    drawers = {"utils", "helpers", "manager", "common", "base", "misc"}
    assert not {path.stem for path in FILES} & drawers
