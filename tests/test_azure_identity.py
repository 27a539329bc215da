"""Who acts on Azure, as the token for the Resource Manager names them, and what is said without one."""

import base64
import json
import os
import time
from pathlib import Path

import pytest

from tests import build
from tests.wire.arm import ArmServer, fresh_arm  # noqa: F401 - the fixture
from tests.wire.scripted_arm import Script, running_script  # noqa: F401 - the fixture
from tui.clouds import azure_arm
from tui.clouds.azure import AzureReader
from tui.clouds.azure_identity import identity_of
from tui.model.node import Node, ProviderID
from tui.model.snapshot import SourceState
from tui.ports import CloudOptions, Denied, Misconfigured, Unavailable

TENANT = "11111111-1111-1111-1111-111111111111"
APP = "22222222-2222-2222-2222-222222222222"
OBJECT = "33333333-3333-3333-3333-333333333333"


def reader() -> AzureReader:
    return AzureReader(CloudOptions())


def source(arm: ArmServer) -> str:
    return f"azure:{arm.subscription}"


def node(arm: ArmServer) -> Node:
    vm = arm.vm("n1", arm.subnet("nodes", "10.0.0.0/24"), "10.0.0.4")
    return build.node("n1", ip="10.0.0.4", provider_id=ProviderID.parse(f"azure://{vm}"))


def token(payload: object) -> str:
    """Make a token as its issuer would, but for the signature."""
    parts = (json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, payload))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "signature"])


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        (
            {"upn": "alice@example.com", "appid": APP, "oid": OBJECT, "tid": TENANT},
            f"alice@example.com (tenant {TENANT})",
        ),
        ({"unique_name": "live.com#bob@x.org", "tid": TENANT}, f"live.com#bob@x.org (tenant {TENANT})"),
        ({"upn": "a@x.org", "unique_name": "b@x.org", "preferred_username": "c@x.org"}, "a@x.org"),
        ({"preferred_username": "c@x.org"}, "c@x.org"),
        ({"appid": APP, "oid": OBJECT, "tid": TENANT}, f"application {APP} (object {OBJECT}, tenant {TENANT})"),
        ({"upn": "", "azp": APP, "tid": TENANT, "ver": "2.0"}, f"application {APP} (tenant {TENANT})"),
        ({"appid": APP}, f"application {APP}"),
        ({"oid": OBJECT, "tid": TENANT}, f"object {OBJECT} (tenant {TENANT})"),
        ({"upn": "zoë\x1b[2J@example.com"}, "zoë\x1b[2J@example.com"),
        ({"tid": TENANT}, None),
        ({}, None),
        ({"upn": ["alice"], "tid": TENANT}, None),
        ([], None),
        ("alice", None),
    ],
)
def test_claims_name_a_user_or_else_an_application(claims: object, told: str | None) -> None:
    assert identity_of(token(claims)) == told


@pytest.mark.parametrize("opaque", ["", "opaque", "a.b", "a.b.c", "..", "a.=.c", "a.é.c", "a./w.c", "a.bm8.c"])
def test_what_is_no_token_with_claims_names_nobody(opaque: str) -> None:
    assert identity_of(opaque) is None


def test_a_user_is_named_with_the_tenant(arm: ArmServer) -> None:
    arm.claims = {"upn": "alice@example.com", "tid": TENANT}
    assert reader().identity(source(arm)) == f"alice@example.com (tenant {TENANT})"


def test_an_application_is_named_with_its_object(arm: ArmServer) -> None:
    arm.claims = {"appid": APP, "oid": OBJECT, "tid": TENANT}
    assert reader().identity(source(arm)) == f"application {APP} (object {OBJECT}, tenant {TENANT})"


def test_an_opaque_token_names_nobody(script: Script) -> None:
    assert reader().identity("azure:x") is None
    assert len(script.tokens) == 1


def test_a_login_that_starts_a_program_is_asked_for_one_token(
    arm: ArmServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = {"accessToken": arm.token(arm.origin), "expires_on": int(time.time()) + 3600, "tokenType": "Bearer"}
    (tmp_path / "answer").write_text(json.dumps(answer))
    (tmp_path / "az").write_text(f"#!/bin/sh\necho started >> {tmp_path}/starts\ncat {tmp_path}/answer\n")
    (tmp_path / "az").chmod(0o755)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def starts() -> int:
        return len((tmp_path / "starts").read_text().splitlines())

    asks_first, looks_first = reader(), reader()
    told = asks_first.identity(source(arm))
    assert told
    assert asks_first.identity(source(arm)) == told
    assert starts() == 1
    (view,) = looks_first.observe([node(arm)])
    assert view.source.state is SourceState.OK
    assert (starts(), arm.requests != []) == (2, True)
    arm.requests.clear()
    assert looks_first.identity(source(arm)) == told
    assert (starts(), arm.requests) == (2, [])


def test_the_token_is_for_the_endpoint(arm: ArmServer) -> None:
    assert reader().identity(source(arm))
    assert arm.resources_asked_for == [arm.origin]


def test_after_a_refusal_the_newest_login_is_told(arm: ArmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_arm, "_FRESH_S", 0.0)
    found = reader()
    arm.claims = {"upn": "alice@example.com"}
    assert found.identity(source(arm)) == "alice@example.com"
    arm.claims = {"upn": "bob@example.com"}
    assert found.identity(source(arm)) == "alice@example.com", "whose token is sent"
    arm.fail("GET", "/providers/", 403, "AuthorizationFailed", times=None)
    found.observe([node(arm)])
    assert found.identity(source(arm)) == "bob@example.com"


def test_without_credentials_it_is_said_how_to_get_some(arm: ArmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    with pytest.raises(Denied, match="there are no Azure credentials"):
        reader().identity(source(arm))
    assert arm.requests == []


def test_a_token_endpoint_that_is_away_is_unavailable(arm: ArmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/token")
    with pytest.raises(Unavailable, match="no token can be had"):
        reader().identity(source(arm))


def test_a_wrong_setting_is_named(arm: ArmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLOUD", "AzureMoon")
    with pytest.raises(Misconfigured, match="AzureMoon"):
        reader().identity(source(arm))
