"""The clouds of a Compute Engine server as their owner sees and changes them, past every rule of the API."""

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from tests.wire.gce_calls import Service
from tests.wire.gce_world import Json, Moment, Project, World

ZONE = "europe-west1-b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """Another interface of an instance. ``alias`` are ranges."""

    network: str
    ip: str
    alias: Sequence[str] = ()
    ipv6: str | None = None


class Owner:
    """What a test does to the clouds. What it makes is answered as a path; ``world`` and ``service`` hold the rest.

    The defaults are project ``p``, zone ``europe-west1-b`` and network ``default``; what is missing is made.
    """

    def __init__(self) -> None:
        self.world = World()
        self.service = Service(self.world)
        self._lock = threading.RLock()

    @property
    def prefix(self) -> str:
        """What the URLs in answers begin with, up to ``projects/``; counts for what is made from now on."""
        return self.world.prefix

    @prefix.setter
    def prefix(self, value: str) -> None:
        self.world.prefix = value

    @property
    def history(self) -> list[Moment]:
        """All route tables after each change, newest last; what only makes things is not noted."""
        return self.service.history

    # The clouds as their owner makes them; each returns the path of what it made.

    def project(self, project: str = "p", *, routes_limit: int = 250) -> Project:
        """Make a project, or give it another limit."""
        return self.world.project(project, routes_limit=routes_limit)

    def network(self, name: str = "default", **told: Any) -> str:
        """Make a network; see ``World.network``: project, ranges (one subnet each), region, legacy."""
        return self.world.network(name, **told)

    def subnetwork(self, name: str, cidr: str, **told: Any) -> str:
        """Make a subnet; see ``World.subnetwork``: network, project, region, secondary, ipv6."""
        return self.world.subnetwork(name, cidr, **told)

    def template(self, name: str, **told: Any) -> str:
        """Make an instance template; see ``World.template``: project, forwards, region."""
        return self.world.template(name, **told)

    def group(self, name: str, **told: Any) -> str:
        """Make a managed instance group; see ``World.group``: template (a path), project, scope."""
        return self.world.group(name, **told)

    def instance(
        self,
        name: str,
        *,
        project: str = "p",
        zone: str = ZONE,
        ip: str = "10.0.0.2",
        network: str = "default",
        forwards: bool = False,
        status: str = "RUNNING",
        alias: Sequence[str] = (),
        tags: Sequence[str] = (),
        extra_nics: Sequence[Nic] = (),
        ipv6: str | None = None,
        template: str | None = None,
        group: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> str:
        """Make a VM. ``network`` is a name in its project or the path of one elsewhere (Shared VPC).

        ``template`` and ``group`` are paths, told in the metadata as the service does. ``extra`` is merged in at every
        depth and may hold fields that the document does not know.
        """
        self.world.ensure(project)
        first = Nic(network=network, ip=ip, alias=alias, ipv6=ipv6)
        nics = [self._nic(number, nic, project) for number, nic in enumerate((first, *extra_nics))]
        number = self.world.at(project).number
        made_by = {"instance-template": template, "created-by": group}
        numbered = {
            key: path.replace(f"projects/{project}/", f"projects/{number}/") for key, path in made_by.items() if path
        }
        metadata: Json = {"kind": "compute#metadata", "fingerprint": "yKr6py6Xll8="}
        if numbered:
            metadata["items"] = [{"key": key, "value": value} for key, value in numbered.items()]
        told: Json = {
            "status": status,
            "canIpForward": forwards,
            "networkInterfaces": nics,
            "metadata": metadata,
            "tags": {"fingerprint": "42WmSpB8rSM="} | ({"items": list(tags)} if tags else {}),
        }
        path = f"projects/{project}/zones/{zone}/instances/{name}"
        with self._lock:
            self.world.add_instance(path, told, extra)
        return path

    def route(
        self,
        name: str,
        destination: str,
        *,
        instance: str | None = None,
        ip: str | None = None,
        gateway: bool = False,
        priority: int = 1000,
        tags: Sequence[str] = (),
        project: str = "p",
        network: str = "default",
        description: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> str:
        """Make a static route, past every rule. ``instance`` is a path, or a name in the project and ``ZONE``."""
        network = self.world.network_path(network, project)
        told: Json = {"name": name, "destRange": destination, "network": network, "priority": priority}
        if instance is not None:
            told["nextHopInstance"] = (
                instance if "/" in instance else f"projects/{project}/zones/{ZONE}/instances/{instance}"
            )
        if ip is not None:
            told["nextHopIp"] = ip
        if gateway:
            told["nextHopGateway"] = f"projects/{project}/global/gateways/default-internet-gateway"
        if tags:
            told["tags"] = list(tags)
        with self._lock:
            return self.world.add_route(project, told | {"description": description} | dict(extra or {}))

    # What others do meanwhile. ``instance`` is a path, or a name that occurs once.

    def stop(self, instance: str, status: str = "TERMINATED") -> None:
        """Give the VM another state."""
        self.edit(instance, status=status)

    def delete_instance(self, instance: str) -> None:
        path = self._find(instance)
        with self._noted(f"owner deletes {path}"):
            del self.world.projects[path.split("/")[1]].kinds["instances"][path]

    def delete_route(self, name: str, *, project: str = "p") -> None:
        with self._noted(f"owner deletes {name}"):
            del self.world.at(project).kinds["routes"][f"projects/{project}/global/routes/{name}"]

    def edit(self, instance: str, **told: Any) -> None:
        """Let somebody else change fields of the VM, which gives it another fingerprint."""
        path = self._find(instance)
        with self._noted(f"owner edits {path}"):
            self.world.get(path).update(told, fingerprint=self.world.fingerprint(path))

    def raw_instance(self, instance: str) -> Json:
        """Return the whole VM as it truly is."""
        return copy.deepcopy(self.world.get(self._find(instance)))

    def forwards(self, instance: str) -> bool:
        """Return ``canIpForward`` as it truly is."""
        return bool(self.world.get(self._find(instance)).get("canIpForward"))

    def routes(self, project: str = "p") -> dict[str, Json]:
        """Return the project's routes by name, with the warnings that hold now."""
        with self._lock:
            return self.service.routes(project)

    def unreachable(self, *zones: str, project: str = "p") -> None:
        """Let these zones not answer any more."""
        self.world.at(project).unreachable.update(zones)

    def deny(self, project: str, *permissions: str) -> None:
        """Take permissions away, such as ``compute.routes.list``."""
        self.world.at(project).denied.update(permissions)

    def settle(self) -> None:
        """Let every operation end that is under way and not stuck."""
        with self._lock:
            self.service.operations.settle()

    def poll_count(self, polls: int) -> None:
        """Let operations that start from now on be seen running so often before they are done (1)."""
        self.service.operations.polls = polls

    def quota_at(self, moment: Literal["operation", "request"]) -> None:
        """Say whether a full table of routes fails the operation (the default) or the request."""
        self.service.quota_at = moment

    def use_up_routes(self, project: str = "p") -> None:
        """Set the project's limit to what is used; subnet routes do not count."""
        self.world.at(project).routes_limit = self.service.used_routes(project)

    def expire_pages(self) -> None:
        """Let every page token expire."""
        self.service.pages.forget()

    def _find(self, instance: str) -> str:
        if "/" in instance:
            return instance
        (found,) = [self.world.path(one["selfLink"]) for one in self.world.instances() if one["name"] == instance]
        return found

    def _nic(self, number: int, nic: Nic, project: str) -> Json:
        network = self.world.network_path(nic.network, project)
        made: Json = {
            "kind": "compute#networkInterface",
            "name": f"nic{number}",
            "network": self.world.prefix + network,
            "networkIP": nic.ip,
            "fingerprint": self.world.fingerprint(nic.ip),
            "stackType": "IPV4_IPV6" if nic.ipv6 else "IPV4_ONLY",
        }
        subnetwork = self.world.subnetwork_of(network, nic.ip)
        if subnetwork:
            made["subnetwork"] = subnetwork
        if nic.ipv6:
            made["ipv6Address"] = nic.ipv6
        if nic.alias:
            made["aliasIpRanges"] = [{"ipCidrRange": one} for one in nic.alias]
        return made

    @contextmanager
    def _noted(self, what: str) -> Iterator[None]:
        with self._lock:
            yield
            self.service.note(what)
