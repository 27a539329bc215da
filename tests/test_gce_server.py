"""What the Compute Engine server for tests promises, the real SDK being one of those who talk to it."""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import google.auth
import pytest
import requests
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.cloud import compute_v1
from google.oauth2.credentials import Credentials

from tests.wire.gce import ZONE, ComputeServer, Nic, fresh_gce, serve_gce  # noqa: F401 - the fixture
from tests.wire.gce_document import deviations
from tests.wire.gce_refusals import CUT, DROPPED, DROPPED_DONE, HALF, HTML, RATE_LIMITED, STUCK, TOO_MANY, Fault

SCOPES = ["https://www.googleapis.com/auth/compute"]
RECORDINGS = Path(os.environ.get("L2BRIDGE_RECORDINGS", Path(__file__).parents[2] / "shared" / "recordings")) / "gce"
NETWORK = "projects/p/global/networks/default"
Json = dict[str, Any]


class Raw:
    """Plain requests with a good token; paths are below the project."""

    def __init__(self, server: ComputeServer) -> None:
        self._start = f"{server.url}/compute/v1/projects/"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {server.token()}"

    def send(self, verb: str, path: str, body: Json | None = None, **query: str) -> requests.Response:
        path = path if path.startswith("projects/") else f"projects/p/{path}"
        url = self._start + path.removeprefix("projects/")
        return self._session.request(verb, url, json=body, params=query, timeout=5)

    def good(self, verb: str, path: str, body: Json | None = None, **query: str) -> Json:
        answer = self.send(verb, path, body, **query)
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told

    def bad(
        self, verb: str, path: str, body: Json | None = None, query: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Return status and reason."""
        answer = self.send(verb, path, body, **(query or {}))
        error = answer.json()["error"]
        assert error["code"] == answer.status_code
        return answer.status_code, error["errors"][0]["reason"]

    def done(self, operation: Json) -> Json:
        """Wait for an operation; return it as it ended."""
        path = operation["selfLink"].partition("/v1/")[2]
        return self.good("POST", f"{path}/wait")


@pytest.fixture
def raw(gce: ComputeServer) -> Raw:
    gce.network("default", ranges=("10.0.0.0/24",))
    return Raw(gce)


def authorized(credentials: object) -> requests.Session:
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call] # google-auth is typed in part


def route(name: str = "r1", destination: str = "10.244.1.0/24", **told: Any) -> Json:
    return {"name": name, "network": NETWORK, "destRange": destination, "priority": 1000, **told}


def hop(instance: str, project: str = "p") -> str:
    return f"projects/{project}/zones/{ZONE}/instances/{instance}"


class TestTheTypedSdk:
    @pytest.fixture
    def options(self, gce: ComputeServer, raw: Raw) -> Iterator[Json]:
        credentials = Credentials(token=gce.token())  # type: ignore[no-untyped-call] # google-auth is typed in part
        yield {"credentials": credentials, "client_options": {"api_endpoint": gce.url}, "transport": "rest"}

    def test_lists_inserts_polls_and_deletes(self, gce: ComputeServer, options: Json) -> None:
        gce.instance("n1", ip="10.0.0.11", forwards=True)
        instances = compute_v1.InstancesClient(**options)
        (listed,) = instances.list(project="p", zone=ZONE)
        assert (listed.name, listed.can_ip_forward, listed.network_interfaces[0].network_i_p) == (
            "n1",
            True,
            "10.0.0.11",
        )
        scopes = {scope: [one.name for one in told.instances] for scope, told in instances.aggregated_list(project="p")}
        assert scopes[f"zones/{ZONE}"] == ["n1"]
        routes = compute_v1.RoutesClient(**options)
        wanted = compute_v1.Route(
            name="r1", network=NETWORK, dest_range="10.244.1.0/24", priority=900, next_hop_instance=hop("n1")
        )
        operation = routes.insert_unary(project="p", route_resource=wanted)
        polls = compute_v1.GlobalOperationsClient(**options)
        seen = [polls.get(project="p", operation=operation.name).status.name for _ in range(2)]
        assert (operation.status.name, seen) == ("PENDING", ["RUNNING", "DONE"])
        assert {one.name: one.priority for one in routes.list(project="p")}["r1"] == 900
        operation = routes.delete_unary(project="p", route="r1")
        assert polls.wait(project="p", operation=operation.name).status.name == "DONE"
        assert "r1" not in gce.routes()

    def test_names_the_reasons_of_refusals(self, gce: ComputeServer, options: Json) -> None:
        gce.deny("p", "compute.routes.list")
        with pytest.raises(exceptions.Forbidden) as refused:
            list(compute_v1.RoutesClient(**options).list(project="p"))
        assert refused.value.errors[0]["reason"] == "forbidden"

    def test_loses_on_the_way_what_its_models_do_not_know(self, gce: ComputeServer, options: Json) -> None:
        gce.instance("n1", extra={"futureField": {"a": 1}, "networkInterfaces": [{"newNicField": "b"}]})
        instances = compute_v1.InstancesClient(**options)
        known = instances.get(project="p", zone=ZONE, instance="n1")
        known.can_ip_forward = True
        operation = instances.update_unary(
            request=compute_v1.UpdateInstanceRequest(
                project="p",
                zone=ZONE,
                instance="n1",
                instance_resource=known,
                most_disruptive_allowed_action="REFRESH",
            )
        )
        compute_v1.ZoneOperationsClient(**options).wait(project="p", zone=ZONE, operation=operation.name)
        after = gce.raw_instance("n1")
        assert after["canIpForward"] is True
        assert "futureField" not in after
        assert "newNicField" not in after["networkInterfaces"][0]


class TestCredentials:
    def test_come_from_the_fixture_and_are_refreshed(self, gce: ComputeServer) -> None:
        credentials, _ = google.auth.default(scopes=SCOPES)
        session = authorized(credentials)
        assert session.get(f"{gce.url}/compute/v1/projects/p").status_code == 200
        gce.expire_tokens()
        assert session.get(f"{gce.url}/compute/v1/projects/p").status_code == 200
        assert gce.count() == {"compute.projects.get": 3}

    def test_can_be_refused_at_the_token_endpoint(self, gce: ComputeServer) -> None:
        gce.refuse_tokens()
        credentials, _ = google.auth.default(scopes=SCOPES)
        with pytest.raises(GoogleAuthError, match="invalid_grant"):
            authorized(credentials).get(f"{gce.url}/compute/v1/projects/p")

    def test_are_asked_for(self, gce: ComputeServer, raw: Raw) -> None:
        gce.expire_tokens()
        assert raw.bad("GET", "global/routes") == (401, "authError")


class TestLists:
    def test_are_cut_into_pages_over_the_scopes(self, gce: ComputeServer, raw: Raw) -> None:
        for number in range(5):
            zone = ZONE if number < 3 else "us-central1-a"
            gce.instance(f"n{number}", zone=zone, ip=f"10.0.0.{number + 10}")
        pages = [raw.good("GET", "aggregated/instances", maxResults="2")]
        while token := pages[-1].get("nextPageToken"):
            pages.append(raw.good("GET", "aggregated/instances", maxResults="2", pageToken=token))
        found = [
            {
                scope: [one["name"] for one in told["instances"]]
                for scope, told in page["items"].items()
                if "instances" in told
            }
            for page in pages
        ]
        assert found == [
            {f"zones/{ZONE}": ["n0", "n1"]},
            {f"zones/{ZONE}": ["n2"], "zones/us-central1-a": ["n3"]},
            {"zones/us-central1-a": ["n4"]},
        ]
        assert pages[0]["items"]["zones/us-central1-a"]["warning"]["code"] == "NO_RESULTS_ON_PAGE"

    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ({"maxResults": "501"}, "invalidParameter"),
            ({"maxResults": "many"}, "invalidParameter"),
            ({"pageToken": "made-up"}, "invalid"),
            ({"unknown": "1"}, "invalidParameter"),
            ({"fields": "items(name"}, "invalidParameter"),
            ({"fields": "items(nom)"}, "invalidParameter"),
            ({"fields": "items/"}, "invalidParameter"),
            ({"fields": "items)"}, "invalidParameter"),
            ({"filter": "name ~ x"}, "invalid"),
        ],
    )
    def test_refuse_what_the_service_does_not_take(self, raw: Raw, query: dict[str, str], reason: str) -> None:
        assert raw.bad("GET", "global/routes", query=query) == (400, reason)

    def test_forget_their_pages(self, gce: ComputeServer, raw: Raw) -> None:
        token = raw.good("GET", "global/routes", maxResults="1")["nextPageToken"]
        gce.expire_pages()
        assert raw.bad("GET", "global/routes", query={"pageToken": token}) == (400, "invalid")

    def test_tell_only_the_fields_that_were_asked_for(self, gce: ComputeServer, raw: Raw) -> None:
        gce.instance("n1", ip="10.0.0.11")
        scope = "items/*/warning/code,items/*/instances(id,name,networkInterfaces(name,networkIP))"
        mask = f"nextPageToken,unreachables,{scope}"
        told = raw.good("GET", "aggregated/instances", fields=mask, returnPartialSuccess="true")
        (instance,) = told["items"][f"zones/{ZONE}"]["instances"]
        assert set(told) == {"items"}
        assert told["items"]["zones/us-central1-a"] == {"warning": {"code": "NO_RESULTS_ON_PAGE"}}
        assert set(instance) == {"id", "name", "networkInterfaces"}
        assert instance["networkInterfaces"] == [{"name": "nic0", "networkIP": "10.0.0.11"}]
        assert set(raw.good("GET", "global/routes", fields="items(name,network)")["items"][0]) == {"name", "network"}

    def test_are_partial_or_fail_where_a_zone_does_not_answer(self, gce: ComputeServer, raw: Raw) -> None:
        gce.instance("n1")
        gce.instance("n2", zone="us-central1-a", ip="10.0.0.3")
        gce.unreachable("us-central1-a")
        assert raw.bad("GET", "aggregated/instances") == (503, "backendError")
        told = raw.good("GET", "aggregated/instances", returnPartialSuccess="true")
        assert told["unreachables"] == ["zones/us-central1-a"]
        assert told["items"]["zones/us-central1-a"]["warning"]["code"] == "UNREACHABLE"
        assert told["items"][f"zones/{ZONE}"]["instances"][0]["name"] == "n1"
        assert raw.bad("GET", "zones/us-central1-a/instances/n2") == (503, "backendError")

    def test_filter_by_equality(self, gce: ComputeServer, raw: Raw) -> None:
        gce.route("r1", "10.244.1.0/24", ip="10.0.0.11")
        for text in ('name = "r1"', "name=r1", "(name eq r.) (destRange = 10.244.1.0/24)"):
            assert [one["name"] for one in raw.good("GET", "global/routes", filter=text)["items"]] == ["r1"]

    def test_tell_networks_subnets_and_quota(self, gce: ComputeServer, raw: Raw) -> None:
        gce.subnetwork("pods", "10.8.0.0/24", secondary={"pods": "10.9.0.0/16"})
        gce.network("old", ranges=("10.240.0.0/16",), legacy=True)
        assert [one["name"] for one in raw.good("GET", "global/networks")["items"]] == ["default", "old"]
        assert raw.good("GET", "global/networks/old")["IPv4Range"] == "10.240.0.0/16"
        assert len(raw.good("GET", "regions/europe-west1/subnetworks")["items"]) == 2
        everything = raw.good("GET", "aggregated/subnetworks")["items"]["regions/europe-west1"]["subnetworks"]
        assert everything[1] == raw.good("GET", "regions/europe-west1/subnetworks/pods")
        quota = {one["metric"]: (one["limit"], one["usage"]) for one in raw.good("GET", "projects/p")["quotas"]}
        assert quota["ROUTES"] == (250, 2)
        names = [one["destRange"] for one in raw.good("GET", "global/routes")["items"] if "nextHopNetwork" in one]
        assert sorted(names) == ["10.0.0.0/24", "10.8.0.0/24", "10.9.0.0/16"]


class TestRoutes:
    @pytest.fixture(autouse=True)
    def with_instances(self, gce: ComputeServer, raw: Raw) -> None:
        gce.instance("n1", ip="10.0.0.11", forwards=True)
        gce.network("default", project="other")
        gce.instance("foreign", project="other")

    @pytest.mark.parametrize(
        ("body", "refusal"),
        [
            (route(name="Upper", nextHopIp="10.0.0.11"), (400, "invalid")),
            (route(name="a" * 64, nextHopIp="10.0.0.11"), (400, "invalid")),
            (route(destination="10.244.1.1/24", nextHopIp="10.0.0.11"), (400, "invalid")),
            (route(destination="10.0.0.128/25", nextHopIp="10.0.0.11"), (400, "invalid")),
            (route(destination="10.0.0.0/24", nextHopIp="10.0.0.11"), (400, "invalid")),
            (route(priority=65536, nextHopIp="10.0.0.11"), (400, "invalid")),
            (route(), (400, "invalidResourceUsage")),
            (route(nextHopIp="10.0.0.11", nextHopInstance=hop("n1")), (400, "invalidResourceUsage")),
            (route(nextHopInstance=hop("nobody")), (404, "notFound")),
            (route(nextHopInstance=hop("foreign", "other")), (400, "invalid")),
            (route(nextHopIp="10.0.0.11") | {"network": "projects/other/global/networks/default"}, (400, "invalid")),
            (route(nextHopIp="10.0.0.11") | {"network": "projects/p/global/networks/none"}, (400, "invalid")),
            (route(nextHopIp="10.0.0.11", unknownField=1), (400, "invalid")),
            (route(nextHopIp="10.0.0.11", priority="high"), (400, "invalid")),
            ({"name": "r1"}, (400, "required")),
        ],
    )
    def test_are_refused_at_once(self, gce: ComputeServer, raw: Raw, body: Json, refusal: tuple[int, str]) -> None:
        assert raw.bad("POST", "global/routes", body) == refusal
        gce.settle()
        assert gce.history == []

    def test_are_unique_by_name_even_before_the_first_is_there(self, raw: Raw) -> None:
        raw.good("POST", "global/routes", route(nextHopIp="10.0.0.11"))
        assert raw.bad("POST", "global/routes", route(nextHopIp="10.0.0.12")) == (409, "alreadyExists")

    def test_become_visible_when_the_operation_is_done(self, gce: ComputeServer, raw: Raw) -> None:
        operation = raw.good("POST", "global/routes", route(nextHopInstance=hop("n1")))
        assert "r1" not in gce.routes()
        assert raw.done(operation)["status"] == "DONE"
        assert gce.routes()["r1"]["nextHopInstance"].startswith("https://www.googleapis.com/compute/v1/projects/p/")
        assert "warnings" not in gce.routes()["r1"]

    def test_warn_as_things_are_now(self, gce: ComputeServer, raw: Raw) -> None:
        def warned(name: str) -> list[str]:
            return [one["code"] for one in raw.good("GET", f"global/routes/{name}").get("warnings", [])]

        gce.network("second", ranges=("10.7.0.0/24",))
        gce.instance("n2", ip="10.0.0.12", extra_nics=[Nic(network="second", ip="10.7.0.2")])
        gce.route("by-ip", "10.244.2.0/24", ip="10.0.0.12")
        gce.route("by-name", "10.244.2.0/24", instance="n2")
        gce.route("elsewhere", "10.244.2.0/24", instance="n1", network="second")
        gce.route("free", "10.244.2.0/24", ip="10.0.0.99")
        gce.route("v6", "fd00:1::/64", instance="n1")
        assert warned("by-ip") == warned("by-name") == ["NEXT_HOP_CANNOT_IP_FORWARD"]
        assert warned("elsewhere") == ["NEXT_HOP_INSTANCE_NOT_ON_NETWORK"]
        assert warned("free") == ["NEXT_HOP_ADDRESS_NOT_ASSIGNED"]
        assert warned("v6") == ["NEXT_HOP_INSTANCE_HAS_NO_IPV6_INTERFACE"]
        gce.edit("n2", canIpForward=True)
        assert warned("by-name") == []
        gce.stop("n2")
        assert warned("by-name") == ["NEXT_HOP_NOT_RUNNING"]
        gce.delete_instance("n2")
        assert (warned("by-name"), warned("by-ip")) == (
            ["NEXT_HOP_INSTANCE_NOT_FOUND"],
            ["NEXT_HOP_ADDRESS_NOT_ASSIGNED"],
        )
        assert [moment.what.split()[1] for moment in gce.history] == ["edits", "edits", "deletes"]

    def test_are_limited_in_number(self, gce: ComputeServer, raw: Raw) -> None:
        gce.use_up_routes()
        ended = raw.done(raw.good("POST", "global/routes", route(nextHopIp="10.0.0.11")))
        assert ended["error"]["errors"][0]["code"] == "QUOTA_EXCEEDED"
        assert "r1" not in gce.routes()
        gce.quota_at("request")
        assert raw.bad("POST", "global/routes", route("r2", nextHopIp="10.0.0.11")) == (403, "quotaExceeded")

    def test_of_subnets_cannot_be_deleted(self, gce: ComputeServer, raw: Raw) -> None:
        (name,) = [name for name, one in gce.routes().items() if "nextHopNetwork" in one]
        assert raw.bad("DELETE", f"global/routes/{name}") == (400, "invalidResourceUsage")
        assert raw.bad("DELETE", "global/routes/none") == (404, "notFound")

    def test_leave_a_history(self, gce: ComputeServer, raw: Raw) -> None:
        raw.done(raw.good("POST", "global/routes", route(nextHopInstance=hop("n1"))))
        raw.done(raw.good("DELETE", "global/routes/r1"))
        assert ["r1" in moment.routes["p"] for moment in gce.history] == [True, False]


class TestOperations:
    @pytest.fixture(autouse=True)
    def with_an_instance(self, gce: ComputeServer, raw: Raw) -> None:
        gce.instance("n1", ip="10.0.0.11", forwards=True)

    def test_are_the_same_for_the_same_request_id(self, gce: ComputeServer, raw: Raw) -> None:
        wanted, request = route(nextHopIp="10.0.0.11"), "0b5c0dbe-6a0f-4c1b-9a5e-1d2f3a4b5c6d"
        first, again = (raw.good("POST", "global/routes", wanted, requestId=request) for _ in range(2))
        assert first["name"] == again["name"]
        raw.done(first)
        assert raw.good("POST", "global/routes", wanted, requestId=request)["status"] == "DONE"
        assert len(gce.history) == 1
        assert raw.bad("POST", "global/routes", wanted, {"requestId": "1b"}) == (400, "invalid")

    def test_take_as_many_polls_as_a_test_wants(self, gce: ComputeServer, raw: Raw) -> None:
        gce.poll_count(2)
        operation = raw.good("POST", "global/routes", route(nextHopIp="10.0.0.11"))
        path = f"global/operations/{operation['name']}"
        assert [raw.good("GET", path)["status"] for _ in range(3)] == ["RUNNING", "RUNNING", "DONE"]

    def test_can_be_stuck_or_end_in_an_error(self, gce: ComputeServer, raw: Raw) -> None:
        failing = Fault(operation_error=("RESOURCE_OPERATION_RATE_EXCEEDED", "Slow down."))
        gce.fail("compute.routes.insert", STUCK, failing)
        assert raw.done(raw.good("POST", "global/routes", route(nextHopIp="10.0.0.11")))["status"] == "RUNNING"
        ended = raw.done(raw.good("POST", "global/routes", route("r2", nextHopIp="10.0.0.11")))
        assert ended["error"]["errors"] == [{"code": "RESOURCE_OPERATION_RATE_EXCEEDED", "message": "Slow down."}]
        assert gce.history == []


class TestUpdates:
    PATH = f"zones/{ZONE}/instances/n1"

    @pytest.fixture(autouse=True)
    def with_an_instance(self, gce: ComputeServer, raw: Raw) -> None:
        extra = {"labels": {"a": "b"}, "futureField": 1, "disks": [{"newDiskField": [1]}]}
        gce.instance("n1", ip="10.0.0.11", extra=extra)

    def test_replace_the_whole_and_keep_what_is_sent(self, gce: ComputeServer, raw: Raw) -> None:
        before = raw.good("GET", self.PATH)
        operation = raw.good("PUT", self.PATH, before | {"canIpForward": True}, mostDisruptiveAllowedAction="REFRESH")
        assert (raw.done(operation)["status"], gce.forwards("n1")) == ("DONE", True)
        after = gce.raw_instance("n1")
        assert after["fingerprint"] != before["fingerprint"]
        assert after == before | {"canIpForward": True, "fingerprint": after["fingerprint"]}

    def test_delete_what_is_not_sent(self, gce: ComputeServer, raw: Raw) -> None:
        body = raw.good("GET", self.PATH)
        del body["labels"], body["futureField"]
        raw.done(raw.good("PUT", self.PATH, body))
        assert {"labels", "futureField"}.isdisjoint(gce.raw_instance("n1"))

    def test_need_the_fingerprint_of_what_is_there(self, gce: ComputeServer, raw: Raw) -> None:
        body = raw.good("GET", self.PATH)
        assert raw.bad("PUT", self.PATH, {**body, "fingerprint": ""}) == (400, "required")
        gce.edit("n1", labels={"c": "d"})
        assert raw.bad("PUT", self.PATH, body) == (412, "conditionNotMet")

    def test_stop_short_of_what_was_not_allowed(self, raw: Raw) -> None:
        body = raw.good("GET", self.PATH)
        body["machineType"] = "zones/z/machineTypes/e2-large"
        for allowed, reason in (("REFRESH", "invalid"), ("ALL", "invalidParameter")):
            assert raw.bad("PUT", self.PATH, body, {"mostDisruptiveAllowedAction": allowed}) == (400, reason)

    def test_wait_until_the_instance_is_ready(self, gce: ComputeServer, raw: Raw) -> None:
        gce.stop("n1", "STOPPING")
        assert raw.bad("PUT", self.PATH, raw.good("GET", self.PATH)) == (400, "resourceNotReady")

    def test_are_of_instances_only(self, raw: Raw) -> None:
        assert raw.bad("PUT", self.PATH, {"fingerprint": "x", "strange": 1}) == (400, "invalid")
        assert raw.bad("PUT", f"zones/{ZONE}/instances/n9", {"fingerprint": "x"}) == (404, "notFound")


class TestFaults:
    def test_come_once_each_and_in_order(self, gce: ComputeServer, raw: Raw) -> None:
        gce.fail("compute.routes.list", RATE_LIMITED, TOO_MANY, times=2)
        answers = [raw.send("GET", "global/routes") for _ in range(5)]
        assert [one.status_code for one in answers] == [403, 429, 403, 429, 200]
        assert answers[1].headers["Retry-After"] == "7"

    def test_cut_close_and_speak_html(self, gce: ComputeServer, raw: Raw) -> None:
        gce.fail("compute.routes.list", CUT, DROPPED, HTML, HALF)
        for _ in range(2):
            with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
                raw.send("GET", "global/routes")
        assert raw.send("GET", "global/routes").text.startswith("<!DOCTYPE html>")
        with pytest.raises(requests.exceptions.JSONDecodeError):
            raw.send("GET", "global/routes").json()

    def test_may_take_effect_all_the_same(self, gce: ComputeServer, raw: Raw) -> None:
        gce.fail("compute.routes.insert", DROPPED_DONE, DROPPED)
        for name in ("r1", "r2"):
            with pytest.raises(requests.ConnectionError):
                raw.send("POST", "global/routes", route(name, nextHopIp="10.0.0.11"))
        assert ("r1" in gce.routes(), "r2" in gce.routes()) == (True, False)

    def test_hang_until_the_server_ends(self) -> None:
        with serve_gce() as server:
            server.fail("compute.routes.list", Fault(hang=60, drop=True))
            raw, ended = Raw(server), threading.Event()

            def ask() -> None:
                with pytest.raises(requests.RequestException):
                    raw.send("GET", "global/routes")
                ended.set()

            thread = threading.Thread(target=ask)
            thread.start()
        thread.join()
        assert ended.is_set()


class TestProjects:
    def test_are_known_by_number_too(self, gce: ComputeServer, raw: Raw) -> None:
        number = gce.world.at("p").number
        template = gce.template("t", forwards=False)
        group = gce.group("g", template=template)
        gce.instance("n1", template=template, group=group)
        items = {one["key"]: one["value"] for one in gce.raw_instance("n1")["metadata"]["items"]}
        assert items["created-by"] == f"projects/{number}/zones/{ZONE}/instanceGroupManagers/g"
        told = raw.good("GET", items["created-by"])
        assert told["instanceTemplate"].endswith("/projects/p/global/instanceTemplates/t")
        assert raw.good("GET", items["instance-template"])["properties"]["canIpForward"] is False

    def test_can_be_unknown_or_closed(self, gce: ComputeServer, raw: Raw) -> None:
        assert raw.bad("GET", "projects/nowhere/global/routes") == (404, "notFound")
        gce.deny("p", "compute.routes.create")
        assert raw.bad("POST", "global/routes", route(nextHopIp="10.0.0.11")) == (403, "forbidden")

    def test_are_told_under_any_host(self, gce: ComputeServer, raw: Raw) -> None:
        gce.prefix = "https://compute.example.org/compute/v1/"
        gce.instance("n1")
        told = raw.good("GET", f"zones/{ZONE}/instances/n1")
        assert told["selfLink"] == f"https://compute.example.org/compute/v1/projects/p/zones/{ZONE}/instances/n1"

    def test_have_calls_that_this_program_has_no_reason_for(self, gce: ComputeServer, raw: Raw) -> None:
        gce.instance("n1")
        assert raw.bad("DELETE", f"zones/{ZONE}/instances/n1") == (501, "notImplemented")
        assert raw.bad("GET", "global/rubbish") == (404, "notFound")


@pytest.mark.parametrize(
    ("name", "schema"), [("instances-aggregated-list", "InstanceAggregatedList"), ("routes-list", "RouteList")]
)
def test_recorded_answers_are_as_the_document_says(name: str, schema: str) -> None:
    path = RECORDINGS / f"{name}.json"
    if not path.exists():
        pytest.skip(f"the recording gce/{path.name} is absent (L2BRIDGE_RECORDINGS names its folder)")
    body = json.loads(path.read_text())["body"]
    assert list(deviations(body, schema)) == []
    body["strange"] = body["kind"]
    assert list(deviations(body, schema)) == ["$: unknown strange"]


def test_what_is_told_of_things_is_what_is_recorded_of_them(gce: ComputeServer, raw: Raw) -> None:
    path = RECORDINGS / "instances-aggregated-list.json"
    if not path.exists():
        pytest.skip(f"the recording gce/{path.name} is absent (L2BRIDGE_RECORDINGS names its folder)")
    gce.instance("n1", tags=("web",))
    told = raw.good("GET", "aggregated/instances")["items"][f"zones/{ZONE}"]["instances"][0]
    recorded = json.loads(path.read_text())["body"]["items"]
    for instance in (one for scope in recorded.values() for one in scope.get("instances", [])):
        assert set(instance) - set(told) <= {"lastStartTimestamp", "lastStopTimestamp", "labels"}
        assert set(instance["networkInterfaces"][0]) - set(told["networkInterfaces"][0]) <= {"accessConfigs"}


def test_answers_are_compressed_for_those_who_take_it(raw: Raw) -> None:
    assert raw.send("GET", "global/routes").headers["Content-Encoding"] == "gzip"


def test_an_answer_that_is_not_as_the_document_says_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="misspelt"), serve_gce() as server:
        server.network("default")
        server.route("r1", "10.244.1.0/24", ip="10.0.0.2", extra={"misspelt": 1})
        Raw(server).good("GET", "global/routes")
