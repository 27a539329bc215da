"""What exists in the clouds of a Compute Engine server for tests: projects, networks, instances, routes.

Resources are kept as the service tells them, by their path from ``projects/`` on. The methods that make them are the
owner's view, past every rule of the API; the same object answers what is.
"""

import base64
import copy
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.wire.gce_document import unknown_fields
from tests.wire.gce_refusals import not_found

Json = dict[str, Any]
ZONES = ("europe-west1-b", "europe-west1-c", "europe-west1-d", "us-central1-a", "us-central1-b")
KINDS = ("instances", "networks", "subnetworks", "routes", "instanceTemplates", "instanceGroupManagers")
CREATED = "2026-01-05T01:02:03.456-07:00"


@dataclass(slots=True, kw_only=True)
class Project:
    """One project. ``kinds`` holds its resources by kind and path; ``number`` also names it in URLs."""

    id: str
    number: str
    routes_limit: int
    kinds: dict[str, dict[str, Json]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    denied: set[str] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """All route tables right after something was changed: the routes by project and name, with live warnings."""

    what: str
    routes: Mapping[str, Mapping[str, Json]]


class World:
    """Every project that the server knows."""

    def __init__(self) -> None:
        self.prefix = "https://www.googleapis.com/compute/v1/"
        self.projects: dict[str, Project] = {}
        self.also_allowed: frozenset[tuple[str, str]] = frozenset()
        self._numbers = itertools.count(1000)
        self._ids = itertools.count(4158127351007949610)

    # What is.

    def path(self, url: str) -> str:
        """Return a URL, or a part of one, from ``projects/`` on and with the project's id."""
        _, mark, below = url.rpartition("projects/")
        project, slash, rest = below.partition("/")
        for known in self.projects.values():
            if project == known.number:
                project = known.id
        return f"{mark}{project}{slash}{rest}" if mark else url

    def get(self, path: str) -> Json:
        """Return the resource at a path. Raises ``Refusal``."""
        found = self.find(path)
        if found is None:
            raise not_found(path)
        return found

    def find(self, path: str) -> Json | None:
        path = self.path(path)
        parts = path.split("/")
        project = self.projects.get(parts[1]) if len(parts) > 3 else None
        return project.kinds[parts[-2]].get(path) if project and parts[-2] in KINDS else None

    def at(self, project: str) -> Project:
        """Return a project by id or number. Raises ``Refusal``."""
        for known in self.projects.values():
            if project in {known.id, known.number}:
                return known
        raise not_found(f"projects/{project}")

    def instances(self) -> Iterator[Json]:
        return itertools.chain.from_iterable(one.kinds["instances"].values() for one in self.projects.values())

    def subnetworks(self, network: str) -> list[Json]:
        """Return the subnets of the network at this path."""
        everything = self.projects[network.split("/")[1]].kinds["subnetworks"].values()
        return [one for one in everything if self.path(one["network"]) == network]

    # What the owner makes.

    def project(self, project: str = "p", *, routes_limit: int = 250) -> Project:
        made = self.projects.setdefault(
            project, Project(id=project, number=str(next(self._numbers)), routes_limit=routes_limit)
        )
        made.routes_limit = routes_limit
        return made

    def network(
        self,
        name: str = "default",
        *,
        project: str = "p",
        ranges: Sequence[str] = ("10.0.0.0/16",),
        region: str = "europe-west1",
        legacy: bool = False,
    ) -> str:
        """Make a network with one subnet per range; a legacy one has the first range itself. Return its path."""
        self.ensure(project)
        path = f"projects/{project}/global/networks/{name}"
        body = self._body("network", path)
        if legacy:
            body["IPv4Range"] = ranges[0]
        else:
            body |= {"autoCreateSubnetworks": False, "routingConfig": {"routingMode": "REGIONAL"}, "mtu": 1460}
        self._put(path, body)
        gateway = {"nextHopGateway": f"{self.prefix}projects/{project}/global/gateways/default-internet-gateway"}
        self._default_route(path, "0.0.0.0/0", "Default route to the Internet.", 1000, gateway)
        for number, cidr in enumerate(() if legacy else ranges):
            self.subnetwork(f"{name}-{number}" if number else name, cidr, network=path, region=region)
        return path

    def subnetwork(
        self,
        name: str,
        cidr: str,
        *,
        network: str = "default",
        project: str = "p",
        region: str = "europe-west1",
        secondary: Mapping[str, str] | None = None,
        ipv6: str | None = None,
    ) -> str:
        """Make a subnet in the network's project; return its path. ``secondary`` are ranges by name."""
        network = self.network_path(network, project)
        path = f"projects/{network.split('/')[1]}/regions/{region}/subnetworks/{name}"
        body = self._body("subnetwork", path) | {
            "network": self.prefix + network,
            "ipCidrRange": cidr,
            "gatewayAddress": str(next(ip_network(cidr).hosts())),
            "region": self.prefix + path.rpartition("/subnetworks/")[0],
            "fingerprint": self.fingerprint(path),
            "purpose": "PRIVATE",
            "stackType": "IPV4_IPV6" if ipv6 else "IPV4_ONLY",
            "secondaryIpRanges": [{"rangeName": one, "ipCidrRange": at} for one, at in (secondary or {}).items()],
        }
        if ipv6:
            body["internalIpv6Prefix"] = ipv6
        self._put(path, body)
        for one in (cidr, *(secondary or {}).values(), *((ipv6,) if ipv6 else ())):
            told = f"Default local route to the subnetwork {one}."
            self._default_route(network, one, told, 0, {"nextHopNetwork": self.prefix + network})
        return path

    def template(self, name: str, *, project: str = "p", forwards: bool = False, region: str | None = None) -> str:
        """Make an instance template; return its path."""
        self.ensure(project)
        path = f"projects/{project}/{f'regions/{region}' if region else 'global'}/instanceTemplates/{name}"
        properties = {"machineType": "e2-small", "canIpForward": forwards}
        self._put(path, self._body("instanceTemplate", path) | {"properties": properties})
        return path

    def group(self, name: str, *, template: str, project: str = "p", scope: str = "zones/europe-west1-b") -> str:
        """Make a managed instance group over the template at a path; return its path."""
        path = f"projects/{project}/{scope}/instanceGroupManagers/{name}"
        told = {"instanceTemplate": self.prefix + template, "baseInstanceName": name, "targetSize": 1}
        self._put(path, self._body("instanceGroupManager", path) | told)
        return path

    def add_instance(self, path: str, told: Json, extra: Mapping[str, Any] | None = None) -> None:
        """Keep an instance. ``extra`` is merged in at every depth, and may hold what the document does not know."""
        zone, _, name = path.rpartition("/instances/")
        body = self._body("instance", path) | {
            "zone": self.prefix + zone,
            "machineType": f"{self.prefix}{zone}/machineTypes/e2-small",
            "cpuPlatform": "Intel Broadwell",
            "startRestricted": False,
            "deletionProtection": False,
            "labelFingerprint": "42WmSpB8rSM=",
            "disks": [
                {
                    "kind": "compute#attachedDisk",
                    "type": "PERSISTENT",
                    "mode": "READ_WRITE",
                    "source": f"{self.prefix}{zone}/disks/{name}",
                    "deviceName": name,
                    "index": 0,
                    "boot": True,
                    "autoDelete": True,
                    "interface": "SCSI",
                }
            ],
            "serviceAccounts": [
                {
                    "email": "1000-compute@developer.gserviceaccount.com",
                    "scopes": ["https://www.googleapis.com/auth/devstorage.read_only"],
                }
            ],
            "scheduling": {"onHostMaintenance": "MIGRATE", "automaticRestart": True, "preemptible": False},
            "fingerprint": self.fingerprint(path),
        }
        body = merged(body | told, extra or {})
        self.also_allowed |= unknown_fields(body, "Instance")
        self._put(path, body)

    def add_route(self, project: str, told: Json) -> str:
        """Keep a route as its maker told it; return its path."""
        path = f"projects/{project}/global/routes/{told['name']}"
        body = self._body("route", path) | {"priority": 1000} | told
        for name in ("network", "nextHopInstance", "nextHopGateway", "nextHopNetwork"):
            if name in body:
                body[name] = self.prefix + self.path(body[name])
        self._put(path, body)
        return path

    def network_path(self, network: str, project: str) -> str:
        """Return the path of a network given by name or path, made now if there is none."""
        path = network if network.startswith("projects/") else f"projects/{project}/global/networks/{network}"
        if self.find(path) is None:
            self.network(path.rpartition("/")[2], project=path.split("/")[1])
        return path

    def subnetwork_of(self, network: str, address: str) -> str | None:
        """Return the URL of the network's subnet that holds the address; None on a legacy network."""
        holding = (one for one in self.subnetworks(network) if ip_address(address) in ip_network(one["ipCidrRange"]))
        found = next(holding, None)
        return found["selfLink"] if found else None

    def fingerprint(self, seed: str) -> str:
        """Return a new fingerprint: URL-safe base64 of eight bytes, as the service writes them."""
        digest = hashlib.sha256(f"{seed}{next(self._ids)}".encode()).digest()
        return base64.urlsafe_b64encode(digest[:8]).decode()

    def _body(self, kind: str, path: str) -> Json:
        return {
            "kind": f"compute#{kind}",
            "id": str(next(self._ids)),
            "creationTimestamp": CREATED,
            "name": path.rpartition("/")[2],
            "description": "",
            "selfLink": self.prefix + path,
        }

    def _default_route(self, network: str, cidr: str, told: str, priority: int, hop: Mapping[str, str]) -> None:
        digest = hashlib.sha256(f"{network}{cidr}".encode()).hexdigest()[:16]
        body: Json = {"name": f"default-route-{digest}", "network": network, "destRange": cidr, "priority": priority}
        self.add_route(network.split("/")[1], body | {"description": told, **hop})

    def ensure(self, project: str) -> None:
        """Make the project unless it is there."""
        if project not in self.projects:
            self.project(project)

    def _put(self, path: str, body: Json) -> None:
        self.ensure(path.split("/")[1])
        self.projects[path.split("/")[1]].kinds[path.split("/")[-2]][path] = body


def merged(value: Json, extra: Mapping[str, Any]) -> Json:
    """Return a copy of the value with ``extra`` laid over it: objects by name, arrays by position."""
    made = copy.deepcopy(value)
    for name, one in extra.items():
        made[name] = _laid_over(made.get(name), one)
    return made


def _laid_over(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, Mapping):
        return merged(below, above)
    if isinstance(below, list) and isinstance(above, list):
        pairs: Iterable[tuple[Any, Any]] = itertools.zip_longest(below, above)
        return [_laid_over(one, one if other is None else other) for one, other in pairs]
    return copy.deepcopy(above)
