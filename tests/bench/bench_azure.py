"""How much faster than through the typed client's models interfaces and a full route table are read.

Run by hand: ``python -m tests.bench.bench_azure [OBJECTS]``. "Decoded" is bytes to structs, against bytes to models of
which the same fields are taken (the models translate a field when it is asked for), and is what counts; "read" goes on
to the values that the checks see, addresses parsed and all. Medians of five runs for us and three for the models, after
all imports.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from azure.mgmt.network import models

from tui.clouds.azure_names import Spellings
from tui.clouds.azure_objects import NicPage, TablePage, instances_of, tables_of

_PAGE, _ROUTES = 500, 400
_OUR_RUNS, _THEIR_RUNS = 5, 3
_GROUP = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers"
_NETWORK = f"{_GROUP}/Microsoft.Network/virtualNetworks/net"


def _nic(number: int) -> dict[str, Any]:
    """Return an interface as the service tells it."""
    id_ = f"{_GROUP}/Microsoft.Network/networkInterfaces/n{number}-nic"
    etag = f'W/"{number:08x}-d267-4138-a91b-eb86e3d34711"'
    held = {
        "provisioningState": "Succeeded",
        "privateIPAddress": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": f"{_NETWORK}/subnets/nodes"},
        "primary": True,
        "privateIPAddressVersion": "IPv4",
    }
    return {
        "name": f"n{number}-nic",
        "id": id_,
        "etag": etag,
        "type": "Microsoft.Network/networkInterfaces",
        "location": "westeurope",
        "tags": {"cluster": "prod", "pool": "linux"},
        "kind": "Regular",
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": f"{number:08x}-cd9c-48d4-a1c5-162ee506dcae",
            "ipConfigurations": [
                {
                    "name": "ipconfig1",
                    "id": f"{id_}/ipConfigurations/ipconfig1",
                    "etag": etag,
                    "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
                    "properties": held,
                }
            ],
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": [], "internalDomainNameSuffix": "x.cloudapp.net"},
            "macAddress": "00-0D-3A-00-00-01",
            "enableAcceleratedNetworking": True,
            "vnetEncryptionSupported": False,
            "enableIPForwarding": True,
            "disableTcpStateTracking": False,
            "networkSecurityGroup": {"id": f"{_GROUP}/Microsoft.Network/networkSecurityGroups/nsg"},
            "primary": True,
            "virtualMachine": {"id": f"{_GROUP}/Microsoft.Compute/virtualMachines/n{number}"},
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "nicType": "Standard",
            "allowPort25Out": True,
            "auxiliaryMode": "None",
        },
    }


def _table() -> dict[str, Any]:
    """Return a table with as many routes as fit."""
    id_ = f"{_GROUP}/Microsoft.Network/routeTables/table"
    etag = 'W/"9eacc1d1-55cc-4ca1-8ac0-2283133548a2"'
    routes = [
        {
            "name": f"l2b-0a1b2c3d-10-42-{number % 256}-0-24-{number:08x}",
            "id": f"{id_}/routes/r{number}",
            "etag": etag,
            "type": "Microsoft.Network/routeTables/routes",
            "properties": {
                "provisioningState": "Succeeded",
                "addressPrefix": f"10.{42 + number // 256}.{number % 256}.0/24",
                "nextHopType": "VirtualAppliance",
                "nextHopIpAddress": f"10.0.{number // 256}.{number % 256}",
                "hasBgpOverride": False,
            },
        }
        for number in range(_ROUTES)
    ]
    properties = {"provisioningState": "Succeeded", "disableBgpRoutePropagation": False, "routes": routes}
    return {
        "name": "table",
        "id": id_,
        "etag": etag,
        "type": "Microsoft.Network/routeTables",
        "location": "westeurope",
        "properties": properties | {"subnets": [{"id": f"{_NETWORK}/subnets/nodes"}]},
    }


def _median(runs: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(runs):
        gc.collect()
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _decode_nics(pages: list[bytes]) -> list[NicPage]:
    return [msgspec.json.decode(page, type=NicPage) for page in pages]


def _read_nics(pages: list[bytes]) -> int:
    return len(instances_of([item for page in _decode_nics(pages) for item in page.value], Spellings()))


def _take_nics(pages: list[bytes]) -> list[object]:
    """Take from the models what the structs hold."""
    return [
        (
            *(one.id, one.name, one.enable_ip_forwarding, one.provisioning_state, one.virtual_machine.id),
            *((held.private_ip_address, held.subnet.id) for held in one.ip_configurations or []),
        )
        for page in pages
        for one in map(models.NetworkInterface, json.loads(page)["value"])
    ]


def _decode_tables(pages: list[bytes]) -> list[TablePage]:
    return [msgspec.json.decode(page, type=TablePage) for page in pages]


def _read_tables(pages: list[bytes]) -> int:
    return len(tables_of([item for page in _decode_tables(pages) for item in page.value], (), Spellings()))


def _take_tables(pages: list[bytes]) -> list[object]:
    return [
        (
            *(one.id, one.location, one.provisioning_state, [subnet.id for subnet in one.subnets or []]),
            *(
                (held.name, held.address_prefix, held.next_hop_type, held.next_hop_ip_address)
                for held in one.routes or []
            ),
        )
        for page in pages
        for one in map(models.RouteTable, json.loads(page)["value"])
    ]


def _compare(
    name: str,
    pages: list[bytes],
    theirs: Callable[[list[bytes]], object],
    decode: Callable[[list[bytes]], object],
    read: Callable[[list[bytes]], object],
) -> bool:
    """Print the figures of one list; tell whether decoding is at least 30 times as fast."""
    print(f"{name}: {sum(map(len, pages)) / 1e6:.1f} MB")
    their_s = _median(_THEIR_RUNS, partial(theirs, pages))
    factors = []
    for what, ours in (("decoded", decode), ("read", read)):
        our_s = _median(_OUR_RUNS, partial(ours, pages))
        factors.append(their_s / our_s)
        print(f"  {what:8} models {their_s:.3f} s, we {our_s:.4f} s ({factors[-1]:5.1f} times)")
    return factors[0] >= 30


def main(count: int) -> int:
    """Print the figures; return 0 when both lists are decoded at least 30 times as fast."""
    pages = [
        json.dumps({"value": [_nic(number) for number in range(start, min(start + _PAGE, count))]}).encode()
        for start in range(0, count, _PAGE)
    ]
    tables = [json.dumps({"value": [_table()]}).encode()]
    enough = [
        _compare(f"{count} interfaces", pages, _take_nics, _decode_nics, _read_nics),
        _compare(f"{_ROUTES} routes", tables, _take_tables, _decode_tables, _read_tables),
    ]
    return 0 if all(enough) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
