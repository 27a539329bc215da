"""Who would write: what each cloud and the API server tell, and how a plan is signed with it."""

import base64
import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import build
from tests.scripted import ScriptedCloud, ScriptedNodes
from tests.wire.arm import fresh_arm, serve_arm  # noqa: F401 - the fixtures
from tests.wire.ec2 import Ec2Server, fresh_account, serve_ec2  # noqa: F401 - the fixtures
from tests.wire.ec2_rules import CUT, EXPIRED, THROTTLED, Fault
from tests.wire.gce import ComputeServer, fresh_gce  # noqa: F401 - the fixture
from tests.wire.kube import KubeServer
from tests.wire.kube_http import Fault as KubeFault
from tui.clouds.aws import AwsReader
from tui.clouds.azure_identity import bearer
from tui.clouds.gce import GceReader
from tui.engine import identities
from tui.engine.identities import Identities
from tui.kube import KubeNodes
from tui.model.plan import Actor, Plan, build_plan
from tui.ports import CloudOptions, Denied, NodeList, PortError, Throttled, Unavailable

PLAN = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[build.switch_on(source="aws:us-east-1")])


# AWS.


def test_sts_names_the_caller_and_only_when_it_is_asked(ec2: Ec2Server) -> None:
    reader = AwsReader(CloudOptions())
    reader.observe([build.node("n1")])
    assert ec2.identified == []
    assert reader.identity("aws:us-east-1") == "arn:aws:sts::123456789012:user/moto"
    assert [call.region for call in ec2.identified] == ["us-east-1"]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (EXPIRED, Denied, "the AWS credentials of the environment have expired: set new ones"),
        (THROTTLED, Throttled, "STS in us-east-1 gets too many calls"),
        (CUT, Unavailable, "STS in us-east-1 did not complete GetCallerIdentity: the connection broke"),
        (
            Fault(status=403, code="AccessDenied", message="User: x is not authorized with an explicit deny"),
            Denied,
            "sts:GetCallerIdentity is not allowed to",
        ),
    ],
)
def test_what_sts_refuses_is_told_as_its_own(ec2: Ec2Server, fault: Fault, kind: type[PortError], words: str) -> None:
    ec2.fail("GetCallerIdentity", fault)
    with pytest.raises(kind) as told:
        AwsReader(CloudOptions()).identity("aws:us-east-1")
    assert words in str(told.value)


# Compute Engine.


def credentials(folder: Path, monkeypatch: pytest.MonkeyPatch, document: Mapping[str, object]) -> None:
    path = folder / "identity.json"
    path.write_text(json.dumps(document))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


PERSON = {"client_id": "c", "client_secret": "s", "refresh_token": "r", "type": "authorized_user"}
IMPERSONATED = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken"
FEDERATED = {
    "type": "external_account",
    "audience": "//iam.googleapis.com/locations/global/workforcePools/pool/providers/p",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_url": "https://sts.googleapis.com/v1/token",
    "credential_source": {"file": "/nowhere"},
}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (PERSON, None),
        (PERSON | {"account": "alice@example.com"}, "alice@example.com"),
        (
            {
                "type": "impersonated_service_account",
                "service_account_impersonation_url": IMPERSONATED.format("ops@p.iam.gserviceaccount.com"),
                "source_credentials": PERSON,
            },
            "ops@p.iam.gserviceaccount.com",
        ),
        (FEDERATED, None),
        (
            FEDERATED | {"service_account_impersonation_url": IMPERSONATED.format("ops@p.iam.gserviceaccount.com")},
            "ops@p.iam.gserviceaccount.com",
        ),
    ],
)
def test_google_credentials_tell_their_account_without_being_used(
    gce: ComputeServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    document: Mapping[str, object],
    told: str | None,
) -> None:
    credentials(tmp_path, monkeypatch, document)
    assert GceReader(CloudOptions()).identity("gce:p") == told
    assert gce.count() == {}


def test_without_google_credentials_it_is_said(
    gce: ComputeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del gce
    credentials(tmp_path, monkeypatch, {"type": "nonsense"})
    with pytest.raises(Denied, match=r"identity\.json"):
        GceReader(CloudOptions()).identity("gce:p")


# Azure.


def token(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.signature"


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"upn": "alice@example.com", "tid": "t-1", "appid": "cli"}, "alice@example.com (tenant t-1)"),
        ({"unique_name": "live.com#bob@example.com"}, "live.com#bob@example.com"),
        ({"preferred_username": "carol", "tid": "t-1"}, "carol (tenant t-1)"),
        ({"appid": "a-1", "oid": "o-1", "tid": "t-1"}, "application a-1 (object o-1, tenant t-1)"),
        ({"azp": "a-2"}, "application a-2"),
        ({"sub": "x"}, None),
        ({"upn": 7}, None),
        (["no", "claims"], None),
    ],
)
def test_an_access_token_names_a_person_or_an_application(claims: object, told: str | None) -> None:
    assert bearer(token(claims)) == told


@pytest.mark.parametrize("opaque", ["", "opaque", "a.b", "a.!!!.c", "a.w6k.c", "é.é.é"])
def test_a_token_that_cannot_be_read_names_nobody(opaque: str) -> None:
    assert bearer(opaque) is None


# Kubernetes.


def test_the_api_server_names_whom_it_lets_in(tmp_path: Path) -> None:
    with KubeServer() as server:
        server.coordination.user = "system:serviceaccount:ops:l2bridge"
        nodes = KubeNodes.open(kubeconfig=str(server.kubeconfig(tmp_path / "config")), context=None)
        assert nodes.identity() == "system:serviceaccount:ops:l2bridge"
        path = "/apis/authentication"
        server.fail(KubeFault(status=404, message="not found", path=path, method="POST"))
        assert nodes.identity() is None
        server.fail(KubeFault(status=201, body=b"{}", path=path, method="POST"))
        assert nodes.identity() is None
        server.fail(KubeFault(status=403, message="forbidden", path=path, method="POST"))
        with pytest.raises(Denied):
            nodes.identity()


# The plan.


class Mute(ScriptedCloud):
    """A cloud that does not tell who acts: it refuses, or does not answer before ``answers`` is set."""

    def __init__(self, error: PortError | None = None) -> None:
        super().__init__()
        self.answers = threading.Event()
        self._error = error

    def identity(self, source: str) -> str:
        if self._error is not None:
            raise self._error
        self.answers.wait()
        return super().identity(source)


def signed(cloud: ScriptedCloud, plan: Plan = PLAN) -> tuple[Actor, ...]:
    return Identities(ScriptedNodes(NodeList(nodes=(), version="1")), lambda _: cloud).signed(plan).actors


def test_a_plan_names_the_clusters_user_and_one_for_each_source() -> None:
    assert signed(ScriptedCloud()) == (
        Actor(source="kubernetes", identity="somebody"),
        Actor(source="aws:us-east-1", identity="somebody in aws:us-east-1"),
    )


def test_an_empty_plan_is_signed_by_nobody() -> None:
    assert signed(ScriptedCloud(), build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[])) == ()


def test_who_is_not_told_is_unknown_and_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signed(Mute(Denied("no")))[1].identity is None
    monkeypatch.setattr(identities, "_PATIENCE_S", 0.05)
    silent = Mute()
    assert signed(silent)[1].identity is None
    silent.answers.set()


def test_signing_does_not_change_what_a_plan_is() -> None:
    plan = Identities(ScriptedNodes(NodeList(nodes=(), version="1")), lambda _: ScriptedCloud()).signed(PLAN)
    assert plan.id == PLAN.id
