"""The pages of the finding codes, and the verb that prints them: complete, short, true to what plans can do."""

import json

import pytest

from tests.test_demo import report_of
from tests.test_verbs import golden
from tui.cli import main
from tui.demo import open_world
from tui.model.finding import Code
from tui.pages import PAGES, Page, nodes, routes

SCREEN = (80, 23)
"""Columns and rows of the smallest terminal, less the row of the prompt."""
EVERY = [*nodes.PAGES, *routes.PAGES]


def test_every_code_has_one_page_and_no_page_is_without_a_code() -> None:
    assert sorted(page.code for page in EVERY) == sorted(Code)
    assert list(PAGES.values()) == EVERY


@pytest.mark.parametrize("page", EVERY, ids=lambda page: page.code)
def test_a_page_fits_the_smallest_terminal_and_leaves_nothing_out(
    page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", page.code]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert (err, max(map(len, lines)) <= SCREEN[0], len(lines) <= SCREEN[1]) == ("", True, True)
    assert out.isascii()
    told = " ".join(out.split())
    assert told.startswith(f"{page.code}: {page.about} Fixable {page.fix} Means {page.meaning} Packets {page.effect}")
    assert f"{page.remedy} Returns {page.recurrence} Read {'; '.join(page.references)}" in told
    assert all(": " in reference for reference in page.references)


def test_what_a_page_says_of_fixes_is_what_plans_can_do() -> None:
    findings = [
        finding for name in ("mixed", "gce", "azure", "quota") for finding in report_of(open_world(name)).findings
    ]
    fixed = {finding.code for finding in findings if finding.fixable}
    assert fixed == {page.code for page in EVERY if page.fixable}


def test_without_a_code_every_one_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    golden("explain.txt", capsys.readouterr().out)
    assert main(["explain", "-o", "json"]) == 0
    assert [page["code"] for page in json.loads(capsys.readouterr().out)["pages"]] == list(PAGES)


def test_it_needs_no_cluster_and_says_the_same_of_the_simulated_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/no/such/kubeconfig")
    told = []
    for arguments in (["explain", "route-quota"], ["--demo", "explain", "route-quota"]):
        assert main([*arguments, "-o", "json"]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    golden("explain-route-quota.json", told[0])
