"""The changes as a person would type them into each cloud's own command line, quoted for a POSIX shell."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from tui.demo.faults import Call
from tui.model.change import (
    AssociateRouteTable,
    Change,
    CreateRoute,
    CreateRouteTable,
    DeleteRoute,
    DeleteRouteTable,
    ReplaceRoute,
    RouteChange,
    SetForwarding,
    TableChange,
)
from tui.model.network import NextHop, NextHopKind, ReplaceMethod, Route
from tui.model.node import Cloud
from tui.model.text import printable

_OF_KUBERNETES: Mapping[Call, str] = {
    Call.LIST: "kubectl get nodes",
    Call.WATCH: "kubectl get nodes --watch-only",
    Call.FACTS: "kubectl get configmap --namespace kube-flannel kube-flannel-cfg",
    Call.LOCK: "kubectl get lease --namespace kube-system l2bridge-tui",
    Call.PODS: "kubectl get pods --all-namespaces",
    Call.POST: "kubectl create --raw /api/v1/namespaces/default/events -f -",
    Call.IDENTITY: "kubectl auth whoami",
}
_OF_CLOUDS: Mapping[Cloud, str] = {
    Cloud.AWS: "aws ec2 describe-network-interfaces",
    Cloud.GCE: "gcloud compute instances list",
    Cloud.AZURE: "az network nic list",
}
_IDENTITIES: Mapping[Cloud, str] = {
    Cloud.AWS: "aws sts get-caller-identity",
    Cloud.GCE: "gcloud auth list",
    Cloud.AZURE: "az account show",
}


def asked(call: Call, cloud: Cloud | None, subject: str | None = None) -> str:
    """Return what a person would type for a call that only reads; ``subject`` is the one resource that it is about."""
    if cloud is None:
        return _OF_KUBERNETES[call]
    if call is Call.IDENTITY or subject is None:
        return (_IDENTITIES if call is Call.IDENTITY else _OF_CLOUDS).get(cloud, "")
    match cloud:
        case Cloud.AWS:
            return f"{_OF_CLOUDS[cloud]} --network-interface-ids {shlex.quote(subject)}"
        case Cloud.GCE:
            kind = "routes" if "/routes/" in subject else "instances"
            return f"gcloud compute {kind} describe {shlex.quote(subject.rpartition('/')[2])}"
        case _:
            return f"az resource show --ids {shlex.quote(subject)}"


def command(change: Change) -> str:
    """Return one line for ``aws``, ``gcloud`` or ``az``; "" for a change of no cloud, and for a route on EC2."""
    match change:
        case SetForwarding():
            return _set_forwarding(change)
        case CreateRoute() | ReplaceRoute() | DeleteRoute():
            return _route(change)
        case CreateRouteTable() | DeleteRouteTable() | AssociateRouteTable():
            return _az_table(change)
        case _:
            assert_never(change)


def _set_forwarding(change: SetForwarding) -> str:
    match change.cloud:
        case Cloud.AWS:
            return _aws_flag(change)
        case Cloud.GCE:
            return _gcloud_flag(change)
        case Cloud.AZURE:
            flag = ["--ids", change.subject, "--ip-forwarding", _boolean(change.after)]
            return _line("az", "network", "nic", "update", *flag, "--subscription", change.source.partition(":")[2])
        case Cloud.NONE:
            return ""
        case _:
            assert_never(change.cloud)


def _aws_flag(change: SetForwarding) -> str:
    flag = "--no-source-dest-check" if change.after else "--source-dest-check"
    region = change.source.partition(":")[2]
    arguments = ["--region", region, "--network-interface-id", change.subject, flag]
    return shlex.join(["aws", "ec2", "modify-network-interface-attribute", *arguments])


def _gcloud_flag(change: SetForwarding) -> str:
    """``gcloud`` has no flag for an existing VM: export it, change one line, and put it back with its fingerprint."""
    tokens = change.subject.split("/")
    project, zone, name = (tokens[1], tokens[3], "/".join(tokens[5:])) if len(tokens) > 5 else ("", "", change.subject)
    target = _line(name, f"--project={project}", f"--zone={zone}", "--quiet")
    return (
        f"{{ echo 'canIpForward: {_boolean(change.after)}';"
        f" gcloud compute instances export {target} | grep -v '^canIpForward:'; }}"
        f" | gcloud compute instances update-from-file {target} --most-disruptive-allowed-action=REFRESH"
    )


def _route(change: RouteChange) -> str:
    match change.cloud:
        case Cloud.GCE:
            return _gcloud_route(change)
        case Cloud.AZURE:
            return _az_route(change)
        case Cloud.AWS | Cloud.NONE:
            return ""
        case _:
            assert_never(change.cloud)


def _gcloud_route(change: RouteChange) -> str:
    project = f"--project={change.table.split('/')[1]}"
    match change:
        case CreateRoute():
            return _line("gcloud", "compute", "routes", "create", change.after.name, project, *_gcloud_options(change))
        case DeleteRoute():
            return _line("gcloud", "compute", "routes", "delete", change.before.name, project, "--quiet")
        case ReplaceRoute():
            in_place = change.method is ReplaceMethod.IN_PLACE  # which Compute Engine cannot
            steps = (replace(change, method=ReplaceMethod.ADD_THEN_DELETE) if in_place else change).steps()
            return " && ".join(map(command, steps))
        case _:
            assert_never(change)


def _gcloud_options(change: CreateRoute) -> list[str]:
    route = change.after
    return [
        f"--network={change.table.split('/')[-1]}",
        f"--destination-range={route.destination}",
        *([] if route.priority is None else [f"--priority={route.priority}"]),
        *_gcloud_hop(route.next_hop),
        *([f"--description={route.description}"] if route.description else []),
        *([f"--tags={','.join(sorted(route.tags))}"] if route.tags else []),
        "--quiet",
    ]


def _gcloud_hop(hop: NextHop) -> list[str]:
    match hop.kind:
        case NextHopKind.INSTANCE:
            _, zone, name = (hop.instance_key or "//").split("/", 2)
            return [f"--next-hop-instance={name}", f"--next-hop-instance-zone={zone}"]
        case NextHopKind.ADDRESS:
            return [f"--next-hop-address={hop.address}"]
        case NextHopKind.OTHER:
            return [f"--next-hop-gateway={hop.text.rpartition('/')[2]}"]
        case _:
            assert_never(hop.kind)


def _line(*words: str) -> str:
    """Quote what strangers have named for a shell, and for the terminal that it is pasted into."""
    return shlex.join(printable(word) for word in words)


def _az_route(change: RouteChange) -> str:
    match change:
        case CreateRoute():
            return _az("create", change.table, change.after.name, *_az_arguments(change.after))
        case DeleteRoute():
            return _az("delete", change.table, change.before.name)
        case ReplaceRoute() if change.method is ReplaceMethod.IN_PLACE:
            return _az("update", change.table, change.after.name, *_az_arguments(change.after))
        case ReplaceRoute():
            return " && ".join(map(command, change.steps()))
        case _:
            assert_never(change)


def _az(verb: str, table: str, name: str, *arguments: str) -> str:
    scope, table_name = _az_scope(table)
    where = [*scope, "--route-table-name", table_name, "--name", name]
    return _line("az", "network", "route-table", "route", verb, *where, *arguments)


def _az_table(change: TableChange) -> str:
    scope, name = _az_scope(change.subject)
    match change:
        case CreateRouteTable():
            options = ["--location", change.after.region or "", "--disable-bgp-route-propagation", "false"]
            made = _line("az", "network", "route-table", "create", *scope, "--name", name, *options)
            routes = (_az("create", change.subject, one.name, *_az_arguments(one)) for one in change.after.routes)
            return " && ".join([made, *routes])
        case DeleteRouteTable():
            return _line("az", "network", "route-table", "delete", *scope, "--name", name)
        case AssociateRouteTable():
            way = ["--remove", "routeTable"] if change.after is None else ["--route-table", change.after]
            where = [*scope, "--vnet-name", change.subject.split("/")[8], "--name", name]
            return _line("az", "network", "vnet", "subnet", "update", *where, *way)
        case _:
            assert_never(change)


def _az_scope(id_: str) -> tuple[list[str], str]:
    """Return the words for subscription and group of an id, and the resource's name."""
    _, _, subscription, _, group, *_, name = id_.split("/")
    return ["--subscription", subscription, "--resource-group", group], name


def _az_arguments(route: Route) -> list[str]:
    hop = ["--next-hop-type", "VirtualAppliance", "--next-hop-ip-address", str(route.next_hop.address)]
    if route.next_hop.address is None:
        hop = ["--next-hop-type", route.next_hop.text]
    return ["--address-prefix", str(route.destination), *hop]


def _boolean(value: bool) -> str:
    return str(value).lower()
