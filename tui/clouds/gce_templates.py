"""Managed instance groups that will undo a switched flag, because the template of their VMs has it off.

Asked only about VMs of nodes whose flag is off, in a bounded number of calls, and only as far as it is allowed: that
nothing is said proves nothing. May import msgspec, the adapter's own files, the ports and the model only.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import msgspec

from tui.clouds.gce_names import Names, name_of
from tui.clouds.gce_objects import FLAG
from tui.clouds.gce_project import ComputeApi
from tui.clouds.gce_refusals import Call
from tui.model.network import Instance
from tui.model.text import printable
from tui.ports import PortError

_AT_ONCE = 50
_AT_MOST = 100
"""How many VMs are asked about. Their metadata, which holds whole scripts, cannot be asked for in part."""
_CREATED_BY, _TEMPLATE = "created-by", "instance-template"
_GROUP = re.compile(r"projects/[^/]+/(?:zones|regions)/[^/]+/instanceGroupManagers/[^/]+")
_PATH_OF_TEMPLATE = re.compile(r"projects/[^/]+/(?:global|regions/[^/]+)/instanceTemplates/[^/]+")


class _Entry(msgspec.Struct):
    key: str = ""
    value: str = ""


class _Metadata(msgspec.Struct):
    items: list[_Entry] = []


class _Machine(msgspec.Struct):
    name: str = ""
    zone: str = ""
    metadata: _Metadata | None = None


class _Scope(msgspec.Struct):
    instances: list[_Machine] = []


class _Machines(msgspec.Struct, rename="camel"):
    items: dict[str, _Scope] = {}
    next_page_token: str = ""


class _Group(msgspec.Struct, rename="camel"):
    instance_template: str = ""


class _Properties(msgspec.Struct, rename="camel"):
    can_ip_forward: bool = False


class _Template(msgspec.Struct):
    properties: _Properties


def with_cautions(
    api: ComputeApi, project: str, instances: Sequence[Instance], off: Iterable[str]
) -> tuple[Instance, ...]:
    """Return the instances, those whose group will undo a switch with a caution. ``off`` are ids."""
    wanted = sorted(off)[:_AT_MOST]
    told: dict[str, str] = {}
    try:
        groups = dict(_groups(api, project, wanted))
        for group, template in sorted(set(groups.values())):
            caution = _caution(api, group, template)
            told |= {id_: caution for id_, made_by in groups.items() if caution and made_by == (group, template)}
    except PortError:
        return tuple(instances)
    return tuple(_cautioned(instance, told.get(instance.id)) for instance in instances)


def _groups(api: ComputeApi, project: str, ids: Sequence[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield, by VM, its group and the template that it was made from; those of no group are left out."""
    names = Names(home=project)
    wanted = set(ids)
    for start in range(0, len(ids), _AT_ONCE):
        batch = "|".join(sorted({name_of(id_) for id_ in ids[start : start + _AT_ONCE]}))
        query = {
            "filter": f'name eq "({batch})"',
            "maxResults": "500",
            "returnPartialSuccess": "true",
            "fields": "nextPageToken,items/*/instances(name,zone,metadata/items(key,value))",
        }
        path = f"projects/{project}/aggregated/instances"
        page = api.one(Call(path=path, permission="compute.instances.list", query=query, optional=True), _Machines)
        for machine in (machine for scope in page.items.values() for machine in scope.instances):
            id_ = f"projects/{project}/zones/{name_of(names.id(machine.zone))}/instances/{machine.name}"
            entries = machine.metadata.items if machine.metadata is not None else []
            told = {entry.key: entry.value for entry in entries if entry.key in {_CREATED_BY, _TEMPLATE}}
            if id_ in wanted and _GROUP.fullmatch(told.get(_CREATED_BY, "")):
                yield id_, (told[_CREATED_BY], told.get(_TEMPLATE, ""))


def _caution(api: ComputeApi, group: str, template: str) -> str | None:
    """Return what to say about VMs of a group; None when its template is right, or cannot be told.

    The group's template of today counts, which may be another one than that which a VM was made from.
    """
    try:
        fields = {"fields": "instanceTemplate"}
        call = Call(
            path=group, permission="compute.instanceGroupManagers.get", query=fields, subject=group, optional=True
        )
        template = Names(home="").id(api.one(call, _Group).instance_template) or template
    except PortError:
        pass  # then the one that the VM was made from is the best that is known
    if not _PATH_OF_TEMPLATE.fullmatch(template):
        return None
    fields = {"fields": f"properties/{FLAG}"}
    call = Call(
        path=template, permission="compute.instanceTemplates.get", query=fields, subject=template, optional=True
    )
    try:
        forwards = api.one(call, _Template).properties.can_ip_forward
    except PortError:
        return None
    if forwards:
        return None
    return (
        f"its managed instance group {printable(name_of(group))} makes VMs from the template "
        f"{printable(name_of(template))}, which has {FLAG} off: change the template, or the flag is off again when "
        "the VM is made anew"
    )


def _lookup(path: str, permission: str, fields: str) -> Call:
    return Call(path=path, permission=permission, query={"fields": fields}, subject=path, optional=True)


def _cautioned(instance: Instance, caution: str | None) -> Instance:
    if caution is None:
        return instance
    interfaces = (replace(one, switch=replace(one.switch, caution=caution)) for one in instance.interfaces)
    return replace(instance, interfaces=tuple(interfaces))
