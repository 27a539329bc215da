"""A plan as a shell script: real shells read it, and it runs the plan's commands in their order and nothing else."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tui.cli import main

PLANS = ("gce", "aws", "azure", "mixed", "hostile", "large", "quota")


@pytest.fixture
def clouds(tmp_path: Path) -> dict[str, str]:
    """The environment with command lines that only note how they were called; ``FAILS`` names one that fails."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("aws", "az", "gcloud"):
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/called"\ntest "{name}" != "$FAILS"\n')
        program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "FAILS": ""}


def script_of(scenario: str, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([f"--demo={scenario}", "plan", "--script", *words]) in {0, 1, 3}
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("scenario", PLANS)
def test_a_shell_reads_it(scenario: str, shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = script_of(scenario, capsys)
    subprocess.run([shell, "-n"], input=script, text=True, check=True)
    assert script.startswith("#!/bin/sh\n# Plan: ")


def test_it_runs_each_command_in_order_and_stops_at_the_first_that_fails(
    tmp_path: Path, clouds: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    script = script_of("aws", capsys)
    subprocess.run(["sh"], input=script, text=True, env=clouds, check=True)
    called = (tmp_path / "called").read_text().splitlines()
    expected = [line for line in script.splitlines() if line.startswith("aws ")]
    assert called == [" ".join(shlex.split(line)) for line in expected]
    assert len(called) == 2
    (tmp_path / "called").unlink()
    stopped = subprocess.run(["sh"], input=script, text=True, env=clouds | {"FAILS": "aws"}, check=False)
    assert stopped.returncode != 0
    assert len((tmp_path / "called").read_text().splitlines()) == 1


def test_what_is_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\n# Not in this plan:\n# azure-pool-000002: " in script_of("mixed", capsys)


def test_it_is_a_form_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--demo=aws", "plan", "--script", "-o", "json"]) == 2
    assert "--script is a form of its own" in capsys.readouterr().err
