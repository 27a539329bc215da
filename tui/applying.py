"""What apply and undo have in common without a screen: a plan is shown, asked about, applied, and told.

May import engine, ports, model, ``render``, ``render_plan``, ``render_text`` and ``process``.
"""

from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tui.engine.session import Session
from tui.model.plan import ApplyResult, Plan, RunStep, Status
from tui.model.text import printable
from tui.ports import Misconfigured, PortError
from tui.process import Signals, Streams, Unwritable
from tui.render import apply_document, json_text
from tui.render_plan import plan_summary
from tui.render_text import plan_text, result_lines, step_line, text_of, witness_line

NOT_APPLIED = 4
_DECLINED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """How far an apply may go: unasked with ``yes``, which holds for ``max_changes``; ``saved`` is a plan's file."""

    yes: bool = False
    saved: Path | None = None
    max_changes: int

    def asks(self, verb: str, session: Session, streams: Streams) -> bool:
        """Tell whether a person is to be asked. Raises ``Misconfigured`` when nothing may be written."""
        if session.read_only:
            raise Misconfigured(f"{verb} writes, and --read-only forbids it, or the config file for this context")
        if session.protected and (self.yes or not streams.interactive):
            place = printable(session.cluster.context)
            raise Misconfigured(
                f"the context {place} is protected: {verb} wants its name typed, at a terminal, without --yes"
            )
        if self.yes or (self.saved is not None and not streams.interactive):
            return False
        if not streams.interactive:
            ways = "--yes" if verb != "apply" else "--yes or --plan FILE"
            raise Misconfigured(f"{verb} asks before it writes, and there is no terminal to ask on: give {ways}")
        return True


@dataclass(frozen=True, slots=True)
class PlannedApply:
    """A plan on its way to be applied. ``json`` is the form of the result, ``program`` how hints call this program."""

    session: Session
    streams: Streams
    signals: Signals
    plan: Plan
    json: bool
    program: str

    def carry_out(self, *, asks: bool, max_changes: int) -> int | None:
        """Show the plan, ask if wanted, apply it and tell the result.

        Returns the exit code; None when everything was proven to be in place, so that the caller's own judgement
        counts. Raises what the session raises before the first write.
        """
        self.streams.talk(text_of(plan_text(self.plan)))
        if not asks:
            self._refuse_too_many(max_changes)
        elif not self._confirmed(max_changes):
            self.streams.talk("Nothing was changed.")
            return _DECLINED
        result = self._run()
        if result is None:
            return self.signals.code or NOT_APPLIED
        try:
            self._tell(result)
        except Unwritable as error:
            self.streams.talk(f"{error}; the journal has the outcomes")  # what was done is done
        if self.signals.code is not None:
            return self.signals.code
        if not self.json:
            self._tell_witnesses(result)
        return None if result.good else NOT_APPLIED

    # Consent.

    def _refuse_too_many(self, limit: int) -> None:
        number = len(self.plan.changes)
        if number > limit:
            text = f"the plan has {number} changes, more than --max-changes {limit} allows unasked: "
            raise Misconfigured(text + "name fewer nodes, or allow more")

    def _confirmed(self, limit: int) -> bool:
        """Ask, and return whether the answer was yes. Many changes, and deletions, want the context's name."""
        place = printable(self.plan.cluster.context or self.plan.cluster.server)
        if self.session.protected or needs_name(self.plan, limit):
            asked = f"{plan_summary(self.plan)} Type the context's name, {place}, to apply it:"
            return self.streams.ask(asked) == place
        answer = self.streams.ask(f"Apply it to {place}? [y/N]")
        return answer is not None and answer.lower() in {"y", "yes"}

    # The run.

    def _run(self) -> ApplyResult | None:
        """Apply the plan and tell every step. Returns None when it broke off after the first change had begun.

        The apply has a thread of its own: a terminal that stalls cannot hold it up, nor a signal cut a change in two.
        """
        steps: SimpleQueue[RunStep | ApplyResult | PortError | None] = SimpleQueue()

        def stop() -> None:
            self.session.stop_after_current()
            steps.put(None)

        def progressed(step: RunStep) -> None:
            if self.signals.code is not None:  # it may have come before there was anything to stop
                self.session.stop_after_current()
            steps.put(step)

        self.signals.defer(stop)
        try:
            self.session.start_apply(self.plan, progressed, steps.put)
            return self._follow(steps)
        finally:
            self.signals.defer(None)

    def _follow(self, steps: "SimpleQueue[RunStep | ApplyResult | PortError | None]") -> ApplyResult | None:
        """Tell every step until the result is there; None in between says that a signal came."""
        begun = False
        while True:
            step = steps.get()
            if isinstance(step, ApplyResult):
                return step
            if isinstance(step, PortError):
                if not begun:
                    raise step
                self.streams.talk(f"broken off: {printable(str(step))}; the journal has what was done until then")
                return None
            if step is None:
                self.streams.talk("Stopping after the current change ...")
            else:
                begun = True
                self.streams.talk(step_line(step))

    def _tell(self, result: ApplyResult) -> None:
        if self.json:
            self.streams.data(json_text(apply_document(result, self.plan)))
        else:
            self.streams.data(text_of(result_lines(result, self.plan, program=self.program)))

    def _tell_witnesses(self, result: ApplyResult) -> None:
        """Say on stderr what the fabric does with the pod CIDRs, where something was written and a cloud tells it."""
        if any(outcome.status is Status.APPLIED for outcome in result.outcomes):
            for witness in self.session.witness(self.plan, result):
                self.streams.talk(witness_line(witness))


def needs_name(plan: Plan, limit: int) -> bool:
    """Tell whether a single key is too quick an answer for this plan."""
    return len(plan.changes) > limit or plan.destroys
