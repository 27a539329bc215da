"""The pages about routes, which Compute Engine and Azure need."""

from tui.model.finding import Code
from tui.pages.page import Page

_STATIC = "Google Cloud: Static routes"
_ORDER = "Google Cloud: Routes"
_AZURE = "Azure: Virtual network traffic routing"
_AZURE_TABLE = "Azure: Create, change, or delete a route table"
_CONTROLLER_MANAGER = "Kubernetes: kube-controller-manager"

PAGES = (
    Page(
        code=Code.ROUTE_MISSING,
        about="no route leads to the node for its pod CIDR",
        fix="yes",
        meaning="The network, or on Azure a route table that serves a subnet with nodes, has no route for exactly this "
        "pod CIDR, or one that holds for VMs of a tag only.",
        effect="The cloud decides by the destination alone and knows no pod address. Whatever route flannel has set "
        "on the nodes, packets for these pods are dropped, or follow a broader route elsewhere.",
        remedy="Creates the one route, after the node's forwarding is on. Other routes stay as they are.",
        recurrence="Every node that joins; somebody who deletes routes, or who writes a whole table from a template "
        "that does not know this one.",
        references=(_STATIC, _AZURE, _AZURE_TABLE),
    ),
    Page(
        code=Code.ROUTE_WRONG_NEXT_HOP,
        about="the route for its pod CIDR leads to another machine",
        fix="yes: replaced",
        meaning="The only route for exactly this pod CIDR leads to something that lives and is not this node.",
        effect="Packets for these pods arrive at a stranger. It drops them, sends them round until they expire, or, "
        "if it has pods with such addresses, takes them.",
        remedy="Replaces the route without a gap. Compute Engine: a better one is added and proven, then the old one "
        "is deleted, which takes room for one more. Azure: changed in place, under its name.",
        recurrence="A pod CIDR that is given on while its old route stands: after a restart the controller manager "
        "starts at the lowest free one. Or a VM that got the address of another.",
        references=(_STATIC, _AZURE, _CONTROLLER_MANAGER),
    ),
    Page(
        code=Code.ROUTE_BLACKHOLE,
        about="the route leads to a machine that is gone or stopped",
        fix="yes: replaced",
        meaning="The only route for exactly this pod CIDR leads to a VM that does not exist or does not run, or to an "
        "address that no VM has.",
        effect="The cloud drops packets for these pods, although the node that has the pod CIDR now is up.",
        remedy="Replaces the route by one to the node, as for route-wrong-next-hop. If the node's own VM is stopped, "
        "start it.",
        recurrence="Clouds keep a route when its VM goes. So each replaced node whose pod CIDR is given on leaves one.",
        references=(_STATIC, _AZURE),
    ),
    Page(
        code=Code.ROUTE_DUPLICATE,
        about="several routes compete for one pod CIDR",
        fix="yes: the wrong ones are deleted",
        meaning="More than one route stands for exactly this pod CIDR, and at least one of them leads elsewhere.",
        effect="The lowest priority number wins. Equal ones share the packets by connection: some work and some do "
        "not, which looks like a flaky application. The finding says which.",
        remedy="Makes sure of a route to the node that wins, then deletes those that lead elsewhere. Each stands in "
        "the plan by name: see whose it is before you confirm.",
        recurrence="Two writers: another tool, a script, an old cluster in the same network; a replacement that was "
        "cut off half-way.",
        references=(_ORDER, _STATIC),
    ),
    Page(
        code=Code.ROUTE_STRAY,
        about="a route in the cluster CIDR belongs to no present node",
        fix="with --prune",
        meaning="Its destination lies inside of the cluster CIDR, and no present node has it. While somebody watches, "
        "the route of a node that left is none as long as its VM runs.",
        effect="None now. Once the range is given to a new node, packets for it follow this route. Until then it "
        "takes room in the quota.",
        remedy="Deletes it, if you ask: plan --prune, or :prune in the console. Never while a list is incomplete, and "
        "not where it leads to something else than a VM.",
        recurrence="Every node that leaves, where nobody deletes its route. If it is another cluster's, the cluster "
        "CIDR is too wide: say --cluster-cidr.",
        references=(_STATIC, _AZURE_TABLE),
    ),
    Page(
        code=Code.ROUTE_SHADOWED,
        about="a more specific route takes part of the pod CIDR away",
        fix="no",
        meaning="A route for a smaller range inside of the pod CIDR leads to something else than the node.",
        effect="The longest prefix wins, whatever the priorities: packets for that part of the pods never see the "
        "node's own route, be it right or not.",
        remedy="Ask its owner what it is for. Then delete it by hand, or move that purpose out of the pod CIDRs. From "
        "here that cannot be told, so no plan touches it.",
        recurrence="A range that is used twice: by a VPN, a peering, another cluster, or containers outside of it.",
        references=(_ORDER, _AZURE),
    ),
    Page(
        code=Code.ROUTE_QUOTA,
        about="the routes that are needed do not fit the limit",
        fix="no",
        meaning="What is missing does not fit into the network's quota (Compute Engine) or the route table (Azure), or "
        "a replacement finds no room for the one route more that it takes.",
        effect="Routes that do not fit are not there, and the pods of those nodes stay out of reach. What stands keeps "
        "working.",
        remedy="Make room: plan --prune for stray routes, a higher limit from the cloud, fewer nodes. For replacements "
        "alone --delete-first does without the room, at the price of a gap of seconds.",
        recurrence="Each node takes a route per pod CIDR, two with IPv6, in every table; an upgrade that adds nodes "
        "before it removes others takes more.",
        references=(
            "Google Cloud: Quotas and limits",
            "Azure: Azure subscription and service limits, quotas, and constraints",
        ),
    ),
    Page(
        code=Code.ROUTE_CONTROLLER_ACTIVE,
        about="Kubernetes' own route controller writes the routes",
        fix="no: they are only reported",
        meaning="A controller manager keeps one route per node and removes those that it does not know. The finding "
        "has the evidence.",
        effect="None by that. But two writers undo each other, and every time leaves a gap: routes are therefore "
        "reported and not written. Forwarding is still fixed.",
        remedy="Mend routes through it: its log and its rights in the cloud tell what fails. Or give it "
        "--configure-cloud-routes=false, and plans have routes in them again.",
        recurrence="An upgrade of the control plane or of the cloud's controller manager: the flag is on by default.",
        references=(
            "Kubernetes: Cloud Controller Manager",
            "Kubernetes: Cloud Controller Manager Administration",
            _CONTROLLER_MANAGER,
        ),
    ),
    Page(
        code=Code.ROUTE_TABLE_MISSING,
        about="Azure: the node's subnet has no route table",
        fix="yes: a table with all routes, then its association",
        meaning="Routes for pod CIDRs stand in route tables, and the subnet of the node is associated with none.",
        effect="What leaves a VM follows the table of its own subnet. Without one, only Azure's system routes hold, "
        "and they drop packets for pods or keep them in the network: this node reaches no other node's pods.",
        remedy="Creates a table that has every node's route, then associates the subnet; or puts a table of ours right "
        "first. All else of the subnet stays. Foreign tables get no further subnets.",
        recurrence="A node pool in a new subnet, or a template that writes the subnet back without its table.",
        references=(_AZURE, _AZURE_TABLE),
    ),
)
