"""The route tables that were read, and the nodes that follow each: those in the subnets that use it.

Standard library only.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tui.model.controller import ROUTED
from tui.model.finding import Report
from tui.model.network import RouteTable
from tui.model.node import Cloud
from tui.model.snapshot import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A table with those who follow it: how many nodes, by the id of their subnet, else of their network."""

    table: RouteTable
    cloud: Cloud
    source: Source
    followers: Mapping[str, int]


def places_of(report: Report) -> dict[str, Place]:
    """Return the tables that were read, each once, as the judgement took them."""
    networks: defaultdict[tuple[Cloud, str], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    subnets: defaultdict[str, int] = defaultdict(int)
    tables: dict[str, str] = {}
    for assessment in report.assessments:
        interface = assessment.placement.interface
        if interface is None or assessment.node.encapsulated or assessment.cloud not in ROUTED:
            continue
        networks[assessment.cloud, interface.network][interface.subnet or interface.network] += 1
        if interface.subnet is not None:
            subnets[interface.subnet] += 1
            if assessment.subnet is not None and assessment.subnet.route_table is not None:
                tables[interface.subnet] = assessment.subnet.route_table
    attached: defaultdict[str, list[str]] = defaultdict(list)
    for subnet, table in tables.items():
        attached[table].append(subnet)
    places: dict[str, Place] = {}
    for view in report.snapshot.views:
        for held in (view.route_tables or ()) if view.cloud in ROUTED else ():
            if held.subnets is None:
                followers: Mapping[str, int] = networks.get((view.cloud, held.network or ""), {})
            else:
                named = (subnet for subnet in held.subnets if tables.get(subnet, held.id) == held.id)
                followers = {s: subnets[s] for s in dict.fromkeys((*named, *attached[held.id])) if s in subnets}
            made = Place(table=held, cloud=view.cloud, source=view.source, followers=followers)
            places.setdefault(held.id, made)
    return places
