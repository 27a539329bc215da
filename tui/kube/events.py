"""``NoticeBoard`` over the Events of the core API, which ``kubectl describe node`` shows.

May import the adapter's own files, the ports and the model.
"""

import secrets

from tui.kube.server import ApiServer
from tui.ports import Notice

_EVENTS = "/api/v1/namespaces/default/events"
"""Where the API wants the events of objects that have no namespace."""
_LONGEST_MESSAGE = 1024
"""What the API takes, and refuses one character more."""
_LONGEST_NODE = 253 - 17


class KubeEvents:
    """Writes one Event for each notice; they are not counted together, since each is another change."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    def post(self, notice: Notice) -> None:
        """Create the Event."""
        program, _, host = notice.by.partition("@")
        at = notice.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._server.send(
            "POST",
            _EVENTS,
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": _name(notice.node), "namespace": "default"},
                "involvedObject": {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "name": notice.node,
                    "uid": notice.node_uid,
                },
                "type": "Warning" if notice.warning else "Normal",
                "reason": notice.reason,
                "message": notice.message[:_LONGEST_MESSAGE],
                "source": {"component": program, "host": host},
                "firstTimestamp": at,
                "lastTimestamp": at,
                "count": 1,
                "reportingComponent": program,
                "reportingInstance": host,
            },
        )


def _name(node: str) -> str:
    """Return a name that no other Event has, within the length that the API allows."""
    return f"{node[:_LONGEST_NODE].rstrip('.-')}.{secrets.token_hex(8)}"
