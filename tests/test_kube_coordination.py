"""The lock as a Lease and the notices as Events, against the API's own rules, over HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.wire.kube import Fault, KubeServer
from tui.kube import ApiServer, KubeEvents, KubeLock
from tui.model.lease import NEVER_HELD, Lease
from tui.ports import Conflict, Denied, Misconfigured, Notice, PortError, Rejected, Throttled, Unavailable

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
LEASES = "/apis/coordination.k8s.io"


@pytest.fixture
def server() -> Iterator[KubeServer]:
    with KubeServer() as server:
        yield server


@pytest.fixture
def api(server: KubeServer, tmp_path: Path) -> ApiServer:
    return ApiServer(str(server.kubeconfig(tmp_path / "config")), None)


@pytest.fixture
def lock(api: ApiServer) -> KubeLock:
    return KubeLock(api, "kube-system")


def held_by(lock: KubeLock, holder: str) -> Lease:
    return lock.write((lock.read() or NEVER_HELD).passed_to(holder, NOON, lasts_s=15))


def test_a_lock_that_was_never_held_is_created_and_read_back_as_written(server: KubeServer, lock: KubeLock) -> None:
    assert lock.read() is None
    written = held_by(lock, "alice@here/run")
    assert written == lock.read()
    assert (written.holder, written.since, written.renewed_at) == ("alice@here/run", NOON, NOON)
    assert (written.lasts_s, written.transitions) == (15.0, 0)
    assert server.coordination.lease()["spec"] == {
        "holderIdentity": "alice@here/run",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-01-01T12:00:00.123456Z",
        "renewTime": "2026-01-01T12:00:00.123456Z",
        "leaseTransitions": 0,
    }


def test_it_is_renewed_given_back_and_taken_again(lock: KubeLock) -> None:
    renewed = lock.write(held_by(lock, "alice").renewed(NOON + timedelta(seconds=5)))
    assert renewed.renewed_at == NOON + timedelta(seconds=5)
    released = lock.write(renewed.released(NOON))
    assert (released.holder, released.since) == ("", NOON)
    assert held_by(lock, "bob").transitions == 1


def test_of_two_who_want_it_one_is_told_of_a_conflict(api: ApiServer, lock: KubeLock) -> None:
    other = KubeLock(api, "kube-system")
    assert other.read() is None
    held_by(lock, "alice")
    with pytest.raises(Conflict):
        other.write(NEVER_HELD.passed_to("bob", NOON, lasts_s=15))
    seen = other.read()
    assert seen is not None
    lock.write(seen.renewed(NOON))
    with pytest.raises(Conflict):
        other.write(seen.passed_to("bob", NOON, lasts_s=15))


def test_what_others_have_put_into_the_object_stays(server: KubeServer, lock: KubeLock) -> None:
    server.coordination.put_lease({"holderIdentity": "x"}, labels={"team": "network"}, annotations={"a": "b"})
    held_by(lock, "alice")
    metadata = server.coordination.lease()["metadata"]
    assert (metadata["labels"], metadata["annotations"]) == ({"team": "network"}, {"a": "b"})


def test_an_object_with_nothing_in_it_is_held_by_nobody(server: KubeServer, lock: KubeLock) -> None:
    server.coordination.put_lease({})
    found = lock.read()
    assert found is not None
    assert (found.holder, found.since, found.renewed_at, found.lasts_s) == ("", None, None, 0)


def test_a_namespace_that_is_not_there_is_a_mistake_of_the_operator(api: ApiServer) -> None:
    lock = KubeLock(api, "nowhere")
    assert lock.read() is None
    with pytest.raises(Misconfigured, match="there is no namespace nowhere for the Lease nowhere/l2bridge-tui"):
        held_by(lock, "alice")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=403, message="leases is forbidden", path=LEASES), Denied),
        (Fault(status=429, path=LEASES), Throttled),
        (Fault(status=500, path=LEASES), Unavailable),
        (Fault(status=200, body=b"not json", path=LEASES), Unavailable),
        (Fault(status=200, body=b'{"metadata": {}, "spec": {"renewTime": "yesterday"}}', path=LEASES), Unavailable),
        (Fault(drop=True, path=LEASES), Unavailable),
    ],
)
def test_what_goes_wrong_is_told_as_a_port_error(
    server: KubeServer, lock: KubeLock, fault: Fault, kind: type[PortError]
) -> None:
    server.fail(fault)
    with pytest.raises(kind):
        lock.read()


def test_every_group_of_an_impersonated_user_is_sent_with_a_write(tmp_path: Path) -> None:
    user = {"as": "alice", "as-groups": ["ops", "network"]}
    with KubeServer(tls=True) as server:
        api = ApiServer(str(server.kubeconfig(tmp_path / "config", user=user)), None)
        held_by(KubeLock(api, "kube-system"), "alice")
        assert [request.method for request in server.requests] == ["GET", "POST"]
        assert all(request.every["impersonate-group"] == ["ops", "network"] for request in server.requests)


# Events.


NOTICE = Notice(
    node="win-1",
    node_uid="uid-1",
    reason="RouteCreated",
    message="a route",
    warning=False,
    at=NOON,
    by="l2bridge-tui@bastion",
)


def test_a_notice_is_an_event_of_its_node(server: KubeServer, api: ApiServer) -> None:
    KubeEvents(api).post(NOTICE)
    (event,) = server.coordination.events
    assert event["involvedObject"] == {"apiVersion": "v1", "kind": "Node", "name": "win-1", "uid": "uid-1"}
    assert (event["type"], event["reason"], event["message"]) == ("Normal", "RouteCreated", "a route")
    assert event["source"] == {"component": "l2bridge-tui", "host": "bastion"}
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-01-01T12:00:00Z"


def test_two_notices_are_two_events_and_long_ones_are_cut_to_what_the_api_takes(
    server: KubeServer, api: ApiServer
) -> None:
    events = KubeEvents(api)
    long = replace(NOTICE, node=("n" * 62 + ".") * 4 + "x", message="m" * 5000, warning=True)
    events.post(long)
    events.post(long)
    first, second = server.coordination.events
    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert len(first["message"]) == 1024
    assert first["type"] == "Warning"


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Denied), (429, Throttled), (422, Rejected), (503, Unavailable), (409, Conflict)]
)
def test_an_event_that_is_not_taken_is_told(
    server: KubeServer, api: ApiServer, status: int, kind: type[PortError]
) -> None:
    server.fail(Fault(status=status, path="/api/v1/namespaces/default/events", method="POST"))
    with pytest.raises(kind):
        KubeEvents(api).post(NOTICE)
