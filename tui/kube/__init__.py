"""The Kubernetes adapter: one ``ApiServer``, its nodes, its lock and its events.

The ``kubernetes`` package loads with the first request.
"""

from tui.kube.events import KubeEvents
from tui.kube.lease import KubeLock
from tui.kube.nodes import FLANNEL_CONFIG_MAPS, KubeNodes
from tui.kube.server import ApiServer

__all__ = ["FLANNEL_CONFIG_MAPS", "ApiServer", "KubeEvents", "KubeLock", "KubeNodes"]
