"""What goes wrong when Azure is read, each as one clear sentence in the source that told nothing."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests import build
from tests.wire.scripted_arm import TOKEN, Said, Script, refusal, running_script  # noqa: F401 - the fixture
from tui.clouds import azure_arm
from tui.clouds.azure import AzureReader
from tui.clouds.azure_arm import ArmApi, Endpoint
from tui.clouds.azure_refusals import Call, Refusal, refused, retry_after
from tui.model.node import Node, ProviderID
from tui.model.snapshot import CloudView, SourceState
from tui.ports import (
    CloudOptions,
    Conflict,
    Denied,
    Indeterminate,
    Misconfigured,
    NotFound,
    PortError,
    Rejected,
    Throttled,
    Unavailable,
)

SUB = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/n1-nic"
TABLE = f"{GROUP}/providers/Microsoft.Network/routeTables/table"
NICS, NETWORKS, TABLES = "networkInterfaces", "virtualNetworks", "routeTables"
OWNER = "ask its owner for a role that has it"


def vm_id(name: str = "n1") -> str:
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"


def node(name: str = "n1", ip: str = "10.0.0.4") -> Node:
    return build.node(name, ip=ip, provider_id=ProviderID.parse(f"azure://{vm_id(name)}"))


def nic(name: str = "n1", ip: str = "10.0.0.4") -> dict[str, Any]:
    subnet = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/net/subnets/nodes"
    return {
        "id": f"{GROUP}/providers/Microsoft.Network/networkInterfaces/{name}-nic",
        "name": f"{name}-nic",
        "properties": {
            "enableIPForwarding": True,
            "virtualMachine": {"id": vm_id(name)},
            "ipConfigurations": [{"name": "ip", "properties": {"privateIPAddress": ip, "subnet": {"id": subnet}}}],
        },
    }


def observe(*nodes: Node, **options: Any) -> CloudView:
    (view,) = AzureReader(CloudOptions(**options)).observe(nodes or (node(),))
    return view


def said(view: CloudView, state: SourceState) -> str:
    """Return the message of the view, which must be one line about a source in this state that told nothing."""
    assert view.source.state is state, view.source.message
    assert (view.instances, view.subnets, view.route_tables, view.source.observed_at) == (None, None, None, None)
    assert not view.complete
    message = view.source.message
    assert message is not None
    assert message == " ".join(message.split())
    assert message.isprintable()
    return message


FORBIDDEN = refusal(
    "AuthorizationFailed",
    "The client 'x' with object id 'y' does not have authorization to perform action "
    f"'Microsoft.Network/networkInterfaces/read' over scope '/subscriptions/{SUB}' or the scope is invalid.",
    403,
)


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (FORBIDDEN, SourceState.DENIED, ["Microsoft.Network/networkInterfaces/read is missing on", SUB, OWNER]),
        (Said(status=401, body=b"<html>"), SourceState.DENIED, ["az login"]),
        (refusal("ExpiredAuthenticationToken", status=401), SourceState.DENIED, ["have expired", "az login"]),
        (
            refusal(
                "InvalidAuthenticationTokenTenant",
                "The access token is from the wrong issuer 'https://sts.windows.net/aaa/'. It must match the tenant "
                "'https://sts.windows.net/bbb/' associated with this subscription.",
                401,
            ),
            SourceState.DENIED,
            ["another tenant", "az login --tenant bbb"],
        ),
        (refusal("SubscriptionNotFound", status=404), SourceState.DENIED, ["no subscription", SUB, "tenant"]),
        (refusal("MissingSubscriptionRegistration", status=409), SourceState.DENIED, ["az provider register"]),
        (refusal("TooManyRequests", status=429), SourceState.UNAVAILABLE, ["too many calls", SUB]),
        (Said(status=429, body=b""), SourceState.UNAVAILABLE, ["too many calls"]),
        (refusal("InternalServerError", "odd", 500), SourceState.UNAVAILABLE, ["500", "odd"]),
        (Said(status=502, body=b"<html>"), SourceState.UNAVAILABLE, ["502"]),
        (Said(body=b'{"value": [{"id": "/sub'), SourceState.UNAVAILABLE, ["proxy"]),
        (Said(body=b"<html>Please log in</html>"), SourceState.UNAVAILABLE, ["proxy"]),
        (Said(body={"value": None}), SourceState.UNAVAILABLE, ["proxy"]),
        (Said(body=b"\x80\xff"), SourceState.UNAVAILABLE, ["proxy"]),
        (Said(status=403, body=b"<html>Blocked</html>"), SourceState.UNAVAILABLE, ["HTTP 403", "proxy"]),
        (Said(status=302, headers={"Location": "https://x"}), SourceState.UNAVAILABLE, ["HTTP 302"]),
        (Said(body={"value": [], "nextLink": "https://evil.example/x"}), SourceState.UNAVAILABLE, ["evil.example"]),
        (Said(body={"value": [], "nextLink": "http://127.0.0.1/x"}), SourceState.UNAVAILABLE, ["not the endpoint"]),
        (Said(body={"value": [], "nextLink": "/again?x=networkInterfaces"}), SourceState.UNAVAILABLE, ["same page"]),
        (refusal("Odd", "odd\x1b[31m\nthing"), SourceState.UNAVAILABLE, ["odd: odd\\x1b[31m thing"]),
        (Said(body={"value": []}, cut=True), SourceState.UNAVAILABLE, ["connection broke"]),
        (Said(dropped=True), SourceState.UNAVAILABLE, ["connection broke"]),
    ],
)
def test_a_failed_list_is_one_sentence(script: Script, answer: Said, state: SourceState, words: list[str]) -> None:
    for kind in (NICS, NETWORKS, TABLES, "again"):
        script.on(kind, answer)
    message = said(observe(), state)
    for word in words:
        assert word in message
    assert all(asked.headers["Authorization"] == f"Bearer {TOKEN}" for asked in script.asked)


def test_a_throttled_list_is_not_asked_again_however_short_the_pause(script: Script) -> None:
    script.on(NICS, Said(status=429, headers={"Retry-After": "1"}, body={"error": {"code": "TooManyRequests"}}))
    view = observe()
    assert view.source.state is SourceState.UNAVAILABLE
    assert len(script.asked) == 1, "and the other lists are not asked for at all"


def test_a_long_retry_after_is_told_and_not_slept(script: Script) -> None:
    script.on(NICS, Said(status=429, headers={"Retry-After": "3600"}, body={"error": {"code": "TooManyRequests"}}))
    with pytest.raises(Throttled) as caught:
        ArmApi().call(Call(path=NIC.rpartition("/")[0], permission="x"))
    assert caught.value.retry_after_s == 3600


def test_retry_after_may_be_a_date() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after({"Retry-After": in_a_minute}) == pytest.approx(60, abs=2)
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({}) is None


def test_a_server_that_keeps_silent_is_given_up(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_arm.ArmApi.call, "__defaults__", (0.2,))
    for kind in (NICS, NETWORKS, TABLES):
        script.on(kind, Said(hang_s=1))
    assert "no answer came in time" in said(observe(), SourceState.UNAVAILABLE)


def test_reads_are_tried_again_when_the_connection_breaks(script: Script) -> None:
    script.on(NICS, Said(dropped=True), Said(body={"value": [nic()]}))
    assert observe().source.state is SourceState.OK


def test_a_write_is_sent_once_and_its_end_is_open_when_the_connection_breaks(script: Script) -> None:
    script.on("n1-nic", Said(dropped=True))
    call = Call(method="PUT", path=NIC, permission="x", subject=NIC, body=b"{}", writes=True)
    with pytest.raises(Indeterminate, match="may or may not have changed"):
        ArmApi().call(call)
    assert script.count("n1-nic") == 1


@pytest.mark.parametrize("answer", [Said(status=503, headers={"Retry-After": "0"}), Said(cut=True)])
def test_a_write_whose_answer_is_lost_is_open(script: Script, answer: Said) -> None:
    script.on("n1-nic", answer)
    with pytest.raises(Indeterminate):
        ArmApi().call(Call(method="PUT", path=NIC, permission="x", subject=NIC, body=b"{}", writes=True))
    assert script.count("n1-nic") == 1


def test_a_page_is_followed_on_the_same_origin_however_the_port_is_written(script: Script) -> None:
    link = f"{script.origin}/next?api-version=1&$skiptoken=a%2Fb"
    script.on(NICS, Said(body={"value": [nic("n1")], "nextLink": link}))
    script.on("/next", Said(body={"value": [nic("n2", "10.0.0.5")]}))
    view = observe()
    assert [vm.name for vm in view.instances or ()] == ["n1", "n2"]
    assert next(asked.query for asked in script.asked if asked.path == "/next") == "api-version=1&$skiptoken=a%2Fb"


def test_the_usual_port_may_be_written_out() -> None:
    endpoint = Endpoint.told({})
    assert endpoint.url("https://management.azure.com:443/x?y=1") == "https://management.azure.com:443/x?y=1"
    assert endpoint.url("https://MANAGEMENT.azure.com/x") is not None
    for foreign in (
        "https://management.azure.com.evil.example/x",
        "https://management.azure.com:8443/x",
        "http://management.azure.com/x",
        "//evil.example/x",
        "https://user@management.azure.com/x",
        "https://management.azure.com:x/",
    ):
        assert endpoint.url(foreign) is None, foreign


def test_one_group_of_three_that_may_not_be_read_leaves_the_others(script: Script) -> None:
    denied = refusal(
        "AuthorizationFailed",
        "The client 'x' does not have authorization to perform action 'Microsoft.Network/routeTables/read' over scope "
        f"'/subscriptions/{SUB}/resourceGroups/b'",
        403,
    )
    script.on("a/providers/Microsoft.Network/networkInterfaces", Said(body={"value": [nic()]}))
    script.on("b/providers/Microsoft.Network/routeTables", denied)
    script.on("virtualNetworks/net", Said(body={"id": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/net"}))
    view = observe(azure_resource_groups=("a", "b", "c"))
    assert view.source.state is SourceState.DENIED
    assert view.source.observed_at is not None and not view.complete
    assert view.source.message == f"Microsoft.Network/routeTables/read is missing on resource group b: {OWNER}"
    assert [vm.name for vm in view.instances or ()] == ["n1"]
    assert view.route_tables == ()


def test_a_group_that_does_not_exist_is_named_once(script: Script) -> None:
    for kind in (NICS, NETWORKS, TABLES):
        script.on(f"x/providers/Microsoft.Network/{kind}", refusal("ResourceGroupNotFound", status=404))
    message = said(observe(azure_resource_groups=("x",)), SourceState.UNAVAILABLE)
    assert message.startswith("there is no resource group x")
    assert message.count("--azure-resource-group") == 2, "once for the group, once for the node that is not found"


def test_what_is_not_permitted_is_unknown_while_the_rest_stands(script: Script) -> None:
    script.on(NICS, Said(body={"value": [nic()]}))
    script.on(NETWORKS, refusal("AuthorizationFailed", status=403))
    view = observe()
    assert view.source.state is SourceState.DENIED
    assert (view.subnets, view.route_tables, view.complete) == (None, (), False)
    assert view.source.message is not None and "Microsoft.Network/virtualNetworks/read" in view.source.message
    assert view.instances is not None


def test_a_scale_set_that_is_gone_has_no_interfaces(script: Script) -> None:
    member = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/pool/virtualMachines/0"
    script.on("pool/networkInterfaces", refusal("ResourceNotFound", status=404))
    view = observe(replace(node(), provider_id=ProviderID.parse(f"azure://{member}")))
    assert (view.source.state, view.instances) == (SourceState.OK, ())


def test_a_scale_set_that_may_not_be_read_makes_the_view_incomplete(script: Script) -> None:
    member = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/pool/virtualMachines/0"
    script.on("pool/networkInterfaces", refusal("AuthorizationFailed", status=403))
    view = observe(replace(node(), provider_id=ProviderID.parse(f"azure://{member}")))
    assert (view.source.state, view.complete) == (SourceState.DENIED, False)
    assert "virtualMachineScaleSets/networkInterfaces/read" in (view.source.message or "")


UNSUPPORTED = {
    "NoRegisteredProviderFound": "No registered resource provider found for location 'x' and API version '2026-03-01' "
    "for type 'networkInterfaces'. The supported api-versions are '2015-06-15, 2018-11-01, 2019-01-01-preview'. "
    "The supported locations are ', x'.",
    "InvalidApiVersionParameter": "The api-version '2026-03-01' is invalid. The supported versions are "
    "'2018-11-01,2017-10-01'.",
    "InvalidResourceType": "The resource type could not be found in the namespace 'Microsoft.Network' for api version "
    "'2026-03-01'. The supported api-versions are '2017-10-01,2018-11-01'.",
}


@pytest.mark.parametrize("code", UNSUPPORTED)
def test_an_older_endpoint_is_asked_with_its_newest_version_from_then_on(script: Script, code: str) -> None:
    script.on(NICS, refusal(code, UNSUPPORTED[code]), Said(body={"value": [nic()]}))
    api = ArmApi()
    call = Call(path=NIC.rpartition("/")[0], permission="x")
    assert [api.call(call).version for _ in range(2)] == ["2018-11-01", "2018-11-01"]
    assert [asked.query for asked in script.asked] == [
        "api-version=2026-03-01",
        "api-version=2018-11-01",
        "api-version=2018-11-01",
    ]


def test_an_endpoint_without_a_version_that_fits_is_told(script: Script) -> None:
    for kind in (NICS, NETWORKS, TABLES):
        script.on(kind, refusal("NoRegisteredProviderFound", "The supported api-versions are '2026-03-01'."))
    assert "no api-version" in said(observe(), SourceState.UNAVAILABLE)


def test_a_version_that_is_asked_for_is_not_replaced(script: Script) -> None:
    script.on(NICS, refusal("NoRegisteredProviderFound", UNSUPPORTED["NoRegisteredProviderFound"]))
    with pytest.raises(Unavailable):
        ArmApi().call(Call(path=NIC.rpartition("/")[0], permission="x", version="2026-03-01"))
    assert len(script.asked) == 1


def test_a_denied_call_starts_from_the_environment_again(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script.on(NICS, refusal("AuthorizationFailed", status=403), Said(body={"value": [nic()]}))
    monkeypatch.setattr(azure_arm, "_FRESH_S", 0.0)
    reader = AzureReader(CloudOptions())
    assert reader.observe([node()])[0].source.state is SourceState.DENIED
    assert reader.observe([node()])[0].source.state is SourceState.OK
    assert len(script.tokens) > 1


def test_a_netrc_does_not_replace_the_token(script: Script) -> None:
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login x password y\n")
    observe()
    assert {asked.headers["Authorization"] for asked in script.asked} == {f"Bearer {TOKEN}"}


def test_the_token_is_for_the_endpoint(script: Script) -> None:
    observe()
    assert [token.partition("resource=")[2] for token in script.tokens] == [script.origin], "asked for once"


def test_neither_token_nor_body_is_logged(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    observe()
    assert TOKEN not in caplog.text and "secret" not in caplog.text


def test_no_credential_is_one_sentence(
    script: Script, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    message = said(observe(), SourceState.DENIED)
    assert message.startswith("there are no Azure credentials (tried EnvironmentCredential): run az login")
    assert script.asked == []
    assert capfd.readouterr().err == ""


def test_the_developers_credentials_are_all_named(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")
    monkeypatch.setenv("PATH", "/nonexistent")
    message = said(observe(), SourceState.DENIED)
    assert "AzureCliCredential, AzurePowerShellCredential, AzureDeveloperCliCredential" in message


def test_a_token_endpoint_that_is_away_is_no_refusal(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/token")
    assert "no token can be had" in said(observe(), SourceState.UNAVAILABLE)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AZURE_CLOUD", "AzureMoon", ["AZURE_CLOUD", "AzureCloud, AzureChinaCloud, AzureUSGovernment"]),
        ("ARM_ENDPOINT", "http://127.0.0.1:1", ["ARM_ENDPOINT", "https origin"]),
        ("ARM_ENDPOINT", "https://host/path", ["ARM_ENDPOINT"]),
        ("ARM_ENDPOINT", "https://user:x@host", ["ARM_ENDPOINT"]),
        ("ARM_ENDPOINT", "https://", ["ARM_ENDPOINT"]),
        ("ARM_ENDPOINT", "https://[::1", ["ARM_ENDPOINT"]),
        ("AZURE_TOKEN_CREDENTIALS", "junk", ["AZURE_TOKEN_CREDENTIALS", "junk"]),
        ("AZURE_AUTHORITY_HOST", "http://login", ["AZURE_AUTHORITY_HOST"]),
    ],
)
def test_a_wrong_setting_is_named(
    script: Script, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: list[str]
) -> None:
    monkeypatch.setenv(name, value)
    message = said(observe(), SourceState.UNAVAILABLE)
    for word in words:
        assert word in message
    with pytest.raises(Misconfigured):
        ArmApi().call(Call(path=NIC, permission="x"))


@pytest.mark.parametrize(
    ("environment", "origin", "scope", "authority"),
    [
        ({}, "https://management.azure.com", "https://management.azure.com/.default", None),
        (
            {"AZURE_CLOUD": "azurechinacloud"},
            "https://management.chinacloudapi.cn",
            "https://management.chinacloudapi.cn/.default",
            "login.chinacloudapi.cn",
        ),
        (
            {"AZURE_CLOUD": "AzureUSGovernment", "AZURE_AUTHORITY_HOST": "https://login.example"},
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net/.default",
            None,
        ),
        (
            {"ARM_ENDPOINT": "https://Stack.example:443/"},
            "https://stack.example",
            "https://stack.example/.default",
            None,
        ),
        (
            {"ARM_ENDPOINT": "https://stack.example:8443", "AZURE_CLOUD": "AzureCloud"},
            "https://stack.example:8443",
            "https://management.azure.com/.default",
            "login.microsoftonline.com",
        ),
    ],
)
def test_the_environment_names_the_cloud(
    environment: Mapping[str, str], origin: str, scope: str, authority: str | None
) -> None:
    assert Endpoint.told(environment) == Endpoint(origin=origin, scope=scope, authority=authority)


def test_a_certificate_of_nobody_known_is_told(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert "REQUESTS_CA_BUNDLE" in said(observe(), SourceState.UNAVAILABLE)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    assert "/nonexistent" in said(observe(), SourceState.UNAVAILABLE)


def test_an_endpoint_that_nobody_answers_at_is_told(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARM_ENDPOINT", "https://127.0.0.1:1")
    message = said(observe(), SourceState.UNAVAILABLE)
    assert "127.0.0.1:1 cannot be reached" in message and "ARM_ENDPOINT" in message
    with pytest.raises(Unavailable, match="cannot be reached"):
        ArmApi().call(Call(method="PUT", path=NIC, permission="x", subject=NIC, body=b"{}", writes=True))


def test_a_proxy_that_is_away_is_told(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert "HTTPS_PROXY" in said(observe(), SourceState.UNAVAILABLE)


def test_nothing_tells_the_subscription() -> None:
    (view,) = AzureReader(CloudOptions()).observe([build.node(provider_id=ProviderID.parse(""))])
    assert view.source.name == "azure:unknown"
    assert "--azure-subscription" in said(view, SourceState.UNAVAILABLE)


@pytest.mark.parametrize(
    "options", [{"azure_subscription": "a/b"}, {"azure_subscription": SUB, "azure_resource_groups": ("../x",)}]
)
def test_names_that_cannot_be_are_told_without_a_call(script: Script, options: dict[str, Any]) -> None:
    view = AzureReader(CloudOptions(**options)).observe([build.node(provider_id=ProviderID.parse(""))])[0]
    assert "correct --azure-" in said(view, SourceState.UNAVAILABLE)
    assert script.asked == []


WRITE = Call(method="PUT", path=TABLE, permission="Microsoft.Network/routeTables/write", subject=TABLE, writes=True)


@pytest.mark.parametrize(
    ("status", "error", "kind", "words"),
    [
        (412, {"code": "PreconditionFailed"}, Conflict, "etag"),
        (409, {"code": "AnotherOperationInProgress"}, Conflict, "somebody else"),
        (429, {"code": "AnotherOperationInProgress"}, Conflict, "somebody else"),
        (429, {"code": "RetryableErrorDueToAnotherOperation"}, Conflict, "somebody else"),
        (
            429,
            {"code": "RetryableError", "details": [{"code": "ReferencedResourceNotProvisioned", "message": "m"}]},
            Conflict,
            "m",
        ),
        (200, {"code": "OperationPreempted"}, Conflict, "somebody else"),
        (200, {"code": "CanceledAndSupersededDueToAnotherOperation"}, Conflict, "somebody else"),
        (200, {"code": "Canceled", "details": [{"code": "AnotherOperationInProgress"}]}, Conflict, "somebody else"),
        (429, {"code": "SubscriptionRequestsThrottled"}, Throttled, "too many calls"),
        (
            409,
            {"code": "ScopeLocked", "message": f"The scope '{TABLE}' cannot perform write operation because following "
             "scope(s) are locked: '/subscriptions/s/resourceGroups/rg'. Please remove the lock and try again."},
            Rejected,
            "management lock on /subscriptions/s/resourceGroups/rg",
        ),
        (
            403,
            {"code": "RequestDisallowedByPolicy", "message": 'x. Policy identifiers: \'[{"policyAssignment":'
             '{"name":"No tables","id":"y"}}]\'.'},
            Rejected,
            "policy assignment No tables",
        ),
        (
            403,
            {"code": "LinkedAuthorizationFailed", "message": "The client 'x' has permission to perform action "
             "'Microsoft.Network/virtualNetworks/subnets/write' on scope 'a'; however, it does not have permission to "
             f"perform action(s) 'Microsoft.Network/routeTables/join/action' on the linked scope(s) '{TABLE}' "
             "(respectively) or the linked scope(s) are invalid."},
            Denied,
            f"Microsoft.Network/routeTables/join/action is missing on {TABLE}",
        ),
        (403, {"code": "AuthorizationFailed"}, Denied, "routeTables/write is missing on resource group rg"),
        (400, {"code": "InvalidResourceReference", "message": "r"}, Rejected, "refers to does not exist (r)"),
        (400, {"code": "RouteTableRouteCountLimitReached"}, Rejected, "limit"),
        (400, {"code": "InUseRouteTableCannotBeDeleted"}, Rejected, "in use"),
        (404, {"code": "ResourceNotFound"}, NotFound, "does not exist"),
        (404, {"code": "ResourceGroupNotFound"}, NotFound, "no resource group rg"),
        (400, {"code": "Unheard", "message": "of"}, Rejected, "unheard: of"),
        (409, {"code": "Unheard", "message": "of"}, Conflict, "unheard: of"),
        (500, {"code": "InternalServerError"}, Indeterminate, "may or may not"),
        (200, {"code": "Unheard", "message": "of"}, Rejected, "unheard: of"),
    ],
)  # fmt: skip
def test_codes_decide_what_a_refused_write_means(
    status: int, error: dict[str, Any], kind: type[PortError], words: str
) -> None:
    found = refused(Refusal.of_answer(status, {}, json.dumps({"error": error}).encode()), WRITE)
    assert type(found) is kind, found
    assert words in str(found)


@pytest.mark.parametrize(
    "body",
    [
        {"code": "ScopeLocked", "message": "x"},
        {"status": "Failed", "error": {"code": "Wrapper", "details": [{"code": "ScopeLocked"}, None, "x"]}},
        {"error": {"code": "Wrapper", "message": None, "details": [{"error": {"code": "ScopeLocked"}}]}},
    ],
)
def test_an_error_may_stand_elsewhere(body: dict[str, Any]) -> None:
    found = refused(Refusal.of_answer(409, {}, json.dumps(body).encode()), WRITE)
    assert isinstance(found, Rejected) and "lock" in str(found)
