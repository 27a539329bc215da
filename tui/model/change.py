"""Changes: the closed union of what can be written, each with what stood there before and what shall stand after.

Standard library only.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar

from tui.model.network import Disruption, ReplaceMethod, Route, RouteTable
from tui.model.node import Cloud


class Action(StrEnum):
    """What a change does to its subject."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What every change says.

    ``node`` and ``node_uid`` are None for a change about no present node (a stray route). ``source`` is the observing
    source's name, ``subject`` the id of the resource as the cloud's API takes it. ``command`` is the same change for
    the cloud's own command line, "" until a plan is made. ``id`` is unique within a plan, "" outside of one.
    ``findings`` are the codes of what a plan makes it for. ``undo`` when it takes another change back, whatever that
    means for the node.
    """

    node: str | None
    node_uid: str | None
    cloud: Cloud
    source: str
    subject: str
    reason: str
    findings: tuple[str, ...] = ()
    caution: str | None = None
    token: str | None = None
    disruption: Disruption = Disruption.NONE
    depends_on: tuple[str, ...] = ()
    command: str = ""
    id: str = ""
    undo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetForwarding(_Change):
    """Switch the permission to carry foreign packets on the resource ``subject``.

    ``before`` and ``after`` answer "may it forward?"; ``flag`` and ``inverted`` say how the cloud writes that.
    The precondition of the change is that ``before`` still holds and, where the cloud has one, that ``token`` is still
    the resource's concurrency token.
    """

    kind: ClassVar[str] = "forwarding"
    action: ClassVar[Action] = Action.UPDATE

    flag: str
    inverted: bool
    before: bool
    after: bool

    def fields(self, forwards: bool) -> dict[str, bool]:
        """Return the answer to "may it forward?" in the cloud's own words, such as ``{"SourceDestCheck": True}``."""
        return {self.flag: forwards is not self.inverted}

    def inverse(self) -> "SetForwarding":
        """Return the change that puts the flag back, given that nobody has touched it since."""
        turned = replace(self, before=self.after, after=self.before, undo=not self.undo)
        return replace(turned, token=None, caution=None, command="", id="")

    def steps(self) -> tuple["Change", ...]:
        """Return what is written, one proven after the other."""
        return (self,)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RouteChange(_Change):
    """A change of one route of ``table`` (``RouteTable.id``). ``quota`` is the name of the limit it counts against."""

    kind: ClassVar[str] = "route"

    table: str
    quota: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRoute(_RouteChange):
    """Add the route ``after``. Its precondition: there is no route of that name. ``after.token`` is None."""

    action: ClassVar[Action] = Action.CREATE

    after: Route

    @property
    def before(self) -> None:
        """Nothing stood there."""
        return None

    def names(self) -> frozenset[str]:
        """Return the names of the routes that a read around this change is about."""
        return frozenset({self.after.name})

    def inverse(self) -> "DeleteRoute":
        """Return the change that takes the route away again."""
        return DeleteRoute(**_shared(self, undo=not self.undo), before=self.after)

    def steps(self) -> tuple["Change", ...]:
        """Return what is written, one proven after the other."""
        return (self,)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRoute(_RouteChange):
    """Take the route ``before`` away.

    Its precondition: the route of that name is still the same, and ``keeps``, the route that delivers the same packets
    to the right place, is there and leads to something that runs; None when nothing needs these packets delivered. When
    it takes something back, ``keeps`` is what stood there before and need not work.
    """

    action: ClassVar[Action] = Action.DELETE

    before: Route
    keeps: Route | None = None

    @property
    def after(self) -> None:
        """Nothing stands there."""
        return None

    def names(self) -> frozenset[str]:
        """Return the names of the routes that a read around this change is about."""
        return frozenset({self.before.name, *(() if self.keeps is None else (self.keeps.name,))})

    def inverse(self) -> "CreateRoute":
        """Return the change that adds the route again."""
        return CreateRoute(
            **_shared(self, undo=not self.undo), after=replace(self.before, token=None, dead=False, warning=None)
        )

    def steps(self) -> tuple["Change", ...]:
        """Return what is written, one proven after the other."""
        return (self,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceRoute(_RouteChange):
    """Let the route ``after`` take the place of ``before``. ``subject`` is the id of ``after``."""

    action: ClassVar[Action] = Action.REPLACE

    before: Route
    after: Route
    method: ReplaceMethod
    old_subject: str

    def names(self) -> frozenset[str]:
        """Return the names of the routes that a read around this change is about."""
        return frozenset({self.before.name, self.after.name})

    def inverse(self) -> "ReplaceRoute":
        """Return the change that lets the old route take the new one's place."""
        return replace(
            self,
            before=self.after,
            after=replace(self.before, token=None, dead=False, warning=None),
            subject=self.old_subject,
            old_subject=self.subject,
            token=None,
            caution=None,
            depends_on=(),
            command="",
            id="",
            undo=not self.undo,
        )

    def steps(self) -> tuple["Change", ...]:
        """Return what is written, one proven after the other: make before break, unless told otherwise."""
        if self.method is ReplaceMethod.IN_PLACE:
            return (self,)
        shared = _shared(self, undo=self.undo) | {"id": self.id, "depends_on": self.depends_on}
        create = CreateRoute(**shared, after=self.after)
        adds_first = self.method is ReplaceMethod.ADD_THEN_DELETE
        shared["subject"] = self.old_subject
        delete = DeleteRoute(**shared, before=self.before, keeps=self.after if adds_first else None)
        return (create, delete) if adds_first else (delete, create)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRouteTable(_Change):
    """Make the route table ``after`` with all its routes, used by no subnet yet; ``subject`` is its id.

    Its precondition: there is no table of that id. It is about the nodes of a network, so that ``node`` is None.
    """

    kind: ClassVar[str] = "route-table"
    action: ClassVar[Action] = Action.CREATE

    after: RouteTable

    @property
    def before(self) -> None:
        """Nothing stood there."""
        return None

    @property
    def table(self) -> str:
        """The id of the table."""
        return self.after.id

    def inverse(self) -> "DeleteRouteTable":
        """Return the change that takes the table away again."""
        return DeleteRouteTable(**_again(self), before=self.after)

    def steps(self) -> tuple["Change", ...]:
        """Return what is written, one proven after the other."""
        return (self,)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRouteTable(_Change):
    """Take the route table ``before`` away. Its precondition: it has those routes and no others, and no subnet."""

    kind: ClassVar[str] = "route-table"
    action: ClassVar[Action] = Action.DELETE

    before: RouteTable

    @property
    def after(self) -> None:
        """Nothing stands there."""
        return None

    @property
    def table(self) -> str:
        """The id of the table."""
        return self.before.id

    def inverse(self) -> "CreateRouteTable":
        """Return the change that makes the table again."""
        return CreateRouteTable(**_again(self), after=self.before)

    def steps(self) -> tuple["Change", ...]:
        """Return what is written, one proven after the other."""
        return (self,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociateRouteTable(_Change):
    """Let the subnet ``subject`` use the table ``after``, or none again; both are ids of tables.

    Exactly one of ``before`` and ``after`` is None: a subnet is never taken from one table to another. The
    preconditions: the subnet's table is still ``before``, and the table ``after`` has every route of ``needs``, and
    besides these only those of ``beside``, which the subnet's packets will follow as well.
    """

    kind: ClassVar[str] = "subnet-association"
    action: ClassVar[Action] = Action.UPDATE

    before: str | None
    after: str | None
    needs: tuple[Route, ...] = ()
    beside: tuple[Route, ...] = ()

    @property
    def table(self) -> str:
        """The id of the table that the subnet gets or loses."""
        return self.after or self.before or ""

    def inverse(self) -> "AssociateRouteTable":
        """Return the change that restores the subnet."""
        again = _again(self)
        return AssociateRouteTable(**again, before=self.after, after=self.before, needs=self.needs, beside=self.beside)

    def steps(self) -> tuple["Change", ...]:
        """Return what is written, one proven after the other."""
        return (self,)


def _again(change: _Change) -> dict[str, Any]:
    """Return what the inverse of a change of tables has in common with it."""
    names = ("node", "node_uid", "cloud", "source", "subject", "reason", "findings", "disruption")
    return {name: getattr(change, name) for name in names} | {"undo": not change.undo}


def _shared(change: _RouteChange, *, undo: bool) -> dict[str, Any]:
    """Return what another change of the same route has in common with this one."""
    return _again(change) | {"table": change.table, "quota": change.quota, "undo": undo}


RouteChange = CreateRoute | ReplaceRoute | DeleteRoute
TableChange = CreateRouteTable | DeleteRouteTable | AssociateRouteTable
Change = SetForwarding | RouteChange | TableChange
"""The closed union of what can be written. Matches over it end in ``assert_never``."""
