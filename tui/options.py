"""The one table of options: the command line, environment variables and keys of the config file are all made from it.

May import ``option_values`` only; imported before anything is shown, so it stays light.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tui import option_values as values

PROGRAM = "l2bridge-tui"
THEMES = ("dark", "light", "contrast", "ansi-dark", "ansi-light", "mono")
"""The names that the screen has colours for."""
NODE_COLUMNS = (
    *("state", "node", "os", "pod-cidr", "fwd", "route-l2", "hop", "ip"),
    *("instance", "subnet", "pool", "zone", "version", "since"),
)
"""The names of the node list's columns."""
ROUTE_COLUMNS = ("state", "destination", "node", "next-hop", "table", "whose", "prio", "route")
MAX_CHANGES = 50
LOCK_NAMESPACE = "kube-system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option, wherever it is given. ``name`` is its flag without dashes and its key in the config file.

    ``read`` turns what was given into the value of ``field``, or raises ``ValueError`` with the end of a sentence that
    begins with the option's name. ``metavar`` is None for a switch.
    """

    name: str
    field: str
    read: Callable[[object], object]
    about: str
    metavar: str | None
    repeatable: bool = False
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """How it is written on the command line."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "L2BRIDGE_" + self.name.upper().replace("-", "_")


OPTIONS: tuple[Option, ...] = (
    Option(
        name="kubeconfig",
        field="kubeconfig",
        read=values.text,
        metavar="FILE",
        about="kubeconfig instead of kubectl's",
    ),
    Option(name="context", field="context", read=values.text, metavar="NAME", about="instead of the current context"),
    Option(
        name="protected",
        field="protected",
        read=values.patterns,
        metavar="PATTERN",
        repeatable=True,
        about="contexts whose name must be typed before anything is written",
    ),
    Option(name="read-only", field="read_only", read=values.switch, metavar=None, about="nothing can be changed"),
    Option(
        name="cluster-cidr",
        field="cluster_cidrs",
        read=values.networks,
        metavar="CIDR",
        repeatable=True,
        about="the cluster's pod CIDR, where flannel's configuration cannot be read",
    ),
    Option(
        name="node-subnet",
        field="node_subnets",
        read=values.networks,
        metavar="CIDR",
        repeatable=True,
        about="a layer-2 subnet of nodes that live in no cloud",
    ),
    Option(
        name="cloud",
        field="cloud",
        read=values.cloud,
        metavar="CLOUD",
        choices=values.CLOUDS,
        about="auto, aws, gce, azure or none",
    ),
    Option(
        name="max-changes",
        field="max_changes",
        read=values.count,
        metavar="N",
        about=f"apply no more changes than this unasked (default {MAX_CHANGES})",
    ),
    Option(
        name="force-lock",
        field="force_lock",
        read=values.switch,
        metavar=None,
        about="take the cluster's lock from whoever holds it",
    ),
    Option(
        name="lock-namespace",
        field="lock_namespace",
        read=values.namespace,
        metavar="NAME",
        about=f"where the cluster's lock is kept (default {LOCK_NAMESPACE})",
    ),
    Option(
        name="theme",
        field="theme",
        read=values.one_of(*THEMES),
        metavar="NAME",
        choices=THEMES,
        about=", ".join(THEMES),
    ),
    Option(name="ascii", field="ascii", read=values.switch, metavar=None, about="write ASCII only"),
    Option(
        name="node-columns",
        field="node_columns",
        read=values.some_of(*NODE_COLUMNS),
        metavar="NAME,...",
        about="the node list's columns, in this order",
    ),
    Option(
        name="route-columns",
        field="route_columns",
        read=values.some_of(*ROUTE_COLUMNS),
        metavar="NAME,...",
        about="the route list's columns, in this order",
    ),
    Option(
        name="aws-region",
        field="aws_region",
        read=values.text,
        metavar="REGION",
        about="where EC2 nodes are looked for",
    ),
    Option(name="aws-vpc", field="aws_vpc", read=values.text, metavar="VPC", about="the only VPC that is looked at"),
    Option(
        name="gcp-project",
        field="gcp_project",
        read=values.project,
        metavar="PROJECT",
        about="where Compute Engine nodes are looked for",
    ),
    Option(
        name="azure-subscription",
        field="azure_subscription",
        read=values.subscription,
        metavar="ID",
        about="where Azure nodes are looked for",
    ),
    Option(
        name="azure-resource-group",
        field="azure_resource_groups",
        read=values.resource_groups,
        metavar="NAME",
        repeatable=True,
        about="read this group only, not the whole subscription",
    ),
    Option(
        name="azure-route-table",
        field="azure_route_table",
        read=values.route_table,
        metavar="NAME",
        about="the table for subnets that have none",
    ),
    Option(
        name="log-file",
        field="log_file",
        read=values.path,
        metavar="FILE",
        about="append what the SDKs have to say",
    ),
)
