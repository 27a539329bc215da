"""How a write ends: Azure accepts most of them first and says later what became of them.

What an answer says about that comes in three forms, and any of them may be missing. May import msgspec, the adapter's
own files, the ports and the model only.
"""

import threading
import time
from dataclasses import dataclass
from enum import Enum

import msgspec

from tui.clouds.azure_arm import Answer, ArmApi, decoded
from tui.clouds.azure_refusals import Call, Refusal, refused, retry_after
from tui.model.text import printable
from tui.ports import Conflict, Indeterminate, PortError, Rejected, Throttled, Unavailable

PAUSE_S = 2.0
"""How long to wait between two looks, unless the service asks for longer; the SDK would wait 30 s."""
_LONGEST_PAUSE_S = 10.0
_DEADLINE_S = 120.0

_ENDED_WELL = "succeeded"
_ENDED_BADLY = frozenset({"failed", "canceled", "cancelled"})


class _Properties(msgspec.Struct, rename="camel"):
    provisioning_state: str | None = None


class _Status(msgspec.Struct):
    """What an operation says of itself (``status``), or a resource of its last change."""

    status: str | None = None
    properties: _Properties | None = None

    @property
    def state(self) -> str:
        """The state in lower case; "" when nothing is said."""
        told = self.status or (self.properties.provisioning_state if self.properties is not None else None)
        return (told or "").lower()


class _At(Enum):
    """Where the end of a write is looked for."""

    OPERATION = "its status tells the end"
    PLACE = "the HTTP status tells the end, and the result stands there"
    RESOURCE = "its provisioningState tells the end"


@dataclass(frozen=True, slots=True)
class _Look:
    """One way to look for the end."""

    call: Call
    at: _At


def settle(api: ArmApi, call: Call, answer: Answer) -> None:
    """Wait until the write that was answered so has ended well.

    Raises what the end means, also one that comes with HTTP 200, and ``Indeterminate`` when no end was seen in time or
    none can be looked for. What goes wrong while looking says nothing about the end.
    """
    deadline_s, never = time.monotonic() + _DEADLINE_S, threading.Event()
    look, asked_for = _first_look(api, call, answer), retry_after(answer.headers)
    while look is not None:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            text = f"Azure still works on it after {_DEADLINE_S:g} s"
            raise Indeterminate(f"{call.target} may or may not change yet: {text}")
        never.wait(min(max(PAUSE_S, min(asked_for or 0.0, _LONGEST_PAUSE_S)), left_s))
        try:
            answer = api.call(look.call)
        except (Throttled, Unavailable) as error:
            asked_for = error.retry_after_s if isinstance(error, Throttled) else None
        except (Rejected, Conflict) as error:
            if look.at is _At.PLACE:  # which tells the end of the write by its own HTTP status
                raise
            raise _unfollowed(call, error) from error
        except PortError as error:
            raise _unfollowed(call, error) from error
        else:
            asked_for = retry_after(answer.headers)
            look = _next_look(api, call, look, answer)


def _first_look(api: ArmApi, call: Call, answer: Answer) -> _Look | None:
    """Return where to look after the write's own answer; None when that has told the end already."""
    operation, place = answer.headers.get("Azure-AsyncOperation"), answer.headers.get("Location")
    if operation:
        return _Look(_link(api, call, operation), _At.OPERATION)
    if place:
        return _Look(_link(api, call, place), _At.PLACE)
    if call.method == "PUT":
        return _after_state(call, answer, _Look(_reread(call, answer), _At.RESOURCE))
    if answer.status == 202:
        raise _unfollowed(call, "it says that it works on it, but not where to look")
    return None


def _next_look(api: ArmApi, call: Call, look: _Look, answer: Answer) -> _Look | None:
    """Return where to look after one look; None when the end was seen and is a good one."""
    if answer.status == 202:
        place = answer.headers.get("Location") if look.at is _At.PLACE else None
        return _Look(_link(api, call, place), _At.PLACE) if place else look
    return _after_state(call, answer, look)


def _after_state(call: Call, answer: Answer, look: _Look) -> _Look | None:
    """Return the same look while something is under way, None after a good end. Raises what a bad end means."""
    state = decoded(answer, _Status, call).state if answer.content else ""
    if state in _ENDED_BADLY:
        refusal = Refusal.of_answer(answer.status, answer.headers, answer.content)
        if refusal.codes:
            raise refused(refusal, call)
        raise Rejected(f"the change of {call.target} ended as {state}, and Azure does not say why: look at its log")
    if not state and look.at is _At.OPERATION:
        raise _unfollowed(call, "it does not say how it stands")
    return None if state in {_ENDED_WELL, ""} else look


def _link(api: ArmApi, call: Call, link: str) -> Call:
    """Return the call that looks at a link. Raises ``Indeterminate`` for another host's, which gets no token."""
    if not api.serves(link):
        raise _unfollowed(call, "its answer leads to another host")
    return Call(path=call.path, link=link, permission=call.permission, subject=call.subject, optional=True)


def _reread(call: Call, answer: Answer) -> Call:
    """Return the call that reads the resource again, at the version of the write."""
    return Call(path=call.path, version=answer.version, permission=call.permission, subject=call.subject, optional=True)


def _unfollowed(call: Call, why: object) -> Indeterminate:
    return Indeterminate(
        f"{call.target} may or may not have been changed: its operation cannot be followed ({printable(str(why))})"
    )
