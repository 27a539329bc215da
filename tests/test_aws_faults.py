"""What goes wrong when EC2 is read, each as one clear sentence in the source that told nothing."""

import json
import socket
import ssl
import threading
from datetime import UTC, datetime
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import build
from tests.wire.certificates import Authority
from tests.wire.ec2 import REGION, Ec2Server, fresh_account, isolate, serve_ec2  # noqa: F401 - fixtures
from tests.wire.ec2_rules import ARN, BROKEN, CUT, EXPIRED, THROTTLED, UNAUTHORIZED, Fault
from tui.clouds.aws import AwsReader, AwsWriter
from tui.model.node import Node, ProviderID
from tui.model.snapshot import CloudView, SourceState
from tui.ports import (
    CloudOptions,
    Indeterminate,
    Unavailable,
)

LIST, SUBNETS = "DescribeNetworkInterfaces", "DescribeSubnets"
ENI = "eni-0123456789abcdef0"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment without credentials and with an endpoint that must not be asked; the folder of its settings."""
    isolate(monkeypatch, tmp_path, "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    return tmp_path


def observe(node: Node | None = None) -> CloudView:
    (view,) = AwsReader(CloudOptions()).observe([node or build.node()])
    return view


def said(view: CloudView, state: SourceState) -> str:
    """Return the view's message, which must be one line about a source in this state that told nothing."""
    assert view.source.state is state
    assert (view.instances, view.subnets, view.source.observed_at) == (None, None, None)
    message = view.source.message
    assert message is not None
    assert message == " ".join(message.split())
    return message


def switch(eni: str = ENI) -> None:
    AwsWriter(CloudOptions()).write(build.switch_on(subject=eni))


def test_a_missing_permission_is_named_with_who_needs_it(ec2: Ec2Server) -> None:
    ec2.fail(LIST, UNAUTHORIZED)
    message = said(observe(), SourceState.DENIED)
    assert f"ec2:{LIST}" in message
    assert ARN in message
    assert "Zm9vYmFy" not in message, "the encoded details are of no use to a reader"


def test_an_explicit_deny_is_not_answered_with_advice_that_cannot_help(ec2: Ec2Server) -> None:
    ec2.fail(LIST, Fault(status=403, code="AccessDenied", message=f"User: {ARN} is not authorized: an explicit deny"))
    message = said(observe(), SourceState.DENIED)
    assert "an explicit deny" in message
    assert "policy" not in message


def test_without_subnets_the_interfaces_stand_and_the_source_does_not(ec2: Ec2Server) -> None:
    _, subnet = ec2.subnet()
    instance, _ = ec2.instance(subnet, "10.0.0.4")
    node = build.node(provider_id=ProviderID.parse(f"aws:///{REGION}a/{instance}"))
    ec2.fail(SUBNETS, UNAUTHORIZED)
    view = observe(node)
    assert view.subnets is None
    assert [one.id for one in view.instances or ()] == [instance]
    assert view.source.state is SourceState.DENIED
    assert view.source.observed_at is not None
    assert f"ec2:{SUBNETS}" in (view.source.message or "")


def test_expired_keys_of_the_environment_need_new_ones(ec2: Ec2Server) -> None:
    ec2.fail(LIST, EXPIRED)
    message = said(observe(), SourceState.DENIED)
    assert "expired" in message
    assert "environment" in message


def test_expired_keys_of_a_profile_name_it(ec2: Ec2Server, alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (alone / "credentials").write_text("[ops]\naws_access_key_id = testing\naws_secret_access_key = testing\n")
    monkeypatch.setenv("AWS_PROFILE", "ops")
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", ec2.url)
    ec2.fail(LIST, EXPIRED)
    assert "profile ops" in said(observe(), SourceState.DENIED)


def test_throttling_of_reads_is_told_after_the_sdk_has_tried_again(ec2: Ec2Server) -> None:
    ec2.fail(LIST, THROTTLED, THROTTLED, THROTTLED)
    assert "too many calls" in said(observe(), SourceState.UNAVAILABLE)
    assert ec2.count() == {LIST: 3}
    ec2.fail(LIST, THROTTLED)
    assert observe().source.state is SourceState.OK


def test_a_cut_connection_and_a_broken_server_are_unavailable(ec2: Ec2Server) -> None:
    ec2.fail(LIST, CUT, CUT, CUT)
    assert REGION in said(observe(), SourceState.UNAVAILABLE)
    ec2.fail(LIST, BROKEN, BROKEN, BROKEN)
    assert "500 InternalError" in said(observe(), SourceState.UNAVAILABLE)


def test_a_page_that_fails_makes_the_whole_list_unread(ec2: Ec2Server) -> None:
    first = (
        '<DescribeNetworkInterfacesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><networkInterfaceSet/>'
        "<nextToken>token-1000</nextToken></DescribeNetworkInterfacesResponse>"
    )
    ec2.fail(LIST, Fault(status=200, body=first), UNAUTHORIZED)
    node = build.node(provider_id=ProviderID.parse(""), labels={"topology.kubernetes.io/region": REGION})
    assert f"ec2:{LIST}" in said(observe(node), SourceState.DENIED)
    assert ec2.count() == {LIST: 2}


@pytest.mark.parametrize("body", ["<html><body>Please log in</body>", "<html>", "no"])
def test_an_answer_that_is_not_from_ec2_is_unavailable(ec2: Ec2Server, body: str) -> None:
    ec2.fail(LIST, *[Fault(status=200, body=body)] * 3)
    assert "proxy" in said(observe(), SourceState.UNAVAILABLE)


def test_an_account_that_may_not_use_the_region_is_denied(ec2: Ec2Server) -> None:
    ec2.fail(LIST, Fault(status=401, code="AuthFailure", message="AWS was not able to validate the credentials"))
    assert "may use this region" in said(observe(), SourceState.DENIED)
    ec2.fail(LIST, Fault(status=403, code="PendingVerification", message="still\nbeing validated"))
    assert "still being validated" in said(observe(), SourceState.DENIED)


def test_one_region_fails_alone(ec2: Ec2Server) -> None:
    nodes = [build.node(name, provider_id=ProviderID.parse(f"aws:///{zone}/i-1")) for name, zone in _TWO]
    ec2.fail(LIST, UNAUTHORIZED)
    views = AwsReader(CloudOptions()).observe(nodes)
    assert [view.source.state for view in views] == [SourceState.DENIED, SourceState.OK]


_TWO = (("n1", "eu-west-1a"), ("n2", "us-east-1a"))


def test_no_credentials(alone: Path) -> None:
    assert "no AWS credentials" in said(observe(), SourceState.DENIED)


def test_credentials_that_appear_later_are_used_without_a_restart(
    ec2: Ec2Server, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", ec2.url)
    reader = AwsReader(CloudOptions())
    (view,) = reader.observe([build.node()])
    assert view.source.state is SourceState.DENIED
    (alone / "credentials").write_text("[default]\naws_access_key_id = testing\naws_secret_access_key = testing\n")
    (view,) = reader.observe([build.node()])
    assert view.source.state is SourceState.OK


@pytest.mark.parametrize("token", [None, datetime(2020, 1, 1, tzinfo=UTC)])
def test_an_sso_login_that_is_missing_or_expired_names_the_command(
    alone: Path, monkeypatch: pytest.MonkeyPatch, token: datetime | None
) -> None:
    (alone / "config").write_text(
        "[sso-session corp]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\n"
        "[profile ops]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = ops\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "ops")
    if token is not None:
        cache = alone / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        content = {"accessToken": "secret", "expiresAt": token.strftime("%Y-%m-%dT%H:%M:%SZ")}
        (cache / f"{sha1(b'corp').hexdigest()}.json").write_text(json.dumps(content))
    message = said(observe(), SourceState.DENIED)
    assert "run aws sso login --profile ops" in message
    assert "secret" not in message


def test_an_unknown_profile(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody\x1b[2J")
    message = said(observe(), SourceState.DENIED)
    assert r"nobody\x1b[2J" in message
    silent = build.node(provider_id=ProviderID.parse(""))
    (view,) = AwsReader(CloudOptions()).observe([silent])
    assert view.source.name == "aws:unknown"
    assert "nobody" in said(view, SourceState.DENIED)


def test_a_malformed_configuration_file_is_named(alone: Path) -> None:
    (alone / "config").write_text("[profile\nregion")
    assert str(alone / "config") in said(observe(), SourceState.UNAVAILABLE)


def test_a_credential_process_that_fails(alone: Path) -> None:
    (alone / "config").write_text("[default]\ncredential_process = /bin/false\n")
    assert "credentials cannot be used" in said(observe(), SourceState.DENIED)


def test_an_endpoint_that_refuses_connections(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    isolate(monkeypatch, alone, f"http://127.0.0.1:{port}")
    message = said(observe(), SourceState.UNAVAILABLE)
    assert "127.0.0.1 cannot be reached" in message
    assert REGION in message
    with pytest.raises(Unavailable):
        switch()


def test_a_certificate_is_trusted_only_by_the_bundle(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server().write(alone, "server"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        isolate(monkeypatch, alone, f"https://127.0.0.1:{server.server_address[1]}")
        assert "AWS_CA_BUNDLE" in said(observe(), SourceState.UNAVAILABLE)
        with pytest.raises(Unavailable, match="AWS_CA_BUNDLE"):
            switch()
        (alone / "ca.pem").write_bytes(authority.pem)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(alone / "ca.pem"))
        with pytest.raises(Indeterminate, match="not EC2"):  # so it was sent
            switch()
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


@pytest.mark.parametrize("endpoint", ["nonsense", "http://[::1"])
def test_an_endpoint_that_is_no_url(alone: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    isolate(monkeypatch, alone, endpoint)
    assert REGION in said(observe(), SourceState.UNAVAILABLE)


@pytest.mark.parametrize("region", ["not a region", "x" * 80])
def test_a_region_that_cannot_be_one(ec2: Ec2Server, region: str) -> None:
    node = build.node(labels={"topology.kubernetes.io/region": region})
    assert "--aws-region" in said(observe(node), SourceState.UNAVAILABLE)
    assert not ec2.calls
