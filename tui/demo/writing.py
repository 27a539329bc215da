"""What the embedded Compute Engine takes and what it refuses when routes are written.

Whoever uses it holds the world's lock. May import the ports and the model only.
"""

from tui.demo.ids import network_id
from tui.demo.routing import quota, system_routes
from tui.demo.state import SiteState, State
from tui.model.change import CreateRoute, DeleteRoute, RouteChange
from tui.model.network import Route
from tui.model.node import Cloud, contains
from tui.ports import Conflict, NotFound, Rejected


def write_route(state: State, site: SiteState, change: RouteChange, echoes: int) -> None:
    """Make or delete the route; the next ``echoes`` reads still see the old table.

    Raises ``NotFound``, ``Conflict`` and ``Rejected``.
    """
    if site.site.cloud is not Cloud.GCE:
        raise Rejected(f"there are no routes of pod CIDRs in {site.site.source}")
    if change.table != network_id(site.site):
        raise NotFound(f"there is no network {change.table} in {site.site.source}")
    match change:
        case CreateRoute():
            _check(state, site, change.after)
            site.routes.put(change.after, echoes)
        case DeleteRoute():
            name = change.before.name
            if name in {found.name for found in system_routes(site.site)}:
                raise Rejected(f"the route {name} is the cloud's own and cannot be deleted")
            if name not in site.routes:
                raise NotFound(f"there is no route {name}")
            site.routes.drop(name, echoes)
        case _:
            raise Rejected("a route on Compute Engine cannot be changed: add another one, then delete this one")


def _check(state: State, site: SiteState, route: Route) -> None:
    """Raise what Compute Engine refuses the new route with. A next hop that does not run yet is no reason."""
    scope = site.site.scope
    always = tuple(system_routes(site.site))
    if route.name in site.routes or route.name in {found.name for found in always}:
        raise Conflict(f"the route {route.name} exists already")
    hidden = next((found for found in always if found.system and contains(found.destination, route.destination)), None)
    if hidden is not None:
        raise Rejected(f"{route.destination} hides the subnet range {hidden.destination}: give the pods another range")
    key = route.next_hop.instance_key
    if key is not None and not key.startswith(f"{scope}/"):
        raise Rejected(f"the next hop {route.next_hop.text} is not of {scope}: lead the route to its address instead")
    if key is not None and key not in state.reach(site).by_key:
        raise Rejected(f"the next hop {route.next_hop.text} does not exist: plan again")
    limit = quota(site.site, len(site.routes.now()), site.routes.limit)
    if not limit.free:
        raise Rejected(f"{limit.name} is at its limit of {limit.limit}: raise the quota or delete routes")
