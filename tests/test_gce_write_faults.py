"""What goes wrong with Compute Engine around a write: each end as the port error that says what is known."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from tests.test_gce_writes import create, delete, switch
from tests.wire.gce import ComputeServer, fresh_gce  # noqa: F401 - the fixture
from tests.wire.gce_refusals import (
    API_DISABLED,
    BROKEN,
    CUT,
    DROPPED,
    DROPPED_DONE,
    FORBIDDEN,
    HTML,
    POLICY,
    QUOTA,
    RATE_LIMITED,
    STUCK,
    TOO_MANY,
    Fault,
)
from tui.clouds import gce_project
from tui.clouds.gce import GceWriter
from tui.ports import (
    CloudOptions,
    Conflict,
    Denied,
    Indeterminate,
    NotFound,
    PortError,
    Rejected,
    Throttled,
    Unavailable,
)

INSERT, DELETE, UPDATE = "compute.routes.insert", "compute.routes.delete", "compute.instances.update"
GET, WAIT, LOOK = "compute.instances.get", "compute.globalOperations.wait", "compute.globalOperations.get"


@pytest.fixture
def writer(gce: ComputeServer) -> GceWriter:
    gce.network(ranges=("10.0.0.0/24",))
    gce.instance("n1", ip="10.0.0.11")
    return GceWriter(CloudOptions())


@pytest.mark.parametrize(
    ("fault", "error", "word"),
    [
        (FORBIDDEN, Denied, "compute.x.y is missing on project p"),
        (Fault(status=403), Denied, "compute.routes.create is missing"),
        (API_DISABLED, Denied, "gcloud services enable"),
        (RATE_LIMITED, Throttled, "too many calls"),
        (TOO_MANY, Throttled, "too many calls"),
        (QUOTA, Rejected, "ROUTES"),
        (POLICY, Rejected, "constraints/compute.vmCanIpForward"),
        (Fault(status=409, reason="alreadyExists", message="exists"), Conflict, "exists already"),
        (Fault(status=409, reason="resourceInUse", message="busy"), Conflict, "somebody else"),
        (Fault(status=400, reason="invalid", message="hides the address space"), Rejected, "hides the address space"),
        (Fault(status=404, reason="notFound", message="The resource 'x' was not found"), Rejected, "'x' was not found"),
        (BROKEN, Indeterminate, "may or may not"),
        (HTML, Indeterminate, "502"),
        (CUT, Indeterminate, "connection broke"),
        (DROPPED, Indeterminate, "connection broke"),
        (Fault(status=200, body="<html>"), Indeterminate, "proxy"),
        (Fault(status=200, body='{"kind": "compute#rou'), Indeterminate, "proxy"),
        (Fault(operation_error=("QUOTA_EXCEEDED", "Quota 'ROUTES' exceeded. Limit: 250.0")), Rejected, "ROUTES"),
        (Fault(operation_error=("LIMIT_EXCEEDED", "Too many routes")), Rejected, "Too many routes"),
        (Fault(operation_error=("RESOURCE_ALREADY_EXISTS", "exists")), Conflict, "exists already"),
        (Fault(operation_error=("RESOURCE_NOT_READY", "not ready")), Conflict, "not ready"),
        (Fault(operation_error=("RESOURCE_NOT_FOUND", "no VM")), Rejected, "no VM"),
        (Fault(operation_error=("RESOURCE_OPERATION_RATE_EXCEEDED", "slow down")), Throttled, "too many calls"),
        (
            Fault(operation_error=("CONDITION_NOT_MET", "Constraint constraints/a.b violated")),
            Rejected,
            "constraints/a.b",
        ),
        (
            Fault(operation_error=("PERMISSIONS_ERROR", "Required 'compute.a.b' permission for 'x'")),
            Denied,
            "compute.a.b",
        ),
        (Fault(operation_error=("INVALID_USAGE", "no such thing")), Rejected, "no such thing"),
        (Fault(operation_error=("INTERNAL_ERROR", "oops")), Indeterminate, "may or may not"),
    ],
)
def test_a_failed_insert_says_what_is_known_and_is_sent_once(
    gce: ComputeServer, writer: GceWriter, fault: Fault, error: type[PortError], word: str
) -> None:
    gce.fail(INSERT, fault)
    with pytest.raises(error, match=word) as raised:
        writer.write(create())
    assert " ".join(str(raised.value).split()) == str(raised.value)
    assert gce.count()[INSERT] == 1


def test_a_server_that_is_not_there_was_sent_nothing(
    gce: ComputeServer, writer: GceWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="cannot be reached"):
        writer.write(create())
    assert not gce.requests


def test_a_write_whose_answer_is_lost_is_indeterminate_though_it_happened(
    gce: ComputeServer, writer: GceWriter
) -> None:
    gce.fail(INSERT, DROPPED_DONE)
    with pytest.raises(Indeterminate, match="l2b-new"):
        writer.write(create())
    gce.settle()
    assert "l2b-new" in gce.routes()


def test_a_write_without_an_answer_in_time_is_indeterminate(
    gce: ComputeServer, writer: GceWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gce_project, "_READ_TIMEOUT_S", 0.2)
    gce.fail(INSERT, Fault(hang=5))
    with pytest.raises(Indeterminate, match="no answer came in time"):
        writer.write(create())


def test_an_operation_that_never_ends_is_indeterminate_at_the_deadline(
    gce: ComputeServer, writer: GceWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gce_project, "_OPERATION_DEADLINE_S", 0.5)
    gce.fail(INSERT, STUCK)
    with pytest.raises(Indeterminate, match="still RUNNING"):
        writer.write(create())
    assert 1 < gce.count()[WAIT] < 6, "it waits between looks"


def test_an_operation_outlives_a_stumbling_server(gce: ComputeServer, writer: GceWriter) -> None:
    gce.fail(WAIT, BROKEN)
    gce.fail(LOOK, DROPPED, CUT)
    writer.write(create())
    assert "l2b-new" in gce.routes()


@pytest.mark.parametrize("fault", [Fault(status=404, reason="notFound"), Fault(status=501), HTML])
def test_an_endpoint_that_cannot_wait_is_asked_again_and_again(
    gce: ComputeServer, writer: GceWriter, fault: Fault
) -> None:
    gce.poll_count(2)
    gce.fail(WAIT, fault)
    writer.write(create())
    assert "l2b-new" in gce.routes()
    counted = gce.count()
    assert (counted[WAIT], counted[LOOK]) == (1, 3)


def test_an_operation_that_is_only_looked_at_ends_with_its_error(gce: ComputeServer, writer: GceWriter) -> None:
    gce.project("p", routes_limit=1)
    gce.quota_at("operation")
    gce.fail(WAIT, Fault(status=404, reason="notFound"))
    with pytest.raises(Rejected, match="ROUTES"):
        writer.write(create())


@pytest.mark.parametrize("fault", [FORBIDDEN, Fault(status=404, reason="notFound")])
def test_an_operation_that_may_not_be_seen_is_indeterminate(
    gce: ComputeServer, writer: GceWriter, fault: Fault
) -> None:
    gce.fail(WAIT, fault)
    gce.fail(LOOK, fault)
    with pytest.raises(Indeterminate, match="cannot be followed"):
        writer.write(create())
    assert gce.count()[LOOK] == 1


@pytest.mark.parametrize("fault", [RATE_LIMITED, Fault(status=200, body="{")])
def test_an_operation_that_cannot_be_followed_for_long_is_indeterminate(
    gce: ComputeServer, writer: GceWriter, fault: Fault
) -> None:
    gce.fail(WAIT, fault)
    gce.fail(LOOK, fault, times=3)
    with pytest.raises(Indeterminate, match="cannot be followed"):
        writer.write(create())
    assert gce.count()[LOOK] == 3


def test_a_full_table_is_refused_with_the_quota_by_request_and_by_operation(
    gce: ComputeServer, writer: GceWriter
) -> None:
    gce.project("p", routes_limit=1)
    for moment in ("request", "operation"):
        gce.quota_at(moment)
        with pytest.raises(Rejected, match="ROUTES"):
            writer.write(create())


def test_a_range_of_the_network_is_refused(writer: GceWriter) -> None:
    change = create()
    with pytest.raises(Rejected, match="hides the address space"):
        writer.write(replace(change, after=replace(change.after, destination=ip_network("10.0.0.0/25"))))


@pytest.mark.parametrize(
    ("fault", "error", "word"),
    [
        (FORBIDDEN, Denied, "missing"),
        (BROKEN, Indeterminate, "may or may not"),
        (DROPPED, Indeterminate, "connection broke"),
        (Fault(operation_error=("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "used")), Rejected, "used"),
    ],
)
def test_a_failed_deletion_says_what_is_known(
    gce: ComputeServer, writer: GceWriter, fault: Fault, error: type[PortError], word: str
) -> None:
    gce.route("l2b-new", "10.42.1.0/24", instance="n1")
    gce.fail(DELETE, fault)
    with pytest.raises(error, match=word):
        writer.write(delete())
    assert gce.count()[DELETE] == 1


@pytest.mark.parametrize(
    ("fault", "error", "word"),
    [
        (POLICY, Rejected, "constraints/compute.vmCanIpForward"),
        (
            Fault(status=412, reason="conditionNotMet", message="Supplied fingerprint does not match"),
            Conflict,
            "changed",
        ),
        (Fault(status=400, reason="resourceNotReady", message="not ready"), Conflict, "no change now"),
        (Fault(status=404, reason="notFound", message="gone"), NotFound, "n1 does not exist"),
        (DROPPED_DONE, Indeterminate, "may or may not"),
        (Fault(operation_error=("CONDITION_NOT_MET", "fingerprint")), Conflict, "changed"),
    ],
)
def test_a_failed_update_says_what_is_known(
    gce: ComputeServer, writer: GceWriter, fault: Fault, error: type[PortError], word: str
) -> None:
    gce.fail(UPDATE, fault)
    with pytest.raises(error, match=word):
        writer.write(switch())
    assert gce.count()[UPDATE] == 1


@pytest.mark.parametrize("fault", [BROKEN, CUT, Fault(status=200, body="<html>"), Fault(status=200, body='{"canIp')])
def test_a_vm_that_could_not_be_read_is_not_written(gce: ComputeServer, writer: GceWriter, fault: Fault) -> None:
    gce.fail(GET, *[fault] * 3)
    with pytest.raises(Unavailable):
        writer.write(switch())
    assert gce.count()[UPDATE] == 0


def test_throttling_carries_what_the_server_asked_for(gce: ComputeServer, writer: GceWriter) -> None:
    gce.fail(INSERT, TOO_MANY, RATE_LIMITED)
    for seconds in (7.0, None):
        with pytest.raises(Throttled) as raised:
            writer.write(create())
        assert raised.value.retry_after_s == seconds
