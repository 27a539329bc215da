"""What stands in the simulated subscription: resources as the API tells them, and the hands of its owner.

Resources are kept whole, under their ids without regard to casing. What the API tells of others (a table's subnets,
what is in a subnet) is put together when it is told.
"""

import copy
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
TENANT = "99999999-8888-7777-6666-555555555555"
REGION = "westeurope"
NETWORK = "providers/Microsoft.Network"
COMPUTE = "providers/Microsoft.Compute"


def fold(id_: str) -> str:
    return id_.rstrip("/").lower()


def kind_of(id_: str) -> str:
    """Return the type of a resource's id, without the provider: ``networkinterfaces``, ``routetables/routes``."""
    return "/".join(fold(id_).rpartition("/providers/")[2].split("/")[1::2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The routing after one write: each table's routes by name, and each subnet's table; ids folded."""

    what: str
    tables: Mapping[str, Mapping[str, Json]]
    subnets: Mapping[str, str | None]


class World:
    """The subscription. ``odd`` lets every reference be written in another casing than the resource's own id."""

    def __init__(self, subscription: str = SUBSCRIPTION) -> None:
        self.subscription = subscription
        self.resources: dict[str, Json] = {}
        self.history: list[Moment] = []
        self.odd = False
        self._numbers = itertools.count(1)

    # What the owner makes, past every rule.

    def group(self, name: str = "rg") -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{name}"

    def vnet(self, name: str = "net", *, group: str = "rg", region: str = REGION) -> str:
        id_ = f"{self.group(group)}/{NETWORK}/virtualNetworks/{name}"
        self.place(id_, {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}, "enableDdosProtection": False}, region)
        return id_

    def subnet(
        self, name: str, cidr: str, *, vnet: str | None = None, table: str | None = None, **properties: Any
    ) -> str:
        """Make a subnet, its VNet too where there is none; by default with neighbours that a write must not touch."""
        network = vnet or f"{self.group()}/{NETWORK}/virtualNetworks/net"
        if fold(network) not in self.resources:
            self.vnet()
        told: Json = {
            "addressPrefix": cidr,
            "networkSecurityGroup": {"id": f"{self.group()}/{NETWORK}/networkSecurityGroups/nsg"},
            "natGateway": {"id": f"{self.group()}/{NETWORK}/natGateways/nat"},
            "serviceEndpoints": [
                {"service": "Microsoft.Storage", "locations": [REGION, "northeurope"], "provisioningState": "Succeeded"}
            ],
            "serviceEndpointPolicies": [{"id": f"{self.group()}/{NETWORK}/serviceEndpointPolicies/sep"}],
            "delegations": [
                {"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms", "actions": ["join"]}}
            ],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
            "defaultOutboundAccess": False,
            "futureThing": {"deep": [{"deeper": {"kept": True, "list": [1, 2.5, None]}}]},
        }
        if table is not None:
            told["routeTable"] = {"id": table}
        id_ = f"{network}/subnets/{name}"
        self.place(id_, told | properties, None)
        return id_

    def table(self, name: str = "table", *, group: str = "rg", region: str = REGION, **routes: tuple[str, str]) -> str:
        """Make a route table; each of ``routes`` by name is a prefix and an address, or a next hop type."""
        id_ = f"{self.group(group)}/{NETWORK}/routeTables/{name}"
        told = {"disableBgpRoutePropagation": True, "futureSwitch": {"kept": [1]}, "routes": []}
        self.place(id_, told, region)
        self.resources[fold(id_)]["tags"] = {"owner": "somebody"}
        for route, (prefix, hop) in routes.items():
            self.route(id_, route, prefix, hop)
        return id_

    def route(self, table: str, name: str, prefix: str, hop: str) -> None:
        """Let the table have this route."""
        told: Json = {"addressPrefix": prefix, "nextHopType": "VirtualAppliance", "nextHopIpAddress": hop}
        if not hop[0].isdigit():
            told = {"addressPrefix": prefix, "nextHopType": hop}
        routes = self.resources[fold(table)]["properties"]["routes"]
        routes.append({"name": name, "id": f"{table}/routes/{name}", "properties": told | {"futureMark": [name]}})

    def vm(
        self,
        name: str,
        subnet: str,
        ip: str,
        *,
        group: str = "rg",
        forwards: bool | None = True,
        also: Mapping[str, tuple[str, str]] | None = None,
        ipv6: str | None = None,
    ) -> str:
        """Make a VM with the NIC ``NAME-nic``; ``also`` are further NICs, by name, with subnet and address."""
        vm = f"{self.group(group)}/{COMPUTE}/virtualMachines/{name}"
        self.nic(f"{name}-nic", subnet, ip, group=group, vm=vm, forwards=forwards, ipv6=ipv6)
        for other, (where, address) in (also or {}).items():
            self.nic(other, where, address, group=group, vm=vm, forwards=False)
        return vm

    def nic(
        self,
        name: str,
        subnet: str,
        ip: str,
        *,
        group: str = "rg",
        vm: str | None = None,
        forwards: bool | None = False,
        ipv6: str | None = None,
    ) -> str:
        """Make a NIC, of a VM or of none."""
        id_ = f"{self.group(group)}/{NETWORK}/networkInterfaces/{name}"
        self.place(id_, self._nic(id_, subnet, ip, forwards, ipv6), REGION)
        if vm is not None:
            told = {"virtualMachine": {"id": self.reference(vm)}, "macAddress": "00-0D-3A-00-00-01", "primary": True}
            self.resources[fold(id_)]["properties"] |= told
        return id_

    def member(
        self, number: int, subnet: str, ip: str, *, name: str = "set", group: str = "rg", forwards: bool = False
    ) -> str:
        """Make a VM of a uniform scale set, whose interface is listed with the set alone."""
        vm = f"{self.group(group)}/{COMPUTE}/virtualMachineScaleSets/{name}/virtualMachines/{number}"
        id_ = f"{vm}/networkInterfaces/nic"
        told = self._nic(id_, subnet, ip, forwards, None)
        self.place(id_, told | {"virtualMachine": {"id": self.reference(vm)}}, None)
        return vm

    def _nic(self, id_: str, subnet: str, ip: str, forwards: bool | None, ipv6: str | None) -> Json:
        configurations = [self._address(id_, "ipconfig1", subnet, ip, "IPv4", primary=True)]
        if ipv6 is not None:
            configurations.append(self._address(id_, "ipconfig6", subnet, ipv6, "IPv6", primary=False))
        told: Json = {
            "ipConfigurations": configurations,
            "dnsSettings": {"dnsServers": ["10.0.0.2"], "appliedDnsServers": []},
            "enableAcceleratedNetworking": True,
            "networkSecurityGroup": {"id": f"{self.group()}/{NETWORK}/networkSecurityGroups/nsg"},
            "nicType": "Standard",
            "futureFlag": {"kept": [{"here": "too"}]},
        }
        return told if forwards is None else told | {"enableIPForwarding": forwards}

    def _address(self, nic: str, name: str, subnet: str, ip: str, version: str, *, primary: bool) -> Json:
        return {
            "id": f"{nic}/ipConfigurations/{name}",
            "name": name,
            "properties": {
                "privateIPAddress": ip,
                "privateIPAddressVersion": version,
                "privateIPAllocationMethod": "Dynamic",
                "primary": primary,
                "subnet": {"id": self.reference(subnet)},
                "loadBalancerBackendAddressPools": [{"id": f"{self.group()}/{NETWORK}/loadBalancers/lb/x/p"}],
                "futureField": {"kept": ip},
            },
        }

    def place(self, id_: str, properties: Json, region: str | None) -> None:
        """Put a resource there, or in place of the one of that id."""
        document: Json = {"id": id_, "name": id_.rpartition("/")[2], "properties": dict(properties)}
        if region is not None:
            document |= {"location": region, "tags": {}}
        document["properties"]["provisioningState"] = "Succeeded"
        self.resources[fold(id_)] = document
        self.touch(id_)

    def touch(self, id_: str) -> None:
        """Give a resource the etag that every change of it gives."""
        self.resources[fold(id_)]["etag"] = f'W/"{next(self._numbers):08d}-0000-0000-0000-000000000000"'

    def remove(self, id_: str) -> None:
        """Take a resource away."""
        del self.resources[fold(id_)]

    # What is there, past every rule.

    def raw(self, id_: str) -> Json:
        """Return the resource itself, to be looked at or changed."""
        return self.resources[fold(id_)]

    def properties(self, id_: str) -> Json:
        """Return its properties themselves."""
        found: Json = self.raw(id_)["properties"]
        return found

    def forwards(self, name: str, group: str = "rg") -> bool | None:
        """Tell the flag of the VM's NIC."""
        nic = f"{self.group(group)}/{NETWORK}/networkInterfaces/{name}-nic"
        flag: bool | None = self.properties(nic).get("enableIPForwarding")
        return flag

    def routes(self, table: str) -> dict[str, str]:
        """Tell where a table's routes lead, by prefix."""
        told = (route["properties"] for route in self.properties(table)["routes"])
        return {one["addressPrefix"]: one.get("nextHopIpAddress", one["nextHopType"]) for one in told}

    def table_of(self, subnet: str) -> str | None:
        """Tell the id of the subnet's table, folded."""
        found = self.properties(subnet).get("routeTable")
        return None if found is None else fold(found["id"])

    def of_kind(self, kind: str) -> Iterator[Json]:
        """Yield the resources of a type, in the order in which they were made."""
        return (found for id_, found in self.resources.items() if kind_of(id_) == kind)

    def remember(self, what: str) -> None:
        """Add the routing as it is now to the history."""
        tables = {
            fold(table["id"]): {route["name"]: copy.deepcopy(route) for route in table["properties"]["routes"]}
            for table in self.of_kind("routetables")
        }
        subnets = {fold(one["id"]): self.table_of(one["id"]) for one in self.of_kind("virtualnetworks/subnets")}
        self.history.append(Moment(what=what, tables=tables, subnets=subnets))

    # What the API tells.

    def reference(self, id_: str) -> str:
        """Write an id as a reference is written."""
        if not self.odd:
            return id_
        words = id_.split("/")
        return "/".join([*words[:3], "resourcegroups", words[4].upper(), *words[5:]])

    def told(self, id_: str) -> Json:
        """Return a resource as a GET tells it."""
        document = copy.deepcopy(self.raw(id_))
        properties, own = document["properties"], fold(id_)
        match kind_of(id_):
            case "routetables":
                for route in properties["routes"]:
                    route["etag"] = document["etag"]
                    route["properties"]["provisioningState"] = "Succeeded"
                    route["properties"]["hasBgpOverride"] = False
                users = [
                    one["id"] for one in self.of_kind("virtualnetworks/subnets") if self.table_of(one["id"]) == own
                ]
                if users:
                    properties["subnets"] = [{"id": self.reference(user)} for user in users]
            case "virtualnetworks":
                inside = (one["id"] for one in self.of_kind("virtualnetworks/subnets"))
                properties["subnets"] = [self.told(one) for one in inside if fold(one).startswith(f"{own}/")]
            case "virtualnetworks/subnets":
                if "routeTable" in properties:
                    properties["routeTable"] = {"id": self.reference(properties["routeTable"]["id"])}
                held = list(self._held(own))
                if held:
                    properties["ipConfigurations"] = [{"id": self.reference(one)} for one in held]
        return document

    def _held(self, subnet: str) -> Iterator[str]:
        """Yield the ids of the addresses in a subnet, those of scale sets included."""
        for kind in ("networkinterfaces", "virtualmachinescalesets/virtualmachines/networkinterfaces"):
            for nic in self.of_kind(kind):
                for address in nic["properties"]["ipConfigurations"]:
                    if fold(address["properties"]["subnet"]["id"]) == subnet:
                        yield address["id"]

    def effective(self, nic: str) -> list[Json]:
        """Return what the fabric does with a NIC's packets."""
        subnet = self.properties(nic)["ipConfigurations"][0]["properties"]["subnet"]["id"]
        found = [_effective("Default", ["10.0.0.0/16"], "VnetLocal"), _effective("Default", ["0.0.0.0/0"], "Internet")]
        found += [
            _effective("Default", [prefix], "None")
            for prefix in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
        ]
        table = self.table_of(subnet)
        for route in () if table is None else self.properties(table)["routes"]:
            told = route["properties"]
            hops = [told["nextHopIpAddress"]] if "nextHopIpAddress" in told else []
            found.append(_effective("User", [told["addressPrefix"]], told["nextHopType"], hops, route["name"]))
        return found


def _effective(source: str, prefixes: list[str], hop: str, hops: list[str] | None = None, name: str = "") -> Json:
    told = {"source": source, "state": "Active", "addressPrefix": prefixes, "nextHopType": hop}
    return told | {"nextHopIpAddress": hops or []} | ({"name": name} if name else {})
