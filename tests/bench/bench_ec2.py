"""How many EC2 calls one refresh makes, and how long it takes, for few and for many nodes.

Run by hand: ``python -m tests.bench.bench_ec2 [FEW MANY]``. moto answers, with all the time that it takes itself; what
counts is the number of calls, which must be the same up to the pages of 1,000 interfaces. Each refresh is made three
times after one that warms up, the best counts.
"""

import math
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from tests import build
from tests.wire.ec2 import REGION, Ec2Server, isolate
from tui.clouds import load_reader
from tui.model.joined import Joined
from tui.model.node import Cloud, Node, ProviderID
from tui.model.snapshot import PlacementState
from tui.ports import CloudOptions, CloudReader

_RUNS = 3
_PAGE = 1000


def _start(ec2: Ec2Server, many: int) -> list[Node]:
    _, subnet = ec2.subnet("10.0.0.0/16")
    answer = ec2.client().run_instances(ImageId="ami-12345678", MinCount=many, MaxCount=many, SubnetId=subnet)
    return [
        build.node(
            f"n{number}",
            ip=instance["PrivateIpAddress"],
            provider_id=ProviderID.parse(f"aws:///{REGION}a/{instance['InstanceId']}"),
        )
        for number, instance in enumerate(answer["Instances"])
    ]


def _refresh(ec2: Ec2Server, reader: CloudReader, nodes: list[Node]) -> tuple[Counter[str], float]:
    views = reader.observe(nodes)
    times = []
    for _ in range(_RUNS):
        ec2.count()
        started = time.perf_counter()
        views = reader.observe(nodes)
        times.append(time.perf_counter() - started)
    placed = Joined.of(build.snapshot(*nodes, views=views)).placed()
    assert {placement.state for _, placement in placed} == {PlacementState.FOUND}
    return ec2.count(), min(times)


def main(few: int, many: int) -> int:
    """Print the figures; return 0 when the calls do not grow but by pages."""
    with Ec2Server() as ec2, tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        ec2.reset()
        isolate(patch, Path(home), ec2.url)
        nodes = _start(ec2, many)
        reader = load_reader(Cloud.AWS)(CloudOptions())
        calls = {}
        seconds = {}
        for number in (few, many):
            counted, seconds[number] = _refresh(ec2, reader, nodes[:number])
            calls[number] = counted.total()
            print(f"{number:6} nodes: {calls[number]} calls {dict(counted)}, {seconds[number]:.3f} s")
    pages = math.ceil(many / _PAGE) - 1
    print(f"calls x{calls[many] / calls[few]:.2f} ({pages} further pages), time x{seconds[many] / seconds[few]:.1f}")
    return 0 if calls[many] <= calls[few] + pages else 1


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:3]]
    sys.exit(main(*(arguments if len(arguments) == 2 else (10, 1000))))
