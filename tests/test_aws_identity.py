"""Who acts on EC2, as STS tells it, and what is said where it does not."""

import socket
from pathlib import Path

import pytest

from tests import build
from tests.wire.ec2 import REGION, Ec2Server, fresh_account, serve_ec2  # noqa: F401 - fixtures
from tests.wire.ec2_rules import BROKEN, CUT, EXPIRED, THROTTLED, Fault
from tui.clouds.aws import AwsReader
from tui.model.snapshot import SourceState
from tui.ports import CloudOptions, Denied, PortError, Throttled, Unavailable

WHO = "GetCallerIdentity"
SOURCE = f"aws:{REGION}"


def identity(source: str = SOURCE) -> str | None:
    return AwsReader(CloudOptions()).identity(source)


def refused(error: type[PortError], source: str = SOURCE) -> str:
    """Return the words of the error, which must be one line."""
    with pytest.raises(error) as caught:
        identity(source)
    message = str(caught.value)
    assert message == " ".join(message.split())
    return message


def test_the_caller_is_told_by_the_arn_that_sts_gives(ec2: Ec2Server) -> None:
    assert identity() == "arn:aws:sts::123456789012:user/moto"
    assert [(call.action, call.service, call.region) for call in ec2.calls] == [(WHO, "sts", REGION)]


def test_the_region_of_the_source_is_asked(ec2: Ec2Server) -> None:
    assert identity("aws:eu-west-1")
    assert [call.region for call in ec2.calls] == ["eu-west-1"]


def test_an_endpoint_for_all_services_is_used(ec2: Ec2Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS")
    monkeypatch.setenv("AWS_ENDPOINT_URL", ec2.url)
    assert identity()


def test_observing_does_not_ask_and_asking_leaves_observing_alone(ec2: Ec2Server) -> None:
    reader = AwsReader(CloudOptions())
    reader.observe([build.node()])
    assert WHO not in ec2.count()
    ec2.fail(WHO, EXPIRED)
    with pytest.raises(Denied):
        reader.identity(SOURCE)
    (view,) = reader.observe([build.node()])
    assert view.source.state is SourceState.OK


@pytest.mark.parametrize("source", ["aws:unknown", "aws:", "gce:project", "nowhere\x1b[2J"])
def test_a_source_without_a_region_is_never_called(ec2: Ec2Server, source: str) -> None:
    assert "--aws-region" in refused(Unavailable, source)
    assert not ec2.calls


def test_expired_credentials_say_whose_they_are(ec2: Ec2Server) -> None:
    ec2.fail(WHO, EXPIRED)
    message = refused(Denied)
    assert "expired" in message
    assert "environment" in message
    assert identity()


@pytest.mark.parametrize(
    ("faults", "error", "words"),
    [
        (
            [Fault(status=403, code="InvalidClientTokenId", message="The security token is invalid")],
            Denied,
            [f"STS in {REGION} does not accept", "InvalidClientTokenId"],
        ),
        (
            [Fault(status=403, code="AccessDenied", message="User: x is not authorized: an explicit deny")],
            Denied,
            ["sts:GetCallerIdentity is not allowed", "an explicit deny"],
        ),
        (
            [Fault(status=403, code="RegionDisabledException", message="STS is not activated")],
            Denied,
            [f"STS in {REGION} refuses GetCallerIdentity", "not activated"],
        ),
        ([THROTTLED] * 3, Throttled, [f"STS in {REGION}", "too many calls"]),
        ([BROKEN] * 3, Unavailable, [f"STS in {REGION}", "500 InternalError"]),
        ([CUT] * 3, Unavailable, [f"STS in {REGION}", "connection broke"]),
        ([Fault(status=200, body="<html>Please log in</html>")], Unavailable, ["not STS", "proxy"]),
        ([Fault(status=200, body="<html>")], Unavailable, ["not STS", "proxy"]),
        ([Fault(status=200, body="no")], Unavailable, ["not STS", "proxy"]),
        ([Fault(status=403, body="<html>Blocked</html>")], Denied, [f"STS in {REGION} refuses"]),
        ([Fault(status=403, body="Blocked")], Unavailable, ["not STS", "proxy"]),
        ([Fault(status=403, body="")], Denied, [f"STS in {REGION} refuses"]),
        ([Fault(status=502, body="<html>Bad gateway</html>")] * 3, Unavailable, [f"STS in {REGION}", "502"]),
    ],
)
def test_what_sts_answers_is_one_sentence(
    ec2: Ec2Server, faults: list[Fault], error: type[PortError], words: list[str]
) -> None:
    ec2.fail(WHO, *faults)
    message = refused(error)
    assert "EC2" not in message
    for word in words:
        assert word in message
    assert ec2.count() == {WHO: len(faults)}


def test_an_answer_that_names_nobody_tells_nobody(ec2: Ec2Server) -> None:
    body = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult/>'
        "</GetCallerIdentityResponse>"
    )
    ec2.fail(WHO, Fault(status=200, body=body))
    assert identity() is None


def test_a_network_that_leads_to_ec2_alone_is_unavailable(ec2: Ec2Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{port}")
    assert "127.0.0.1 cannot be reached" in refused(Unavailable)
    (view,) = AwsReader(CloudOptions()).observe([build.node()])
    assert view.source.state is SourceState.OK


def test_an_endpoint_that_is_no_url(ec2: Ec2Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "nonsense")
    assert f"STS in {REGION} cannot be called" in refused(Unavailable)


def test_no_credentials(ec2: Ec2Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no AWS credentials" in refused(Denied)
    assert not ec2.calls


def test_credentials_that_appear_later_are_asked_about(
    ec2: Ec2Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    reader = AwsReader(CloudOptions())
    with pytest.raises(Denied):
        reader.identity(SOURCE)
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = testing\naws_secret_access_key = testing\n")
    assert reader.identity(SOURCE)
