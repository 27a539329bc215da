"""The CLI twin of a change: typed by a person, ``gcloud`` does the same as the writer.

``gcloud`` is a client of its own, so these tests also show that the server is understood by others than this program.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests import build
from tests.wire.gce import ComputeServer, fresh_gce  # noqa: F401 - the fixture
from tests.wire.gce_refusals import Fault
from tui.clouds.gce import GceReader
from tui.model.change import Change, SetForwarding
from tui.model.network import Disruption, NextHop, NextHopKind
from tui.model.node import Cloud
from tui.ports import CloudOptions

pytestmark = [
    pytest.mark.gcloud,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed"),
]
VM = "projects/p/zones/z/instances/n1"
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shell(gce: ComputeServer, tmp_path: Path) -> Shell:
    """Return what runs a line in ``sh``, with an environment in which gcloud finds the server and nobody else."""
    gce.network("net", ranges=("10.0.0.0/24",))
    gce.instance("n1", zone="z", network="net", ip="10.0.0.1")
    token = tmp_path / "token"
    token.write_text(gce.token())
    environment = dict(os.environ) | {
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        # Whatever would leave this machine meets a closed door.
        "https_proxy": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "no_proxy": "127.0.0.1",
    }

    def run(line: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "-c", line], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def command(change: Change) -> str:
    return GceReader(CloudOptions()).command(change)


def switch(after: bool = True) -> SetForwarding:
    return build.switch_on(
        subject=VM,
        cloud=Cloud.GCE,
        source="gce:p",
        flag="canIpForward",
        inverted=False,
        before=not after,
        after=after,
        disruption=Disruption.REFRESH,
    )


def succeeded(done: "subprocess.CompletedProcess[str]") -> bool:
    assert done.returncode == 0, done.stderr
    return True


def test_a_route_to_an_instance_is_created_and_deleted(gce: ComputeServer, shell: Shell) -> None:
    told = """{"by":"it's","cidr":"10.42.1.0/24"}"""
    create = build.create_route()
    create = replace(create, after=replace(create.after, description=told, tags=frozenset({"a", "b"})))
    assert succeeded(shell(command(create)))
    made = gce.routes()["new-n1"]
    assert made["nextHopInstance"].endswith(f"/{VM}")
    assert made["network"].endswith("/projects/p/global/networks/net")
    assert (made["destRange"], made["priority"], made["description"]) == ("10.42.1.0/24", 1000, told)
    assert made["tags"] == ["a", "b"]
    assert succeeded(shell(command(create.inverse())))
    assert "new-n1" not in gce.routes()


def test_a_route_to_an_address_is_created_in_the_project_of_the_network(gce: ComputeServer, shell: Shell) -> None:
    gce.network("shared", project="host", ranges=("10.0.0.0/24",))
    hop = NextHop(kind=NextHopKind.ADDRESS, text="10.0.0.1", address=ip_address("10.0.0.1"))
    create = build.create_route(
        subject="projects/host/global/routes/new-n1", table="projects/host/global/networks/shared", source="gce:host"
    )
    assert succeeded(shell(command(replace(create, after=replace(create.after, next_hop=hop)))))
    assert "new-n1" not in gce.routes("p")
    made = gce.routes("host")["new-n1"]
    assert made["nextHopIp"] == "10.0.0.1"
    assert made["network"].endswith("/projects/host/global/networks/shared")


def test_a_route_is_replaced_without_a_gap(gce: ComputeServer, shell: Shell) -> None:
    gce.route("old-n1", "10.42.1.0/24", instance="projects/p/zones/z/instances/gone", network="net")
    assert succeeded(shell(command(build.replace_route())))
    names = [{name for name in moment.routes["p"] if name.endswith("-n1")} for moment in gce.history]
    assert names == [{"new-n1", "old-n1"}, {"new-n1"}]
    assert gce.routes()["new-n1"]["priority"] == 999


def test_nothing_is_deleted_when_the_new_route_is_refused(gce: ComputeServer, shell: Shell) -> None:
    gce.route("old-n1", "10.42.1.0/24", instance=VM, network="net")
    gce.use_up_routes()
    done = shell(command(build.replace_route()))
    assert (done.returncode, "Quota 'ROUTES' exceeded" in done.stderr) == (1, True)
    assert "old-n1" in gce.routes()


@pytest.mark.parametrize("after", [True, False])
def test_forwarding_is_switched_on_a_running_vm(gce: ComputeServer, shell: Shell, after: bool) -> None:
    script = '#!/bin/sh\ncanIpForward: false\n\techo "it\'s: up"\n'
    told = {"items": [{"key": "startup-script", "value": script}, {"key": "number", "value": "1e3"}]}
    gce.edit("n1", canIpForward=not after, metadata=told, labels={"a": "b"})
    before = gce.raw_instance("n1")
    assert succeeded(shell(command(switch(after))))
    now = gce.raw_instance("n1")
    assert now == before | {"canIpForward": after, "fingerprint": now["fingerprint"]}
    (update,) = [one for one in gce.requests if one.id == "compute.instances.update"]
    assert update.query["mostDisruptiveAllowedAction"] == "REFRESH"
    assert update.body["fingerprint"] == before["fingerprint"]


def test_forwarding_is_switched_where_the_flag_is_not_told(gce: ComputeServer, shell: Shell) -> None:
    del gce.world.get(VM)["canIpForward"]
    assert succeeded(shell(command(switch())))
    assert gce.forwards("n1")


def test_a_vm_that_cannot_be_read_is_not_written(gce: ComputeServer, shell: Shell) -> None:
    gce.deny("p", "compute.instances.get")
    assert shell(command(switch())).returncode != 0
    assert gce.count()["compute.instances.update"] == 0


def test_an_operation_that_ends_badly_ends_the_line_badly(gce: ComputeServer, shell: Shell) -> None:
    gce.fail("compute.instances.update", Fault(operation_error=("UNSUPPORTED_OPERATION", "Not on this machine.")))
    done = shell(command(switch()))
    assert (done.returncode, "Not on this machine." in done.stderr) == (1, True)
    assert not gce.forwards("n1")


def test_gcloud_itself_loses_what_it_does_not_know(gce: ComputeServer, shell: Shell) -> None:
    gce.instance("n9", zone="z", network="net", ip="10.0.0.9", extra={"fieldFromTheFuture": 1})
    line = command(replace(switch(), subject=VM.replace("n1", "n9")))
    assert succeeded(shell(line))
    assert "fieldFromTheFuture" not in gce.raw_instance("n9")
