"""The CLI twin of a change: typed by a person, ``az`` does the same as the writer.

``az`` is a client of its own, so these tests also show that the server is understood by others than this program.
"""

import copy
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.arm_changes import (  # noqa: F401 - the fixtures
    association,
    azure_table,
    azure_writer,
    creation,
    deletion,
    replacement,
    route,
    switch,
    table_creation,
)
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.arm_world import fold
from tui.clouds.azure_forms import command
from tui.clouds.azure_writes import AzureWriter
from tui.model.change import Change

pytestmark = [
    pytest.mark.az,
    pytest.mark.timeout(900),  # every command takes seconds to start
    pytest.mark.skipif(shutil.which("az") is None, reason="the Azure CLI is not installed"),
]
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shell(arm: ArmServer, tmp_path: Path) -> Shell:
    """Return what runs a line in ``sh``, with an environment in which az finds the server and nobody else."""
    arm.demands_etags = False
    environment = {name: value for name, value in os.environ.items() if name != "AZURE_TOKEN_CREDENTIALS"} | {
        "AZURE_CONFIG_DIR": str(tmp_path / "az"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
        "AZURE_CORE_NO_COLOR": "1",
        # Whatever would leave this machine meets a closed door.
        "https_proxy": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "no_proxy": "127.0.0.1",
    }

    def run(line: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "-c", line], env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    for line in (
        f"az cloud register --name wire --endpoint-resource-manager {arm.origin}",
        "az cloud set --name wire",
        "az login --identity",
    ):
        done = run(line)
        assert done.returncode == 0, done.stderr
    return run


def routing(arm: ArmServer) -> object:
    """Return what changes are about: flags, routes and who uses which table. az loses fields that it does not know."""
    flags = {nic["id"]: nic["properties"]["enableIPForwarding"] for nic in arm.of_kind("networkinterfaces")}
    tables = {fold(table["id"]): arm.routes(table["id"]) for table in arm.of_kind("routetables")}
    subnets = {one["id"]: arm.table_of(one["id"]) for one in arm.of_kind("virtualnetworks/subnets")}
    return flags, tables, subnets


def test_typed_by_hand_every_change_does_the_same(
    arm: ArmServer, table: str, writer: AzureWriter, shell: Shell
) -> None:
    subnet = arm.subnet("more", "10.0.2.0/24")
    new = table_creation(arm, route("r1", "10.42.1.0/24", "10.0.1.4"), route("r2", "10.42.2.0/24", "10.0.1.5"))
    changes: list[Change] = [
        switch(arm),
        creation(table),
        replacement(table),
        deletion(table),
        new,
        association(subnet, new.subject),
    ]
    for change in (*changes, changes[-1].inverse(), changes[-2].inverse()):
        before, first = copy.deepcopy(arm.resources), routing(arm)
        writer.write(change)
        wanted, arm.resources = routing(arm), before
        assert wanted != first
        done = shell(command(change))
        assert done.returncode == 0, done.stderr
        assert routing(arm) == wanted, command(change)
