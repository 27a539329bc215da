"""The CLI twin of a change: typed by a person, ``aws`` does the same as the writer."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import build
from tests.wire.ec2 import REGION, Ec2Server, isolate
from tui.clouds.aws import AwsReader
from tui.ports import CloudOptions


def command(subject: str = "eni-1", *, after: bool = True, source: str = f"aws:{REGION}") -> str:
    made = build.switch_on(subject=subject, before=not after, after=after, source=source)
    return AwsReader(CloudOptions()).command(made)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path, None)


def test_the_check_is_switched_off_to_forward_and_on_not_to() -> None:
    begin = f"aws ec2 modify-network-interface-attribute --region {REGION} --network-interface-id eni-1"
    assert command() == f"{begin} --no-source-dest-check"
    assert command(after=False) == f"{begin} --source-dest-check"


def test_the_profile_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "my profile; rm -rf /")
    words = shlex.split(command())
    assert words[words.index("--profile") + 1] == "my profile; rm -rf /"


def test_other_peoples_text_is_quoted() -> None:
    assert shlex.split(command("eni-1; echo $(id)"))[6] == "eni-1; echo $(id)"


@pytest.mark.skipif(shutil.which("aws") is None, reason="the aws command line is not installed")
def test_the_real_aws_command_line_takes_it() -> None:
    with Ec2Server() as ec2:
        ec2.reset()
        _, subnet = ec2.subnet()
        _, eni = ec2.instance(subnet, "10.0.0.4")
        environment = {**os.environ, "AWS_ENDPOINT_URL_EC2": ec2.url, "AWS_PAGER": ""}
        for after in (True, False):
            words = shlex.split(command(eni, after=after))
            done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            assert ec2.check(eni) is not after
        assert ec2.count() == {"ModifyNetworkInterfaceAttribute": 2}
