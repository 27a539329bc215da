"""Writes that Azure refuses, ends badly, or never tells the end of."""

import pytest

from tests.arm_changes import (  # noqa: F401 - the fixtures
    association,
    azure_reader,
    azure_table,
    azure_writer,
    creation,
    deletion,
    replacement,
    switch,
    table_creation,
)
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.arm_operations import Form
from tests.wire.arm_rules import LIMIT, Refused
from tui.clouds import azure_operations
from tui.clouds.azure import AzureReader
from tui.clouds.azure_writes import AzureWriter
from tui.ports import (
    Conflict,
    Denied,
    Indeterminate,
    NotFound,
    PortError,
    Rejected,
    Throttled,
    Unavailable,
)

_JOIN = (
    "The client 'x' has permission to perform action 'Microsoft.Network/virtualNetworks/subnets/write' on scope '/s'; "
    "however, it does not have permission to perform action 'Microsoft.Network/routeTables/join/action' on the linked "
    "scope(s) '/subscriptions/z/routeTables/t' or the linked scope(s) are invalid."
)
_LOCK = (
    "The scope '/x' cannot perform write operation because following scope(s) are locked: '/subscriptions/1/locked'."
)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "told"),
    [
        (409, "ScopeLocked", _LOCK, Rejected, "a management lock on /subscriptions/1/locked forbids the change"),
        (403, "RequestDisallowedByPolicy", "", Rejected, "policy"),
        (403, "LinkedAuthorizationFailed", _JOIN, Denied, "Microsoft.Network/routeTables/join/action is missing"),
        (403, "AuthorizationFailed", "", Denied, "Microsoft.Network/routeTables/routes/write is missing"),
        (409, "AnotherOperationInProgress", "", Conflict, "is being changed by somebody else"),
        (429, "AnotherOperationInProgress", "", Conflict, "is being changed by somebody else"),
        (429, "RetryableError", "", Conflict, "is being changed by somebody else"),
        (412, "PreconditionFailed", "", Conflict, "etag"),
        (429, "TooManyRequests", "", Throttled, "too many calls"),
        (400, "RouteConflict", "", Conflict, "another route of the table has the prefix"),
        (500, "InternalServerError", "", Indeterminate, "may or may not have changed"),
        (401, "ExpiredAuthenticationToken", "", Denied, "have expired"),
    ],
)
def test_refusals_are_told_by_their_codes_and_nothing_is_sent_twice(  # noqa: PLR0917
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
    status: int,
    code: str,
    message: str,
    kind: type[PortError],
    told: str,
) -> None:
    before = arm.routes(table)
    arm.fail("PUT", "/routes/", status, code, message, headers={"Retry-After": "17"})
    with pytest.raises(kind, match=told) as raised:
        writer.write(creation(table))
    assert type(raised.value) is kind
    if isinstance(raised.value, Throttled):
        assert raised.value.retry_after_s == 17
    assert arm.routes(table) == before
    assert arm.count("PUT", "/routes/") == 1


def test_a_full_table_is_final_and_explained(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    for number in range(LIMIT - 3):
        arm.route(table, f"x{number}", f"10.{50 + number // 250}.{number % 250}.0/24", "10.0.1.4")
    with pytest.raises(Rejected, match="does not fit a limit"):
        writer.write(creation(table))


@pytest.mark.parametrize("form", [Form.OPERATION, Form.LOCATION])
@pytest.mark.parametrize("effect", [False, True])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AnotherOperationInProgress", Conflict),
        ("ScopeLocked", Rejected),
        ("CanceledAndSupersededDueToAnotherOperation", Conflict),
    ],
)
def test_an_operation_that_ends_badly_is_told_by_its_code_though_http_says_200(  # noqa: PLR0917
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
    form: Form,
    effect: bool,
    code: str,
    kind: type[PortError],
) -> None:
    arm.operations.form, arm.operations.failure, arm.operations.effect = form, Refused(409, code), effect
    with pytest.raises(kind):
        writer.write(creation(table))
    assert ("10.42.3.0/24" in arm.routes(table)) is effect


def test_a_last_change_that_failed_without_a_reason_is_told(
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
) -> None:
    arm.operations.form, arm.operations.failure = Form.STATE, Refused(409, "x")
    with pytest.raises(Rejected, match="ended as failed"):
        writer.write(switch(arm))


def test_an_operation_without_end_is_left_open(
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(azure_operations, "_DEADLINE_S", 0.1)
    arm.operations.looks = 10**9
    with pytest.raises(Indeterminate, match="still works on it"):
        writer.write(creation(table))
    assert arm.count("GET", "/operations/") > 1


@pytest.mark.parametrize(
    ("status", "body"), [(200, b""), (200, b"{}"), (200, b'{"name": "op"}'), (200, b"[]"), (200, b'{"status": "In')]
)
def test_an_operation_that_does_not_say_how_it_stands_is_left_open(
    arm: ArmServer, table: str, writer: AzureWriter, status: int, body: bytes
) -> None:
    arm.garble("GET", "/operations/", body, status=status)
    with pytest.raises(Indeterminate):
        writer.write(creation(table))


def test_an_operation_that_is_accepted_again_is_still_under_way(
    arm: ArmServer, table: str, writer: AzureWriter
) -> None:
    for body in (b"", b"{}"):
        arm.garble("GET", "/operations/", body, status=202)
    writer.write(creation(table))
    assert arm.count("GET", "/operations/") >= 3


def test_a_link_to_another_host_gets_no_token(arm: ArmServer, table: str, writer: AzureWriter) -> None:
    arm.operations.host = "https://elsewhere.example"
    with pytest.raises(Indeterminate, match="leads to another host"):
        writer.write(creation(table))


def test_trouble_while_looking_says_nothing_about_the_end(
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
) -> None:
    arm.operations.looks = 2
    arm.fail("GET", "/operations/", 503, "ServerBusy")
    arm.fail("GET", "/operations/", 429, "TooManyRequests")
    writer.write(creation(table))
    assert arm.routes(table)["10.42.3.0/24"] == "10.0.1.6"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_operation_that_may_not_be_looked_at_is_left_open(
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
    status: int,
) -> None:
    arm.fail("GET", "/operations/", status, {401: "x", 403: "AuthorizationFailed", 404: "ResourceNotFound"}[status])
    with pytest.raises(Indeterminate, match="cannot be followed"):
        writer.write(creation(table))


@pytest.mark.parametrize("effect", [False, True])
def test_a_connection_that_breaks_during_a_write_leaves_its_end_open(
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
    effect: bool,
) -> None:
    arm.drop("PUT", "/routes/", effect=effect)
    with pytest.raises(Indeterminate):
        writer.write(creation(table))
    assert ("10.42.3.0/24" in arm.routes(table)) is effect
    assert arm.count("PUT", "/routes/") == 1


def test_a_connection_that_breaks_before_the_write_has_changed_nothing(
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
) -> None:
    for _ in range(9):
        arm.drop("GET", "/routeTables/")
    with pytest.raises(Unavailable):
        writer.write(creation(table))
    assert arm.writes() == []


@pytest.mark.parametrize("body", [b'{"properties": {"routes": [', b"<html>", b"[]", b""])
def test_an_answer_that_is_cut_off_changes_nothing(
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
    body: bytes,
) -> None:
    arm.garble("GET", "/routeTables/", body)
    with pytest.raises(Unavailable):
        writer.write(creation(table))
    assert arm.writes() == []


def test_somebody_elses_change_between_read_and_write_is_not_written_over(
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
) -> None:
    """The etag that the write carries is that of what was read; the server has another one by then."""
    subnet = arm.subnet("more", "10.0.2.0/24")
    put = arm.fault

    def meanwhile(method: str, path: str) -> object:
        if method in {"PUT", "DELETE"}:
            for one in (table, subnet, switch(arm).subject):
                arm.touch(one)
        return put(method, path)

    arm.fault = meanwhile  # type: ignore[method-assign,assignment]
    for change in (replacement(table), deletion(table), association(subnet, table), switch(arm)):
        with pytest.raises(Conflict):
            writer.write(change)
    with pytest.raises(Conflict):
        writer.write_table([creation(table, f"n{n}", f"10.43.{n}.0/24") for n in range(9)])
    assert arm.table_of(subnet) is None
    assert arm.forwards("n1") is False


def test_what_is_gone_is_not_found(arm: ArmServer, table: str, reader: AzureReader, writer: AzureWriter) -> None:
    arm.remove(switch(arm).subject)
    with pytest.raises(NotFound):
        writer.write(switch(arm))
    with pytest.raises(NotFound):
        reader.read(switch(arm))
    subnet = arm.subnet("more", "10.0.2.0/24")
    arm.remove(subnet)
    with pytest.raises(NotFound):
        reader.read(association(subnet, table))
    arm.remove(table)
    with pytest.raises(NotFound):
        writer.write(creation(table))
    assert reader.read(creation(table)).routes == ()
    assert arm.writes() == []


def test_a_region_that_does_not_fit_is_refused_by_azure_and_told(
    arm: ArmServer,
    table: str,
    writer: AzureWriter,
) -> None:
    change, subnet = table_creation(arm, region="eastus"), arm.subnet("more", "10.0.2.0/24")
    writer.write(change)
    with pytest.raises(Rejected, match="another region"):
        writer.write(association(subnet, change.subject))
    assert arm.table_of(subnet) is None
