"""What the fabric does with an interface's packets: a question that Azure answers after some seconds.

May import the adapter's own files, the ports and the model only.
"""

import threading
import time

import msgspec

from tui.clouds.azure_arm import Answer, ArmApi, decoded
from tui.clouds.azure_names import ResourceId
from tui.clouds.azure_objects import EffectiveRoutes, effective_routes_of
from tui.clouds.azure_refusals import Call, Refusal, lost, refused, retry_after
from tui.model.network import Route
from tui.model.text import printable
from tui.ports import Rejected

_PERMISSION = "Microsoft.Network/networkInterfaces/effectiveRouteTable/action"
_NIC = "microsoft.network/networkinterfaces"
_DEADLINE_S = 30.0
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 2.0


class _Ended(msgspec.Struct):
    """What an operation that failed says, even with HTTP 200."""

    error: dict[str, object] | None = None


def effective_routes(api: ArmApi, id_: str) -> tuple[Route, ...]:
    """Return the effective routes of an interface.

    Raises ``Denied``, ``NotFound``, ``Throttled``, ``Unavailable``, and ``Rejected`` when Azure cannot tell.
    """
    place = ResourceId.parse(id_)
    if place is None or place.kind != _NIC:
        raise Rejected(f"Azure tells no effective routes of {printable(id_)}: only of interfaces of their own")
    path = f"{place.text}/effectiveRouteTable"
    call = Call(method="POST", path=path, permission=_PERMISSION, subject=place.text, optional=True)
    answer = _awaited(api, call, api.call(call))
    if decoded(answer, _Ended, call).error is not None:
        raise refused(Refusal.of_answer(answer.status, answer.headers, answer.content), call)
    return effective_routes_of(decoded(answer, EffectiveRoutes, call).value or ())


def _awaited(api: ArmApi, call: Call, answer: Answer) -> Answer:
    """Return the answer that has the result: it stands where the first one says, once it is there."""
    deadline_s, never = time.monotonic() + _DEADLINE_S, threading.Event()
    while answer.status == 202:
        link = answer.headers.get("Location")
        if not link:
            raise lost(call, "it says that it works on it, but not where the result will be")
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise lost(call, f"there was no answer within {_DEADLINE_S:g} s")
        asked_for = retry_after(answer.headers)
        pause_s = _PAUSE_S if asked_for is None else min(asked_for, _LONGEST_PAUSE_S)
        never.wait(min(pause_s, left_s))
        looking = Call(path=call.path, link=link, permission=_PERMISSION, subject=call.subject, optional=True)
        following = api.call(looking)
        if following.status == 202 and not following.headers.get("Location"):
            following = Answer(status=202, headers=answer.headers, content=following.content, version=following.version)
        answer = following
    return answer
