"""The scenario of an upgrade that an operator would watch: twelve nodes on three clouds, and what goes wrong with some.

May import the model only.
"""

from collections.abc import Iterator
from dataclasses import replace

from tui.demo.description import Deed, Machine, Scenario, Step
from tui.demo.sites import AZURE, COMPUTE_ENGINE, EC2, POD_CIDRS, azure, compute_engine, ec2

_NEW_VERSION = "v1.35.0"
_FIRST_S = 20.0
_PACE_S = 20.0
_VM_OUTLIVES_NODE_S = 75.0


def rolling_upgrade() -> Scenario:
    """Twelve nodes leave one after another, every twenty seconds, and eleven come back as new VMs.

    On EC2 every VM comes with its flag off. On Compute Engine one comes back under its name, one under another, one
    takes over the pod CIDR of a VM that still runs, and one never joins. On Azure an address is given to the next VM
    while a route still leads to it, and one VM comes with its flag off.
    """
    amazon = [_in_pool(ec2(f"aws-pool-{number}", 10 + number, number)) for number in range(1, 5)]
    google = [_in_pool(compute_engine(f"gce-pool-{number}", 10 + number, 10 + number)) for number in range(1, 5)]
    microsoft = [_in_pool(azure(f"az-pool-{number}", 3 + number, 20 + number)) for number in range(1, 5)]
    replacements = (
        (amazon[0], _after(ec2("aws-pool-5", 21, 1), forwards=False)),
        (google[0], _after(google[0])),
        (microsoft[0], _after(azure("az-pool-5", 14, 21))),
        (amazon[1], _after(ec2("aws-pool-6", 22, 2), forwards=False)),
        (google[1], _after(compute_engine("gce-pool-6", 22, 12))),
        (microsoft[1], _after(azure("az-pool-6", 4, 22))),  # the address of the first one that left
        (amazon[2], _after(ec2("aws-pool-7", 23, 3), forwards=False)),
        (google[2], _after(compute_engine("gce-pool-7", 23, 13))),
        (microsoft[2], _after(azure("az-pool-7", 16, 23), forwards=False)),
        (amazon[3], _after(ec2("aws-pool-8", 24, 4), forwards=False)),
        (google[3], None),
        (microsoft[3], _after(microsoft[3])),
    )
    steps = [
        step
        for number, (old, new) in enumerate(replacements)
        for step in _replacement(_FIRST_S + number * _PACE_S, old, new, lingers=old is google[2])
    ]
    return Scenario(
        name="rolling-upgrade",
        pod_cidrs=POD_CIDRS[:1],
        sites=(EC2, COMPUTE_ENGINE, AZURE),
        machines=(*amazon, *google, *microsoft),
        schedule=tuple(sorted(steps, key=lambda step: step.at_s)),
    )


def _in_pool(machine: Machine) -> Machine:
    return replace(machine, labels=(("node-pool", machine.name.rpartition("-")[0]),))


def _after(machine: Machine, *, forwards: bool = True) -> Machine:
    return replace(_in_pool(machine), version=_NEW_VERSION, forwards=forwards, routed=False)


def _replacement(at_s: float, old: Machine, new: Machine | None, *, lingers: bool) -> Iterator[Step]:
    """Yield what happens to one node; the VM of one that ``lingers`` runs on after its node was deleted."""
    yield Step(at_s=at_s, deed=Deed.CORDON, machine=old)
    if lingers:
        yield Step(at_s=at_s + 8, deed=Deed.LEAVE, machine=old)
        yield Step(at_s=at_s + _VM_OUTLIVES_NODE_S, deed=Deed.TERMINATE, machine=old)
    else:
        yield Step(at_s=at_s + 8, deed=Deed.REMOVE, machine=old)
    if new is not None:
        yield Step(at_s=at_s + 16, deed=Deed.REGISTER, machine=new)
        yield Step(at_s=at_s + 18, deed=Deed.ASSIGN, machine=new)
        yield Step(at_s=at_s + 26, deed=Deed.READY, machine=new)
