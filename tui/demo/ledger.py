"""The routes of one site: as they are, as readers are told for a while after a write, and all that they have been.

May import the model only.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from tui.demo.description import Site
from tui.demo.ids import route_token
from tui.model.network import Route
from tui.model.node import Cloud


class RouteLedger:
    """Routes by name, in the order in which they were made, without those that the cloud itself makes.

    They carry tokens but no warnings, which are for others to judge. ``history`` are all states, oldest first;
    ``limit`` is how many routes a project (Compute Engine) or a table (Azure) may hold.
    """

    def __init__(self, site: Site) -> None:
        self.history: list[tuple[Route, ...]] = [()]
        self.limit = site.route_limit
        self._site = site
        self._routes: dict[str, Route] = {}
        self._revisions: Counter[str] = Counter()
        self._echo: tuple[int, tuple[Route, ...]] | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._routes

    def now(self) -> tuple[Route, ...]:
        """Return the routes as they are."""
        return self.history[-1]

    def told(self) -> tuple[Route, ...]:
        """Return the routes as the next read sees them, and count that read."""
        if self._echo is None:
            return self.now()
        left, old = self._echo
        self._echo = (left - 1, old) if left > 1 else None
        return old

    def put(self, route: Route, echoes: int = 0) -> None:
        """Add the route, or let it take the place of the one of its name; it gets a new token."""
        self._routes.pop(route.name, None)
        self._revisions[route.name] += 1
        self._routes[route.name] = self._stamped(route)
        self._changed(echoes)

    def rewrite(self, routes: Iterable[Route], echoes: int = 0) -> None:
        """Let these be all routes, at once."""
        self._routes = {route.name: self._stamped(route) for route in routes}
        self._changed(echoes)

    def _stamped(self, route: Route) -> Route:
        """Return the route with its token. On Azure all routes of a table have that of the table, which tells none."""
        is_azure = self._site.cloud is Cloud.AZURE
        token = None if is_azure else route_token(self._site, route.name, self._revisions[route.name])
        return replace(route, token=token, dead=False, warning=None)

    def drop(self, name: str, echoes: int = 0) -> None:
        """Take the route away. Raises ``KeyError`` when there is none."""
        del self._routes[name]
        self._changed(echoes)

    def begin(self) -> None:
        """Let the history begin now."""
        del self.history[:-1]

    def _changed(self, echoes: int) -> None:
        """Remember the new state; the next ``echoes`` reads still see the last one."""
        self._echo = (echoes, self.now()) if echoes else None
        self.history.append(tuple(self._routes.values()))
