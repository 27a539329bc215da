"""The pages about a node: its VM, its interface, its layer 2, its pod CIDR and its flannel."""

from tui.model.finding import Code
from tui.pages.page import Page

PAGES = (
    Page(
        code=Code.FORWARDING_OFF,
        about="the node's interface may not carry its pods' packets",
        fix="yes",
        meaning="The cloud insists that a packet's address is the VM's own. EC2: the source/destination check of the "
        "interface is on. Compute Engine: canIpForward of the VM is false. Azure: enableIPForwarding of the interface "
        "is false.",
        effect="host-gw sends packets with pod addresses, which are not the VM's own: the cloud drops them, silently, "
        "to and from every pod of the node. The node's own traffic passes, so that it stays Ready.",
        remedy="Changes this one flag where the node's address is, and nothing else. The plan names what it disturbs; "
        "on EC2 and Compute Engine no VM restarts.",
        recurrence="A new VM. On EC2 each one: neither launch templates nor Auto Scaling groups can set it. On Compute "
        "Engine and Azure, a template or scale set model without the flag.",
        references=(
            "Amazon EC2: ModifyNetworkInterfaceAttribute",
            "Compute Engine: Update instance properties",
            "Azure: Create, change, or delete a network interface",
        ),
    ),
    Page(
        code=Code.SCALE_SET_MEMBER,
        about="Azure: a uniform scale set's model decides the flag",
        fix="no: the az vmss commands are told",
        meaning="The node is a member of a uniform scale set. Its interface cannot be written by itself: the model of "
        "the set holds enableIPForwarding for all members. Stands beside forwarding-off.",
        effect="As with forwarding-off: Azure drops what comes from or goes to the pods of the node.",
        remedy="Run the az vmss commands that the finding tells: they change the model, then bring its members up to "
        "it. That applies every other pending change of the model too and may restart members: drain first. Routes to "
        "members are mended by plans as usual.",
        recurrence="Members that were not brought up to the model, another scale set, or a template that writes the "
        "old model back.",
        references=(
            "Azure: Networking for Azure Virtual Machine Scale Sets",
            "Azure: Modify a Virtual Machine Scale Set",
        ),
    ),
    Page(
        code=Code.LAYER2_DIFFERENT,
        about="the node is not in the layer-2 subnet of the others",
        fix="no",
        meaning="On EC2, and where there is no cloud, host-gw has only layer 2: a node hands pod packets straight to "
        "the other node's address. This node is in another subnet than most.",
        effect="Between subnets stands a router, and it knows no pod CIDR. flannel cannot even set its route (network "
        "is unreachable, logged once); packets take the default route and die.",
        remedy="Replace the node by one in the others' subnet; on EC2 a subnet lies in one zone. Or use a backend that "
        "crosses subnets, such as vxlan. Without a cloud, first see that --node-subnet is right.",
        recurrence="A node pool or Auto Scaling group that spreads over several subnets or zones.",
        references=("flannel: Backends", "Amazon VPC: Subnets for your VPC"),
    ),
    Page(
        code=Code.PODCIDR_MISSING,
        about="the node has no pod CIDR (yet)",
        fix="no",
        meaning="spec.podCIDR of the Node is empty. The controller manager sets it, normally within seconds of the "
        "node's registration.",
        effect="flannel waits for it, so the node stays NotReady and its pods get no network. There is nothing to "
        "route yet.",
        remedy="Wait a minute. If it stays: does the controller manager run, with --allocate-node-cidrs, and has its "
        "--cluster-cidr a block left? The node's events and the log of the controller manager tell.",
        recurrence="A cluster CIDR that is used up: its size and --node-cidr-mask-size limit the number of nodes.",
        references=("Kubernetes: kube-controller-manager", "flannel: Troubleshooting"),
    ),
    Page(
        code=Code.PODCIDR_OVERLAP,
        about="its pod CIDR overlaps a node's, a subnet or an address",
        fix="no",
        meaning="Something else claims addresses of the pod CIDR: another node's pod CIDR, a subnet that holds nodes, "
        "or a node's own address. The finding names it.",
        effect="One address, two owners: packets for one reach the other, or never leave the subnet, because the "
        "subnet's own route takes them.",
        remedy="A pod CIDR is assigned for good: drain one of the two nodes, delete its Node object and let it "
        "register anew. An overlap with a subnet wants another cluster CIDR.",
        recurrence="Pod CIDRs set by hand, two allocators in one cluster, or a cluster CIDR inside of the network's "
        "own ranges.",
        references=("Kubernetes: Cluster Networking", "Kubernetes: kube-controller-manager"),
    ),
    Page(
        code=Code.INSTANCE_NOT_FOUND,
        about="no VM can be told for the node",
        fix="no",
        meaning="Neither the node's provider id nor its address leads to a VM in the places that were read.",
        effect="They may well arrive: nothing is known of the interface and the routes, so that nothing is said and "
        "nothing mended.",
        remedy="If the VM is gone, delete the Node object. Else say where it is: --cloud, --aws-region, --gcp-project "
        "or --azure-subscription; and see that the identity in use may read there.",
        recurrence="A VM that was deleted while its Node stayed, as happens without a cloud controller manager; nodes "
        "in another account, project or subscription.",
        references=("Kubernetes: Nodes", "Kubernetes: Cloud Controller Manager"),
    ),
    Page(
        code=Code.INSTANCE_AMBIGUOUS,
        about="more than one VM could be the node",
        fix="no",
        meaning="The node has no usable provider id, and its address belongs to more than one VM of what was read: "
        "default ranges repeat in every account and project.",
        effect="They may well arrive. Nothing is guessed, hence nothing is judged or mended: a change at the wrong VM "
        "would be worse.",
        remedy="Narrow the search: --aws-region and --aws-vpc, --gcp-project, --azure-subscription and "
        "--azure-resource-group. Provider ids, which a cloud controller manager sets, end it for good.",
        recurrence="One more network with the same range, or an identity that may read more than before.",
        references=("Kubernetes: Nodes", "Kubernetes: Cloud Controller Manager"),
    ),
    Page(
        code=Code.BACKEND_NOT_HOST_GW,
        about="flannel runs another backend on the node",
        fix="no",
        meaning="The node's annotation names a backend that encapsulates, such as vxlan: the cloud never sees its "
        "pods' addresses, and nothing is required of it or planned for it.",
        effect="Among nodes of the same backend none die. Nodes with host-gw ignore it, and it ignores them: between "
        "their pods there is no way.",
        remedy="Nothing, if that is meant. Else set Backend.Type to host-gw in flannel's net-conf.json and restart "
        "flannel on all nodes. RKE2 and k3s have no host-gw on Windows.",
        recurrence="An installer that writes its own net-conf.json back, or a node that kept its old flannel.",
        references=("flannel: Backends", "flannel: Configuration", "Kubernetes: Networking on Windows"),
    ),
)
