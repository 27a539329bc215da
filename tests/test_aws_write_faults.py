"""What goes wrong with EC2 around a write: each end as the port error that says what is known."""

import pytest

from tests import build
from tests.wire.ec2 import Ec2Server, fresh_account, serve_ec2  # noqa: F401 - fixtures
from tests.wire.ec2_rules import BROKEN, CUT, EXPIRED, THROTTLED, UNAUTHORIZED, Fault
from tui.clouds.aws import AwsReader, AwsWriter
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

LIST, MODIFY = "DescribeNetworkInterfaces", "ModifyNetworkInterfaceAttribute"
ENI = "eni-0123456789abcdef0"


def switch(eni: str = ENI) -> None:
    AwsWriter(CloudOptions()).write(build.switch_on(subject=eni))


def test_reading_the_flag_raises_what_the_port_says(ec2: Ec2Server) -> None:
    reader = AwsReader(CloudOptions())
    change = build.switch_on(subject=ENI)
    with pytest.raises(NotFound, match=ENI):
        reader.read(change)
    with pytest.raises(NotFound, match="nonsense"):
        reader.read(build.switch_on(subject="nonsense"))
    for faults, error in (
        ([UNAUTHORIZED], Denied),
        ([EXPIRED], Denied),
        ([THROTTLED] * 3, Throttled),
        ([CUT] * 3, Unavailable),
        ([BROKEN] * 3, Unavailable),
        ([Fault(status=400, code="InvalidParameterValue", message="odd")], Unavailable),
    ):
        ec2.fail(LIST, *faults)
        with pytest.raises(error):
            reader.read(change)


@pytest.mark.parametrize(
    ("fault", "error", "word"),
    [
        (UNAUTHORIZED, Denied, f"ec2:{MODIFY}"),
        (EXPIRED, Denied, "expired"),
        (THROTTLED, Throttled, "too many calls"),
        (Fault(status=400, code="OperationNotPermitted", message="managed by a service"), Rejected, "managed by a"),
        (Fault(status=400, code="InvalidParameterValue", message="bad"), Rejected, "bad"),
        (Fault(status=400, code="IncorrectState", message="detaching"), Conflict, "detaching"),
        (Fault(status=400, code="InvalidNetworkInterfaceID.NotFound", message="gone"), NotFound, ENI),
        (BROKEN, Indeterminate, "may or may not"),
        (Fault(status=502, body="<html><body>Bad gateway"), Indeterminate, "502"),
        (CUT, Indeterminate, "the connection broke"),
        (Fault(status=200, body="<html>"), Indeterminate, "proxy"),
    ],
)
def test_a_failed_write_says_what_is_known_and_is_sent_once(
    ec2: Ec2Server, fault: Fault, error: type[PortError], word: str
) -> None:
    ec2.fail(MODIFY, fault, fault)
    with pytest.raises(error, match=word) as raised:
        switch()
    assert raised.value.__cause__ is not None
    assert ec2.count() == {MODIFY: 1}


def test_a_write_whose_answer_is_lost_is_indeterminate_though_it_happened(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet()
    _, eni = ec2.instance(subnet, "10.0.0.4")
    ec2.fail(MODIFY, Fault(done=True))
    with pytest.raises(Indeterminate, match=eni):
        switch(eni)
    assert ec2.check(eni) is False


def test_throttling_carries_what_the_server_asked_for(ec2: Ec2Server) -> None:
    ec2.fail(MODIFY, Fault(status=503, code="RequestLimitExceeded", message="", headers={"Retry-After": "7"}))
    with pytest.raises(Throttled) as raised:
        switch()
    assert raised.value.retry_after_s == 7.0


def test_a_write_without_credentials_was_not_sent(ec2: Ec2Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Denied, match="no AWS credentials"):
        switch()
    assert not ec2.calls
