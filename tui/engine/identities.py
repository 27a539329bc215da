"""Who acts: the API server and the clouds are asked whom they take this program for.

May import ports, the observer's name for the cluster, and the model.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic

from tui.engine.observer import NODES
from tui.model.node import Cloud
from tui.model.plan import Actor, Plan
from tui.ports import CloudReader, NodeSource, PortError

_PATIENCE_S = 5.0
"""How long the answers may take altogether: a plan without a name is better than none."""

_Answer = tuple[str, str | None]


class Identities:
    """Asks for identities. ``reader`` returns None for a cloud that this version cannot read."""

    def __init__(self, nodes: NodeSource, reader: Callable[[Cloud], CloudReader | None]) -> None:
        self._nodes = nodes
        self._reader = reader

    def signed(self, plan: Plan) -> Plan:
        """Return the plan with everybody who would act in it; what nobody tells in time is None.

        A plan without changes is returned as it is.
        """
        if not plan.changes:
            return plan
        return replace(plan, actors=self.of({(change.source, change.cloud) for change in plan.changes}))

    def of(self, sources: Iterable[tuple[str, Cloud]]) -> tuple[Actor, ...]:
        """Return as whom this program acts on the API server and in these sources, within seconds."""
        questions: dict[str, Callable[[], str | None]] = {NODES: self._nodes.identity}
        for source, cloud in sorted(sources):
            reader = self._reader(cloud)
            if reader is not None:
                questions[source] = partial(reader.identity, source)
        answers: SimpleQueue[_Answer] = SimpleQueue()
        for source, question in questions.items():
            # Daemons: quitting must not wait for an endpoint that does not answer.
            threading.Thread(target=_ask, args=(source, question, answers), name="identity", daemon=True).start()
        told = _gathered(answers, len(questions))
        return tuple(Actor(source=source, identity=told.get(source)) for source in questions)


def _ask(source: str, question: Callable[[], str | None], answers: SimpleQueue[_Answer]) -> None:
    try:
        answers.put((source, question()))
    except PortError:
        answers.put((source, None))


def _gathered(answers: SimpleQueue[_Answer], number: int) -> dict[str, str | None]:
    told: dict[str, str | None] = {}
    deadline_s = monotonic() + _PATIENCE_S
    while len(told) < number:
        try:
            source, identity = answers.get(timeout=max(0.0, deadline_s - monotonic()))
        except Empty:
            break
        told[source] = identity
    return told
