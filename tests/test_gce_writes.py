"""What is written to Compute Engine: a whole VM for one flag, and single routes; each proven by the operation's end."""

import json
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests import build
from tests.wire.gce import ZONE, ComputeServer, fresh_gce  # noqa: F401 - the fixture
from tui.clouds.gce import GceReader, GceWriter
from tui.model.change import CreateRoute, DeleteRoute, ReplaceRoute, SetForwarding
from tui.model.network import NextHop, NextHopKind, ReplaceMethod, Route
from tui.model.node import Cloud
from tui.ports import CloudOptions, Conflict, NotFound, Rejected

SUBJECT = f"projects/p/zones/{ZONE}/instances/n1"
NETWORK = "projects/p/global/networks/default"
PREFIX = "projects/p/global/routes/"
UNKNOWN: dict[str, Any] = {
    "futureField": {"deep": [{"deeper": None}, 12345678901234567890123, 1.10], "e": 2.5e-7},
    "networkInterfaces": [{"newNicField": {"x": [True]}}],
    "disks": [{"newDiskField": "ü\n"}],
    "scheduling": {"newest": {"unit": "s", "value": 0.30000000000000004}},
    "metadata": {"items": [{"key": "startup-script", "value": "canIpForward: false\n", "kind": "new"}]},
}


def switch(**changes: Any) -> SetForwarding:
    told = {"cloud": Cloud.GCE, "source": "gce:p", "flag": "canIpForward", "inverted": False, **changes}
    return build.switch_on(subject=SUBJECT, **told)


def route(name: str = "l2b-new", *, to: str = f"p/{ZONE}/n1", **changes: Any) -> Route:
    project, zone, instance = to.split("/")
    text = f"projects/{project}/zones/{zone}/instances/{instance}"
    hop = NextHop(kind=NextHopKind.INSTANCE, text=text, instance_key=to)
    made = Route(name=name, destination=ip_network("10.42.1.0/24"), next_hop=hop, priority=900, description="it's me")
    return replace(made, **changes)


def create(after: Route | None = None, **changes: Any) -> CreateRoute:
    after = after or route()
    made = CreateRoute(
        node="n1",
        node_uid="uid-n1",
        cloud=Cloud.GCE,
        source="gce:p",
        subject=PREFIX + after.name,
        reason="",
        table=NETWORK,
        after=after,
    )
    return replace(made, **changes)


def delete(before: Route | None = None) -> DeleteRoute:
    return create(before or route()).inverse()


def replacement() -> ReplaceRoute:
    old, new = route("old"), route("new", to=f"p/{ZONE}/n2")
    return ReplaceRoute(
        node="n1",
        node_uid="uid-n1",
        cloud=Cloud.GCE,
        source="gce:p",
        subject=PREFIX + new.name,
        old_subject=PREFIX + old.name,
        reason="",
        table=NETWORK,
        before=old,
        after=new,
        method=ReplaceMethod.ADD_THEN_DELETE,
    )


@pytest.fixture
def reader(gce: ComputeServer) -> GceReader:
    gce.network(ranges=("10.0.0.0/24",))
    gce.instance("n1", ip="10.0.0.11")
    return GceReader(CloudOptions())


@pytest.fixture
def writer(reader: GceReader) -> GceWriter:
    return GceWriter(CloudOptions())


def test_nothing_that_is_unknown_to_us_is_lost_by_a_write(gce: ComputeServer) -> None:
    gce.network(ranges=("10.0.0.0/24",))
    gce.instance("n1", ip="10.0.0.11", extra=UNKNOWN)
    before = gce.raw_instance("n1")
    GceWriter(CloudOptions()).write(switch())
    (put,) = [request for request in gce.requests if request.method == "PUT"]
    expected = before | {"canIpForward": True}
    assert json.dumps(put.body) == json.dumps(expected), "same values in the same order at every depth"
    after = gce.raw_instance("n1")
    assert {**after, "fingerprint": ""} == {**expected, "fingerprint": ""}


def test_an_update_may_refresh_and_no_more_and_cannot_count_twice(gce: ComputeServer, writer: GceWriter) -> None:
    writer.write(switch())
    writer.write(switch(before=True, after=False))
    puts = [request.query for request in gce.requests if request.method == "PUT"]
    assert [query["mostDisruptiveAllowedAction"] for query in puts] == ["REFRESH", "REFRESH"]
    assert len({query["requestId"] for query in puts}) == 2
    assert gce.forwards("n1") is False


def test_what_is_already_so_is_not_sent(gce: ComputeServer, writer: GceWriter) -> None:
    gce.edit("n1", canIpForward=True)
    writer.write(switch())
    assert [request.method for request in gce.requests] == ["GET"]


def test_a_vm_that_was_changed_since_the_plan_is_a_conflict(
    gce: ComputeServer, reader: GceReader, writer: GceWriter
) -> None:
    token = reader.read(switch()).token
    gce.edit("n1", description="another")
    with pytest.raises(Conflict, match="changed by somebody else"):
        writer.write(switch(token=token))
    assert "PUT" not in {request.method for request in gce.requests}


def test_a_route_is_made_as_planned(gce: ComputeServer, reader: GceReader, writer: GceWriter) -> None:
    change = create(route(tags=frozenset({"b", "a"})))
    assert reader.read(change).routes == ()
    writer.write(change)
    made = gce.routes()["l2b-new"]
    assert (made["destRange"], made["priority"], made["description"]) == ("10.42.1.0/24", 900, "it's me")
    assert (made["nextHopInstance"].rpartition("/v1/")[2], made["tags"]) == (SUBJECT, ["a", "b"])
    seen = reader.read(change).route("l2b-new")
    assert seen is not None
    assert seen.same_as(change.after)
    assert seen.token == made["id"]


def test_a_route_to_an_address_is_made_in_the_host_project(gce: ComputeServer) -> None:
    network = gce.network("shared", project="host", ranges=("10.0.0.0/24",))
    gce.instance("n1", project="s1", ip="10.0.0.11", network=network)
    hop = NextHop(kind=NextHopKind.ADDRESS, text="10.0.0.11", address=ip_address("10.0.0.11"))
    change = create(
        route(next_hop=hop), source="gce:host", table=network, subject="projects/host/global/routes/l2b-new"
    )
    GceWriter(CloudOptions()).write(change)
    assert gce.routes("host")["l2b-new"]["nextHopIp"] == "10.0.0.11"


def test_a_deleted_route_to_the_internet_can_be_made_again(gce: ComputeServer, writer: GceWriter) -> None:
    text = "projects/p/global/gateways/default-internet-gateway"
    writer.write(create(route(next_hop=NextHop(kind=NextHopKind.OTHER, text=text))))
    assert gce.routes()["l2b-new"]["nextHopGateway"].endswith(text)
    with pytest.raises(Rejected, match="cannot be made here"):
        writer.write(create(route("r2", next_hop=NextHop(kind=NextHopKind.OTHER, text="peering-1"))))


def test_a_route_is_deleted_and_one_that_is_gone_is_deleted_well_enough(
    gce: ComputeServer, reader: GceReader, writer: GceWriter
) -> None:
    gce.route("l2b-new", "10.42.1.0/24", instance="n1")
    writer.write(delete())
    assert "l2b-new" not in gce.routes()
    assert reader.read(delete()).routes == ()
    writer.write(delete())


def test_a_name_that_is_taken_is_a_conflict(gce: ComputeServer, writer: GceWriter) -> None:
    gce.route("l2b-new", "10.42.7.0/24", instance="n1")
    with pytest.raises(Conflict, match="exists already"):
        writer.write(create())
    assert gce.routes()["l2b-new"]["destRange"] == "10.42.7.0/24"


def test_a_route_of_that_name_in_another_network_is_never_taken_for_the_right_one(
    gce: ComputeServer, reader: GceReader
) -> None:
    gce.instance("db", ip="10.9.0.2", network="other")
    gce.route("l2b-new", "10.42.1.0/24", instance="n1", network="other", priority=900)
    for change in (create(), delete()):
        with pytest.raises(Rejected, match="network other"):
            reader.read(change)


def test_a_replacement_reads_both_routes_and_is_written_in_its_steps(
    gce: ComputeServer, reader: GceReader, writer: GceWriter
) -> None:
    gce.instance("n2", ip="10.0.0.12")
    gce.route("old", "10.42.1.0/24", instance="n1")
    change = replacement()
    assert [seen.name for seen in reader.read(change).routes] == ["old"]
    with pytest.raises(Rejected, match="in place"):
        writer.write(change)
    for step in change.steps():
        writer.write(step)
    assert [seen.name for seen in reader.read(change).routes] == ["new"]


@pytest.mark.parametrize("source", ["gce:other", "aws:us-east-1", "gce", ""])
def test_a_subject_of_another_source_is_not_found(
    gce: ComputeServer, reader: GceReader, writer: GceWriter, source: str
) -> None:
    for change in (switch(source=source), create(source=source), replace(delete(), source=source)):
        with pytest.raises(NotFound):
            reader.read(change)
        with pytest.raises(NotFound):
            writer.write(change)
    assert not gce.requests


@pytest.mark.parametrize("subject", ["n1", "projects/p/global/networks/default", "projects/p/zones/z/instances/a/b"])
def test_a_subject_that_is_no_vm_is_not_found(reader: GceReader, subject: str) -> None:
    with pytest.raises(NotFound):
        reader.read(replace(switch(), subject=subject))


def test_the_end_of_an_operation_is_waited_for_on_the_configured_endpoint(
    gce: ComputeServer, writer: GceWriter
) -> None:
    gce.prefix = "https://www.googleapis.com/compute/v1/"
    writer.write(create())
    waited = [request.path for request in gce.requests if request.id.endswith("Operations.wait")]
    assert len(waited) == 1
    assert waited[0].startswith("/compute/v1/projects/p/global/operations/")
    writer.write(switch())
    assert f"/projects/p/zones/{ZONE}/operations/" in gce.requests[-1].path


def command(change: Any) -> str:
    return GceReader(CloudOptions()).command(change)


def test_commands_are_for_gcloud_with_project_and_quoting() -> None:
    assert command(create()) == (
        f"gcloud compute routes create l2b-new --project=p --network=default --destination-range=10.42.1.0/24 "
        f"--priority=900 --next-hop-instance=n1 --next-hop-instance-zone={ZONE} "
        """'--description=it'"'"'s me' --quiet"""
    )
    assert command(delete()) == "gcloud compute routes delete l2b-new --project=p --quiet"
    hop = NextHop(kind=NextHopKind.ADDRESS, text="10.0.0.11", address=ip_address("10.0.0.11"))
    assert "--next-hop-address=10.0.0.11" in command(create(route(next_hop=hop, tags=frozenset({"b", "a"}))))
    assert "--tags=a,b" in command(create(route(next_hop=hop, tags=frozenset({"b", "a"}))))


def test_the_command_of_a_replacement_is_its_steps_in_order() -> None:
    first, second = command(replacement()).split(" && ")
    assert first.startswith("gcloud compute routes create new ")
    assert second == "gcloud compute routes delete old --project=p --quiet"


def test_the_command_for_the_flag_exports_changes_one_line_and_puts_back() -> None:
    there, back = command(switch()), command(switch(after=False))
    assert "echo 'canIpForward: true'" in there
    assert "echo 'canIpForward: false'" in back
    assert there.count(f"n1 --project=p --zone={ZONE} --quiet") == 2
    assert there.endswith("--most-disruptive-allowed-action=REFRESH")
