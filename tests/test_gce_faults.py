"""What goes wrong when Compute Engine is read, each as one clear sentence in the source that told nothing."""

import json
import os
from pathlib import Path

import pytest

from tests import build
from tests.test_gce import INSTANCES, ROUTES, SUBNETWORKS, named, observe
from tests.wire.gce import ComputeServer, fresh_gce  # noqa: F401 - the fixture
from tests.wire.gce_refusals import (
    API_DISABLED,
    BROKEN,
    CUT,
    DROPPED,
    FORBIDDEN,
    HTML,
    QUOTA,
    RATE_LIMITED,
    TOO_MANY,
    Fault,
)
from tui.clouds import gce_project
from tui.clouds.gce import GceReader
from tui.model.snapshot import CloudView, SourceState
from tui.ports import CloudOptions, Denied, NotFound, PortError, Throttled, Unavailable

ENDPOINT = "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"
CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS"
GET = "compute.instances.get"


def said(views: tuple[CloudView, ...], state: SourceState) -> str:
    """Return the message of the only view, which must be one line about a source in this state that told nothing."""
    (view,) = views
    assert view.source.state is state, view.source.message
    assert (view.instances, view.subnets, view.route_tables, view.source.observed_at) == (None, None, None, None)
    message = view.source.message
    assert message is not None
    assert message == " ".join(message.split())
    assert message.isprintable()
    return message


@pytest.mark.parametrize(
    ("faults", "state", "words"),
    [
        ([FORBIDDEN], SourceState.DENIED, ["compute.x.y is missing on project p", "role"]),
        ([Fault(status=403)], SourceState.DENIED, ["compute.instances.list is missing on project p"]),
        ([API_DISABLED], SourceState.DENIED, ["gcloud services enable compute.googleapis.com --project p"]),
        ([Fault(status=401, reason="authError")] * 3, SourceState.DENIED, ["gcloud auth application-default login"]),
        ([RATE_LIMITED], SourceState.UNAVAILABLE, ["too many calls", "project p"]),
        ([TOO_MANY], SourceState.UNAVAILABLE, ["too many calls"]),
        ([QUOTA], SourceState.UNAVAILABLE, ["ROUTES", "quota"]),
        ([BROKEN] * 3, SourceState.UNAVAILABLE, ["503"]),
        ([HTML] * 3, SourceState.UNAVAILABLE, ["502"]),
        ([DROPPED] * 3, SourceState.UNAVAILABLE, ["connection broke"]),
        ([CUT], SourceState.UNAVAILABLE, ["connection broke"]),
        ([Fault(status=200, body='{"items": {"zones/z": {"inst')], SourceState.UNAVAILABLE, ["proxy"]),
        ([Fault(status=200, body="<html>Please log in</html>")], SourceState.UNAVAILABLE, ["proxy"]),
        ([Fault(status=200, body='{"items": []}')], SourceState.UNAVAILABLE, ["proxy"]),
        ([Fault(status=200, body="\x80\xff")], SourceState.UNAVAILABLE, ["proxy"]),
        ([Fault(status=403, body="<html>Blocked</html>")], SourceState.UNAVAILABLE, ["HTTP 403", "proxy"]),
        ([Fault(status=404, body="not here")], SourceState.UNAVAILABLE, ["HTTP 404", "endpoint"]),
        ([Fault(status=302, headers={"Location": "https://x"}, body="")], SourceState.UNAVAILABLE, ["HTTP 302"]),
        (
            [Fault(status=400, reason="invalid", message="odd\x1b[31m\nthing")],
            SourceState.UNAVAILABLE,
            ["odd\\x1b[31m thing"],
        ),
    ],
)
def test_a_failed_list_is_one_sentence(
    gce: ComputeServer, faults: list[Fault], state: SourceState, words: list[str]
) -> None:
    gce.instance("n1", ip="10.0.0.11")
    gce.fail(INSTANCES, *faults)
    message = said(observe(named()), state)
    for word in words:
        assert word in message
    assert gce.count()[INSTANCES] == len(faults), "no more attempts than needed"


def test_a_server_that_keeps_silent_is_given_up(gce: ComputeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gce_project, "_READ_TIMEOUT_S", 0.2)
    gce.fail(INSTANCES, *[Fault(hang=5)] * 3)
    assert "no answer came in time" in said(observe(named()), SourceState.UNAVAILABLE)


def test_reads_are_tried_again_when_the_service_stumbles(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    gce.fail(INSTANCES, BROKEN, DROPPED)
    (view,) = observe(named())
    assert view.source.state is SourceState.OK


def test_a_page_that_fails_makes_the_whole_list_unread(gce: ComputeServer) -> None:
    gce.network(ranges=("10.0.0.0/16",))
    for number in range(501):
        gce.instance(f"n{number}", ip=f"10.0.{number // 250}.{number % 250 + 2}")
    gce.fail(INSTANCES, Fault(status=200, body='{"nextPageToken": "next", "items": {}}'), FORBIDDEN)
    said(observe(named()), SourceState.DENIED)


def test_a_list_that_never_ends_is_given_up(gce: ComputeServer) -> None:
    gce.fail(INSTANCES, *[Fault(status=200, body='{"nextPageToken": "next", "items": {}}')] * 9)
    assert "same page" in said(observe(named()), SourceState.UNAVAILABLE)


def test_a_project_that_does_not_exist_is_named(gce: ComputeServer) -> None:
    assert "no project nowhere" in said(observe(named(project="nowhere")), SourceState.DENIED)


def test_one_project_fails_alone(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    views = observe(named(project="nowhere"), named())
    assert {view.source.name: view.source.state for view in views} == {
        "gce:nowhere": SourceState.DENIED,
        "gce:p": SourceState.OK,
    }


@pytest.mark.parametrize("method", [ROUTES, SUBNETWORKS])
def test_what_can_be_read_stands_beside_what_cannot(gce: ComputeServer, method: str) -> None:
    gce.instance("n1", ip="10.0.0.11")
    gce.fail(method, FORBIDDEN)
    (view,) = observe(named())
    assert view.source.state is SourceState.DENIED
    assert view.source.observed_at is not None
    assert len(view.instances or ()) == 1
    assert (view.route_tables is None) is (method == ROUTES)
    assert (view.subnets is None) is (method == SUBNETWORKS)


def test_routes_listed_in_part_make_the_view_incomplete(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    gce.fail(ROUTES, Fault(status=200, body='{"items": [], "warning": {"code": "PARTIAL_SUCCESS"}}'))
    (view,) = observe(named())
    assert (view.complete, view.source.state) == (False, SourceState.UNAVAILABLE)
    assert "PARTIAL_SUCCESS" in (view.source.message or "")


def test_a_token_that_expires_on_the_way_is_renewed(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    reader = GceReader(CloudOptions())
    reader.observe([named()])
    gce.expire_tokens()
    (view,) = reader.observe([named()])
    assert view.source.state is SourceState.OK


def test_a_login_that_is_over_says_how_to_renew_it_and_a_new_one_is_seen(gce: ComputeServer) -> None:
    gce.instance("n1", ip="10.0.0.11")
    gce.refuse_tokens(told="Token has been expired or revoked.")
    reader = GceReader(CloudOptions())
    message = said(reader.observe([named()]), SourceState.DENIED)
    assert "expired" in message
    assert "gcloud auth application-default login" in message
    gce.token_error = None
    (view,) = reader.observe([named()])
    assert view.source.state is SourceState.OK


def test_a_token_endpoint_that_is_broken_is_no_matter_of_rights(gce: ComputeServer) -> None:
    gce.refuse_tokens(503, error="", told="")
    for answer in ({}, {"error": "internal_failure", "error_description": "<html>"}):
        gce.token_error = (503, answer)
        said(observe(named()), SourceState.UNAVAILABLE)


def test_without_credentials_it_is_said_how_to_get_some(gce: ComputeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CREDENTIALS)
    _no_metadata_server(monkeypatch)
    message = said(observe(named()), SourceState.DENIED)
    assert "no Application Default Credentials" in message
    assert "gcloud auth application-default login" in message
    assert not gce.requests


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        "[]",
        '"text"',
        "{}",
        '{"type": "odd"}',
        '{"type": "authorized_user"}',
        '{"type": "service_account"}',
    ],
)
def test_a_credentials_file_that_is_none_is_named(
    gce: ComputeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "mine.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(CREDENTIALS, str(path))
    _no_metadata_server(monkeypatch)
    message = said(observe(named()), SourceState.DENIED)
    assert "mine.json" in message
    assert CREDENTIALS in message
    assert "object" not in message, "no words of a programming language"
    assert not gce.requests


def test_a_credentials_file_that_cannot_be_opened_is_named(
    gce: ComputeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "folder.json").mkdir()
    monkeypatch.setenv(CREDENTIALS, str(tmp_path / "folder.json"))
    assert "folder.json" in said(observe(named()), SourceState.DENIED)
    assert not gce.requests


def test_the_login_of_gcloud_is_used_and_told_when_it_is_garbled(
    gce: ComputeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usual = tmp_path / "gcloud" / "application_default_credentials.json"
    usual.parent.mkdir(exist_ok=True)
    usual.write_text(Path(_environment(CREDENTIALS)).read_text())
    monkeypatch.delenv(CREDENTIALS)
    gce.instance("n1", ip="10.0.0.11")
    (view,) = observe(named())
    assert view.source.state is SourceState.OK
    usual.write_text("{")
    assert str(usual.name) in said(observe(named()), SourceState.DENIED)


def test_a_quota_project_is_sent_along(gce: ComputeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = json.loads(Path(_environment(CREDENTIALS)).read_text())
    (tmp_path / "quota.json").write_text(json.dumps(told | {"quota_project_id": "payer"}))
    monkeypatch.setenv(CREDENTIALS, str(tmp_path / "quota.json"))
    gce.instance("n1", ip="10.0.0.11")
    reader = GceReader(CloudOptions())
    (view,) = reader.observe([named()])
    assert view.source.state is SourceState.OK
    assert reader._api._opened().credentials.quota_project_id == "payer"


def test_a_netrc_file_does_not_replace_the_token(gce: ComputeServer) -> None:
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    gce.instance("n1", ip="10.0.0.11")
    (view,) = observe(named())
    assert view.source.state is SourceState.OK


@pytest.mark.parametrize("tail", ["", "/", "/compute/v1", "/compute/v1/"])
def test_the_endpoint_may_be_written_as_for_gcloud_or_as_an_origin(
    gce: ComputeServer, monkeypatch: pytest.MonkeyPatch, tail: str
) -> None:
    monkeypatch.setenv(ENDPOINT, gce.url + tail)
    gce.instance("n1", ip="10.0.0.11")
    (view,) = observe(named())
    assert view.source.state is SourceState.OK


@pytest.mark.parametrize(
    ("endpoint", "word"),
    [
        ("http://compute.example/compute/v1/", "unencrypted"),
        ("http://10.0.0.1/compute/v1/", "unencrypted"),
        ("compute.example", "no URL"),
        ("ftp://127.0.0.1/", "no URL"),
        ("https://[::1", "no URL"),
        ("http://127.0.0.1:9/compute/v1/", "cannot be reached"),
    ],
)
def test_an_endpoint_that_cannot_be_one_is_told(
    gce: ComputeServer, monkeypatch: pytest.MonkeyPatch, endpoint: str, word: str
) -> None:
    monkeypatch.setenv(ENDPOINT, endpoint)
    assert word in said(observe(named()), SourceState.UNAVAILABLE)
    assert not gce.requests


def test_a_proxy_that_is_not_there_is_told(gce: ComputeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    gce.instance("n1", ip="10.0.0.11")
    reader = GceReader(CloudOptions())
    reader.observe([named()])
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert "HTTPS_PROXY" in said(reader.observe([named()]), SourceState.UNAVAILABLE)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (FORBIDDEN, Denied),
        (RATE_LIMITED, Throttled),
        (TOO_MANY, Throttled),
        (QUOTA, Unavailable),
        (CUT, Unavailable),
        (Fault(status=404, reason="notFound", message="gone"), NotFound),
        (Fault(status=412, reason="conditionNotMet", message="Constraint constraints/x.y violated"), Unavailable),
    ],
)
def test_reading_a_flag_raises_what_the_port_says(gce: ComputeServer, fault: Fault, error: type[PortError]) -> None:
    path = gce.instance("n1", ip="10.0.0.11")
    gce.fail(GET, fault)
    with pytest.raises(error):
        GceReader(CloudOptions()).read(build.switch_on(subject=path, source="gce:p"))


def _environment(name: str) -> str:
    return os.environ[name]


def _no_metadata_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """google-auth reads NO_GCE_CHECK once, when it is imported."""
    from google.auth.compute_engine import _metadata

    monkeypatch.setattr(_metadata, "_NO_GCE_CHECK", True)
