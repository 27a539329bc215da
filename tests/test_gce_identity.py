"""Who acts on Compute Engine: what each kind of Google's credentials tells of itself, and what is said without any."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import identity_pool
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials

from tests.wire.gce import ComputeServer, fresh_gce, sign_in  # noqa: F401 - the fixture
from tests.wire.gce_metadata import MetadataServer, running_metadata  # noqa: F401 - the fixture
from tui.clouds.gce import GceReader
from tui.clouds.gce_identity import principal
from tui.ports import CloudOptions, Denied, Unavailable

BOT = "bot@p.iam.gserviceaccount.com"
IMPERSONATION = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{BOT}:generateAccessToken"
WORKFORCE = "//iam.googleapis.com/locations/global/workforcePools/staff/providers/idp"
WORKLOAD = "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/ci/providers/github"
USER = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}


def identity() -> str | None:
    return GceReader(CloudOptions()).identity("gce:p")


def become(**fields: Any) -> None:
    """Replace the credentials file of the environment."""
    Path(os.environ["GOOGLE_APPLICATION_CREDENTIALS"]).write_text(json.dumps(fields))


def federated(audience: str = WORKLOAD, **more: Any) -> dict[str, Any]:
    return {
        "type": "external_account",
        "audience": audience,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "http://127.0.0.1:9/token",
        "credential_source": {"file": "/nonexistent"},
        **more,
    }


def user(gce: ComputeServer, account: str | None = None) -> Credentials:
    """Return a user's credentials; those of a file would ask for tokens at Google and nowhere else."""
    return Credentials(  # type: ignore[no-untyped-call] # partly typed
        None, refresh_token="r", token_uri=f"{gce.url}/token", client_id="c", client_secret="s", account=account
    )


def test_a_service_account_is_told_by_its_key_without_a_call(gce: ComputeServer) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    become(type="service_account", client_email=BOT, token_uri=f"{gce.url}/token", private_key=key.decode())
    assert identity() == BOT
    assert gce.grants == 0


def test_an_impersonated_service_account_is_who_acts_and_not_the_one_behind_it(gce: ComputeServer) -> None:
    source = {**USER, "account": "alice@example.com"}
    become(
        type="impersonated_service_account", service_account_impersonation_url=IMPERSONATION, source_credentials=source
    )
    assert identity() == BOT
    assert gce.grants == 0


def test_a_user_is_told_by_the_login_where_it_has_noted_the_account(gce: ComputeServer) -> None:
    become(**USER, account="alice@example.com")
    assert identity() == "alice@example.com"


@pytest.mark.parametrize("account", [None, ""])
def test_a_user_whose_login_has_noted_nothing_is_told_with_the_token(gce: ComputeServer, account: str | None) -> None:
    gce.email = "alice@example.com"
    credentials = user(gce, account)
    assert principal(credentials, Request()) == "alice@example.com"
    assert principal(credentials, Request()) == "alice@example.com"
    assert gce.grants == 1


@pytest.mark.parametrize("email", [None, ""])
def test_a_user_of_whom_nothing_tells_is_unknown_and_asked_once(gce: ComputeServer, email: str | None) -> None:
    gce.email = email
    credentials = user(gce)
    assert principal(credentials, Request()) is None
    assert principal(credentials, Request()) is None
    assert gce.grants == 1


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "e30.bm8.x", "e30.W10.x", "e30.eyJlbWFpbCI6MX0.x"])
def test_an_identity_token_that_is_none_tells_nobody(token: str) -> None:
    credentials = Credentials("access", id_token=token)  # type: ignore[no-untyped-call] # partly typed
    assert principal(credentials, Request()) is None


@pytest.mark.parametrize("audience", [WORKFORCE, "odd"])
def test_federation_with_impersonation_is_the_service_account(gce: ComputeServer, audience: str) -> None:
    become(**federated(audience, service_account_impersonation_url=IMPERSONATION))
    assert identity() == BOT


def test_federation_without_is_its_pool(gce: ComputeServer) -> None:
    workload = identity_pool.Credentials.from_info(federated())  # type: ignore[no-untyped-call] # partly typed
    pool = "principalSet://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/ci/*"
    assert principal(workload, Request()) == pool
    become(**federated(WORKFORCE))
    assert identity() == "principalSet://iam.googleapis.com/locations/global/workforcePools/staff/*"


def test_a_signed_in_workforce_user_is_known_by_the_pool(gce: ComputeServer) -> None:
    sign_in(audience=WORKFORCE)
    assert identity() == "principalSet://iam.googleapis.com/locations/global/workforcePools/staff/*"
    assert gce.grants == 0


def test_credentials_that_tell_nothing_are_nobodys(gce: ComputeServer) -> None:
    reader = GceReader(CloudOptions())
    assert reader.identity("gce:p") is None
    assert reader.identity("gce:q") is None
    assert gce.grants == 1
    assert not gce.requests


def test_a_vm_is_told_by_its_metadata_server_with_the_first_token(gce: ComputeServer, metadata: MetadataServer) -> None:
    reader = GceReader(CloudOptions())
    assert reader.identity("gce:p") == "vm@p.iam.gserviceaccount.com"
    asked = len(metadata.paths)
    assert reader.identity("gce:p") == "vm@p.iam.gserviceaccount.com"
    assert len(metadata.paths) == asked
    assert not gce.requests


def test_a_vm_without_a_service_account_has_nobody_to_be(gce: ComputeServer, metadata: MetadataServer) -> None:
    metadata.email = None
    with pytest.raises(Unavailable, match="no token can be had"):
        identity()


def test_a_login_that_is_over_is_denied_and_a_new_one_is_seen(gce: ComputeServer) -> None:
    gce.refuse_tokens(told="Token has been expired or revoked.")
    reader = GceReader(CloudOptions())
    with pytest.raises(Denied, match="expired"):
        reader.identity("gce:p")
    sign_in(audience=WORKFORCE)
    assert reader.identity("gce:p")


def test_a_token_endpoint_that_is_broken_is_unavailable(gce: ComputeServer) -> None:
    gce.token_error = (503, {})
    with pytest.raises(Unavailable, match="no token can be had"):
        identity()


def test_without_credentials_it_is_said_how_to_get_some(gce: ComputeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent.json")
    with pytest.raises(Denied, match=r"nonexistent\.json"):
        identity()
