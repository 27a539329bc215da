"""Compute Engine's answer about a few nodes alone: their VMs, and the routes for their pod CIDRs.

May import the adapter's own files, the ports and the model only.
"""

from collections.abc import Sequence

from tui.clouds import gce_objects as objects
from tui.clouds.gce_lists import instances_call, routes_call
from tui.clouds.gce_names import Names, name_of, project_of
from tui.clouds.gce_project import ComputeApi
from tui.clouds.gce_templates import with_cautions
from tui.model.glance import Glance
from tui.model.network import Instance, Route
from tui.model.node import Cloud, IPNetwork, Node
from tui.model.placing import placed


def glance(api: ComputeApi, nodes: Sequence[Node]) -> tuple[Glance, ...] | None:
    """Return one glance per project with these nodes' VMs or the routes of their networks; ordered by name.

    None where a few nodes cannot be told apart from the rest. Raises ``Denied``, ``Throttled``, ``Unavailable``.
    """
    members: dict[str, list[Node]] = {}
    for node in nodes:
        project = node.provider_id.account if node.provider_id.cloud is Cloud.GCE else None
        if project is None or project.isdecimal():
            return None
        members.setdefault(project, []).append(node)
    found: dict[str, Glance] = {}
    networks: dict[str, list[Node]] = {}
    for project, own in members.items():
        instances = _instances(api, project, own)
        if instances is None:
            return None
        asked = dict.fromkeys(node.provider_id.key or "" for node in own)
        told: dict[str, Instance | None] = {**asked, **{one.key: one for one in instances if one.key in asked}}
        found[project] = Glance(source=f"gce:{project}", node_uids=_uids(own), instances=told)
        for node, interface in placed(Cloud.GCE, own, instances):
            networks.setdefault(interface.network, []).append(node)
    for host in {project_of(network) for network in networks}:
        hosted = {network: users for network, users in networks.items() if project_of(network) == host}
        routes = _routes(api, host, hosted)
        if routes is None:
            return None
        cidrs = frozenset(cidr for users in hosted.values() for node in users for cidr in node.pod_cidrs)
        known = found.get(host)
        found[host] = Glance(
            source=f"gce:{host}",
            node_uids=frozenset() if known is None else known.node_uids,
            routed_uids=frozenset[str]().union(*map(_uids, hosted.values())) if known is None else frozenset(),
            instances={} if known is None else known.instances,
            pod_cidrs=cidrs,
            routes=routes,
        )
    return tuple(found[project] for project in sorted(found))


def _instances(api: ComputeApi, project: str, nodes: Sequence[Node]) -> tuple[Instance, ...] | None:
    """Return the VMs of these names in any zone; None where the answer is in part or calls projects otherwise."""
    names = {name_of(node.provider_id.key or "") for node in nodes}
    pages = list(api.pages(instances_call(project, names), objects.InstancePage))
    items = [item for page in pages for scope in page.items.values() for item in scope.instances]
    if any(map(list, map(objects.gaps, pages))) or any(map(str.isdecimal, objects.projects_named(items))):
        return None
    instances = objects.instances_of(items, Names(home=project))
    off = {
        interface.switch.subject
        for node, interface in placed(Cloud.GCE, nodes, instances)
        if interface.forwards is False and not all(interface.owns(cidr) for cidr in node.pod_cidrs)
    }
    return with_cautions(api, project, instances, off) if off else instances


def _routes(api: ComputeApi, host: str, networks: dict[str, list[Node]]) -> dict[str, tuple[Route, ...]] | None:
    """Return, by network, the routes for exactly the pod CIDRs of the nodes in these networks; None as above."""
    cidrs: set[IPNetwork] = {cidr for users in networks.values() for node in users for cidr in node.pod_cidrs}
    if not cidrs:
        return {}
    pages = list(api.pages(routes_call(host, "", sorted(map(str, cidrs))), objects.RoutePage))
    if any(map(list, map(objects.gaps, pages))):
        return None
    items = [item for page in pages for item in page.items]
    return {
        network: objects.routes_of(
            (item for item in items if name_of(item.network) == name_of(network)), Names(home=host)
        )
        for network in networks
    }


def _uids(nodes: Sequence[Node]) -> frozenset[str]:
    return frozenset(node.uid for node in nodes)
