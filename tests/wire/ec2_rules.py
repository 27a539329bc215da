"""What the gate of EC2 and STS takes, how it pages, and how it fails: the parts of the service that moto lacks."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

_SETS = {"DescribeNetworkInterfaces": "networkInterfaceSet", "DescribeSubnets": "subnetSet"}
_PARAMETERS = {
    "DescribeNetworkInterfaces": {"Filter", "MaxResults", "NextToken", "NetworkInterfaceId", "IncludeManagedResources"},
    "DescribeSubnets": {"MaxResults", "NextToken"},
    "ModifyNetworkInterfaceAttribute": {"NetworkInterfaceId", "SourceDestCheck"},
    "GetCallerIdentity": set(),
}
_OF_STS = {"GetCallerIdentity"}
_FILTERS = {"DescribeNetworkInterfaces": {"attachment.instance-id", "vpc-id"}}
_MOST_FILTER_VALUES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it arrived; ``parameters`` without the action and the API's version.

    ``service`` and ``region`` are those that it is signed for, "" for a request that is not.
    """

    action: str
    service: str
    region: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one request ends instead of well.

    With ``status`` it is answered with this error, or with ``body`` as it stands; without, the connection is cut.
    ``done`` lets the call take effect before.
    """

    status: int | None = None
    code: str = ""
    message: str = ""
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    done: bool = False


ARN = "arn:aws:iam::123456789012:user/ops"
UNAUTHORIZED = Fault(
    status=403,
    code="UnauthorizedOperation",
    message=f"You are not authorized to perform this operation. User: {ARN} is not authorized to perform: ec2:X "
    "because no identity-based policy allows it. Encoded authorization failure message: Zm9vYmFy",
)
EXPIRED = Fault(status=400, code="ExpiredToken", message="The security token included in the request is expired")
THROTTLED = Fault(status=503, code="RequestLimitExceeded", message="Request limit exceeded.")
BROKEN = Fault(status=500, code="InternalError", message="An internal error has occurred")
CUT = Fault()


def mistakes(call: Call) -> Iterator[Fault]:
    """Yield the refusals that a request deserves which the real service would not take."""
    if not call.region:
        yield Fault(status=401, code="AuthFailure", message="the request is not signed for EC2 or STS")
    if call.action not in _PARAMETERS or (call.action in _OF_STS) is not (call.service == "sts"):
        yield Fault(status=400, code="InvalidAction", message=call.action)
    names = {name.partition(".")[0] for name in call.parameters}
    if unknown := names - _PARAMETERS.get(call.action, set()):
        yield Fault(status=400, code="UnknownParameter", message=", ".join(sorted(unknown)))
    filters = {value for name, value in call.parameters.items() if re.fullmatch(r"Filter\.\d+\.Name", name)}
    if unknown := filters - _FILTERS.get(call.action, set()):
        yield Fault(status=400, code="InvalidParameterValue", message=f"filter {', '.join(sorted(unknown))}")
    values = Counter(name.split(".")[1] for name in call.parameters if re.match(r"Filter\.\d+\.Value\.", name))
    if len(values) != len(filters) or any(count > _MOST_FILTER_VALUES for count in values.values()):
        yield Fault(status=400, code="FilterLimitExceeded", message="too many values, or none")
    if {"MaxResults", "NetworkInterfaceId"} <= names:
        yield Fault(status=400, code="InvalidParameterCombination", message="MaxResults with ids")
    if "MaxResults" in names and not 5 <= int(call.parameters["MaxResults"]) <= 1000:
        yield Fault(status=400, code="InvalidParameterValue", message="MaxResults is 5 to 1000")


def page(call: Call, answer: bytes) -> bytes:
    """Cut the page out of moto's answer that was asked for, and add the token of the next one."""
    size = int(call.parameters.get("MaxResults", 0))
    if call.action not in _SETS or not size:
        return answer
    root = ET.fromstring(answer)
    namespace = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    items = root.find(f"{namespace}{_SETS[call.action]}")
    assert items is not None
    everything = list(items)
    start = int(call.parameters.get("NextToken", "0").removeprefix("token-"))
    for item in everything[:start] + everything[start + size :]:
        items.remove(item)
    if start + size < len(everything):
        ET.SubElement(root, f"{namespace}nextToken").text = f"token-{start + size}"
    return ET.tostring(root)


def error(call: Call, fault: Fault) -> str:
    """Return the error as the service writes it: EC2 has a form of its own."""
    if call.service == "sts":
        return (
            '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
            f"<Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message></Error>"
            "<RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId></ErrorResponse>"
        )
    return (
        f"<Response><Errors><Error><Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message></Error>"
        "</Errors><RequestID>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestID></Response>"
    )
