"""Changes as Compute Engine takes them: the body of a new route, and every change as a line for ``gcloud``.

May import the adapter's names and objects, the ports and the model only.
"""

import shlex
from typing import Any, assert_never

from tui.clouds.gce_names import name_of, project_of
from tui.clouds.gce_objects import FLAG
from tui.model.change import (
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    SetForwarding,
)
from tui.model.network import NextHop, NextHopKind
from tui.model.text import printable
from tui.ports import Rejected

NO_TABLES = "Compute Engine has one table of routes per network: there is none to make or to attach"
_OTHER_HOPS = {"gateways": "nextHopGateway", "vpnTunnels": "nextHopVpnTunnel", "forwardingRules": "nextHopIlb"}
"""How a route names what it leads to, by the collection that its next hop is in."""
_HOP_OPTIONS = {"gateways": "gateway", "vpnTunnels": "vpn-tunnel", "forwardingRules": "ilb"}


def route_body(change: CreateRoute) -> dict[str, Any]:
    """Return what ``routes.insert`` takes. Raises ``Rejected`` for a next hop that cannot be named."""
    route = change.after
    body: dict[str, Any] = {
        "name": route.name,
        "network": change.table,
        "destRange": str(route.destination),
        "description": route.description,
        **_hop_field(route.next_hop),
    }
    if route.priority is not None:
        body["priority"] = route.priority
    if route.tags:
        body["tags"] = sorted(route.tags)
    return body


def _hop_field(hop: NextHop) -> dict[str, str]:
    if hop.kind is NextHopKind.INSTANCE and hop.instance_key is not None:
        project, zone, name = hop.instance_key.split("/")
        return {"nextHopInstance": f"projects/{project}/zones/{zone}/instances/{name}"}
    if hop.kind is NextHopKind.ADDRESS and hop.address is not None:
        return {"nextHopIp": str(hop.address)}
    collection = hop.text.split("/")[-2] if "/" in hop.text else ""
    if collection not in _OTHER_HOPS:
        raise Rejected(f"a route to {printable(hop.text)} cannot be made here: make it where it came from")
    return {_OTHER_HOPS[collection]: hop.text}


def command(change: Change) -> str:
    """Return one step of a change for a POSIX shell."""
    match change:
        case SetForwarding():
            return _forwarding(change)
        case CreateRoute():
            return _creation(change)
        case DeleteRoute():
            words = ["gcloud", "compute", "routes", "delete", change.before.name, _project(change), "--quiet"]
            return shlex.join([printable(word) for word in words])
        case ReplaceRoute():
            raise Rejected("Compute Engine cannot change a route in place: add the new one, then delete the old one")
        case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            raise Rejected(NO_TABLES)
        case _:
            assert_never(change)


def _forwarding(change: SetForwarding) -> str:
    """``gcloud`` has no flag for an existing VM: export it, change one line, and put it back with its fingerprint.

    Lines of metadata values are indented in the export, so that none of them can be taken for the flag.
    """
    words = change.subject.split("/")
    project, zone, name = (words[1], words[3], words[5]) if len(words) == 6 else ("", "", change.subject)
    target = shlex.join([printable(word) for word in (name, f"--project={project}", f"--zone={zone}", "--quiet")])
    return (
        f"{{ echo '{FLAG}: {str(change.after).lower()}';"
        f" gcloud compute instances export {target} | grep -v '^{FLAG}:'; }}"
        f" | gcloud compute instances update-from-file {target} --most-disruptive-allowed-action=REFRESH"
    )


def _project(change: CreateRoute | DeleteRoute) -> str:
    return f"--project={project_of(change.subject)}"


def _creation(change: CreateRoute) -> str:
    route = change.after
    words = [
        *("gcloud", "compute", "routes", "create", route.name, _project(change)),
        f"--network={name_of(change.table)}",
        f"--destination-range={route.destination}",
        *([] if route.priority is None else [f"--priority={route.priority}"]),
        *_hop_options(route.next_hop),
        *([f"--description={route.description}"] if route.description else []),
        *([f"--tags={','.join(sorted(route.tags))}"] if route.tags else []),
        "--quiet",
    ]
    return shlex.join([printable(word) for word in words])


def _hop_options(hop: NextHop) -> list[str]:
    if hop.instance_key is not None:
        _, zone, name = hop.instance_key.split("/")
        return [f"--next-hop-instance={name}", f"--next-hop-instance-zone={zone}"]
    if hop.address is not None:
        return [f"--next-hop-address={hop.address}"]
    collection = hop.text.split("/")[-2] if "/" in hop.text else ""
    value = name_of(hop.text) if collection == "gateways" else hop.text
    return [f"--next-hop-{_HOP_OPTIONS.get(collection, 'gateway')}={value}"]
