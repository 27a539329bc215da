"""EC2 and STS on loopback: moto behind a gate that counts calls, pages answers, and fails where a test says so.

moto answers a list as a whole and ignores parameters that it does not know; the real service pages and refuses. So the
gate cuts pages as asked (``MaxResults``, ``NextToken``) and answers 400 to every action, parameter or filter that this
program has no reason to send. What moto itself gets wrong proves nothing here: terminated instances keep their
interfaces, and the instance's own check is unconnected to those of its interfaces.
"""

import http.client
import logging
import os
import re
import threading
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.wire.ec2_rules import Call, Fault, error, mistakes, page

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

REGION = "us-east-1"
_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/(ec2|sts)/aws4_request")


class Ec2Server:
    """The gate and moto behind it; a context manager. ``calls`` holds the requests of the program under test only."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.watcher: Callable[[Call, bool], bool] = _watches_nothing
        """Asked before moto gets a request, and again, with True, before its answer is sent: True drops it."""
        self._faults: dict[str, deque[Fault]] = {}
        self._lock = threading.Lock()
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._gate = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"ec2": self}))
        self._gate.daemon_threads = True
        self._thread = threading.Thread(target=self._gate.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        # The images that moto knows by default take seconds to load and are of no use here.
        os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._moto.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gate.shutdown()
        self._gate.server_close()
        self._thread.join()
        self._moto.stop()

    @property
    def url(self) -> str:
        """The gate, for ``AWS_ENDPOINT_URL_EC2`` and ``AWS_ENDPOINT_URL_STS``."""
        return f"http://127.0.0.1:{self._gate.server_address[1]}"

    @property
    def backend(self) -> tuple[str, int]:
        """Where moto listens."""
        return self._moto.get_host_and_port()

    def reset(self) -> None:
        """Forget every resource, call and fault."""
        host, port = self.backend
        request = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=30).close()
        with self._lock:
            self.calls.clear()
            self._faults.clear()
        self.watcher = _watches_nothing

    def fail(self, action: str, *faults: Fault) -> None:
        """Let the next requests of this action end so, one after another."""
        with self._lock:
            self._faults.setdefault(action, deque()).extend(faults)

    def count(self) -> Counter[str]:
        """Return how often each action was called, and forget."""
        with self._lock:
            counted = Counter(call.action for call in self.calls)
            self.calls.clear()
        return counted

    def arrive(self, call: Call) -> Fault | None:
        """Note a request and return how it is to end."""
        with self._lock:
            self.calls.append(call)
            waiting = self._faults.get(call.action)
            return waiting.popleft() if waiting else None

    # The account as its owner sees it, past the gate.

    def client(self, region: str = REGION) -> "EC2Client":
        """Return a client of moto itself."""
        host, port = self.backend
        return boto3.client(
            "ec2",
            region_name=region,
            endpoint_url=f"http://{host}:{port}",
            aws_access_key_id="owner",
            aws_secret_access_key="owner",
        )

    def subnet(self, cidr: str = "10.0.0.0/24", *, vpc: str | None = None, region: str = REGION) -> tuple[str, str]:
        """Make a subnet, in a VPC of the same range unless one is given; return the ids of VPC and subnet."""
        client = self.client(region)
        vpc = vpc or client.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        zone = f"{region}a"
        subnet = client.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        return vpc, subnet

    def instance(self, subnet: str, ip: str, *, region: str = REGION, forwards: bool = False) -> tuple[str, str]:
        """Start an instance with one interface; return the ids of both."""
        client = self.client(region)
        made = client.run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnet, PrivateIpAddress=ip
        )["Instances"][0]
        instance = made["InstanceId"]
        interface = made["NetworkInterfaces"][0]["NetworkInterfaceId"]
        if forwards:
            self.set_check(interface, False, region=region)
        return instance, interface

    def attach(self, instance: str, subnet: str, *ips: str, index: int = 1, region: str = REGION) -> str:
        """Give the instance another interface with these addresses, the first one primary; return its id."""
        client = self.client(region)
        addresses = [{"PrivateIpAddress": ip, "Primary": not number} for number, ip in enumerate(ips)]
        made = client.create_network_interface(SubnetId=subnet, PrivateIpAddresses=addresses)  # type: ignore[arg-type] # built above
        interface = made["NetworkInterface"]["NetworkInterfaceId"]
        client.attach_network_interface(NetworkInterfaceId=interface, InstanceId=instance, DeviceIndex=index)
        return interface

    def set_check(self, interface: str, value: bool, *, region: str = REGION) -> None:
        """Let somebody else set the source/destination check."""
        self.client(region).modify_network_interface_attribute(
            NetworkInterfaceId=interface, SourceDestCheck={"Value": value}
        )

    def check(self, interface: str, *, region: str = REGION) -> bool:
        """Return the source/destination check as it truly is."""
        answer = self.client(region).describe_network_interfaces(NetworkInterfaceIds=[interface])
        return answer["NetworkInterfaces"][0]["SourceDestCheck"]


def isolate(monkeypatch: pytest.MonkeyPatch, home: Path, url: str | None) -> None:
    """Take away every AWS setting of the developer and give static keys and the endpoint of all, if there is one."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    if url is not None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)


@pytest.fixture(scope="module", name="ec2_server")
def serve_ec2() -> Iterator[Ec2Server]:
    """Run the server for the tests of one module that imports this and ``fresh_account``."""
    with Ec2Server() as running:
        yield running


@pytest.fixture(name="ec2")
def fresh_account(ec2_server: Ec2Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ec2Server:
    """Empty the account and let boto3 find it and nothing else."""
    ec2_server.reset()
    isolate(monkeypatch, tmp_path, ec2_server.url)
    return ec2_server


def _watches_nothing(call: Call, done: bool) -> bool:
    del call, done
    return False


class _Handler(BaseHTTPRequestHandler):
    ec2: Ec2Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
        scope = _SCOPE.search(self.headers.get("Authorization", ""))
        action = parameters.pop("Action", "")
        parameters.pop("Version", None)
        region, service = scope.groups() if scope else ("", "")
        call = Call(action=action, service=service, region=region, parameters=parameters)
        fault = self.ec2.arrive(call) or next(mistakes(call), None)
        if fault is None:
            self._pass(call, body)
            return
        if fault.done:
            self._forward(body)
        if fault.status is None:
            self.close_connection = True
            self.connection.close()
        else:
            self._answer(fault.status, (fault.body or error(call, fault)).encode(), fault.headers)

    def _pass(self, call: Call, body: bytes) -> None:
        self.close_connection = self.ec2.watcher(call, False)
        if self.close_connection:
            return
        status, answer = self._forward(body)
        self.close_connection = self.ec2.watcher(call, True)
        if not self.close_connection:
            self._answer(status, page(call, answer) if status == 200 else answer)

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        host, port = self.ec2.backend
        connection = http.client.HTTPConnection(host, port, timeout=60)
        try:
            connection.request("POST", urlsplit(self.path).path, body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/xml", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay silent."""
