"""The Kubernetes adapter: ``KubeNodes``, a ``NodeSource`` over the ``kubernetes`` package, which loads on first use."""

from tui.kube.nodes import FLANNEL_CONFIG_MAPS, KubeNodes

__all__ = ["FLANNEL_CONFIG_MAPS", "KubeNodes"]
