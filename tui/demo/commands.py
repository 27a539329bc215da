"""The changes as a person would type them into each cloud's own command line, quoted for a POSIX shell."""

import shlex
from typing import assert_never

from tui.model.node import Cloud
from tui.model.plan import Change, SetForwarding


def command(change: Change) -> str:
    """Return one line for ``aws``, ``gcloud`` or ``az``; "" for a change of no cloud."""
    match change:
        case SetForwarding():
            return _set_forwarding(change)
        case _:
            assert_never(change)


def _set_forwarding(change: SetForwarding) -> str:
    match change.cloud:
        case Cloud.AWS:
            return _aws(change)
        case Cloud.GCE:
            return _gcloud(change)
        case Cloud.AZURE:
            return shlex.join(
                ["az", "network", "nic", "update", "--ids", change.subject, "--ip-forwarding", _boolean(change.after)]
            )
        case Cloud.NONE:
            return ""
        case _:
            assert_never(change.cloud)


def _aws(change: SetForwarding) -> str:
    flag = "--no-source-dest-check" if change.after else "--source-dest-check"
    region = change.source.partition(":")[2]
    arguments = ["--region", region, "--network-interface-id", change.subject, flag]
    return shlex.join(["aws", "ec2", "modify-network-interface-attribute", *arguments])


def _gcloud(change: SetForwarding) -> str:
    """``gcloud`` has no flag for an existing VM: export it, change one line, and put it back with its fingerprint."""
    tokens = change.subject.split("/")
    project, zone, name = (tokens[1], tokens[3], "/".join(tokens[5:])) if len(tokens) > 5 else ("", "", change.subject)
    target = shlex.join([name, f"--project={project}", f"--zone={zone}"])
    value = _boolean(change.after)
    return (
        f"{{ gcloud compute instances export {target} | sed '/^canIpForward:/d'; echo 'canIpForward: {value}'; }}"
        f" | gcloud compute instances update-from-file {target} --most-disruptive-allowed-action=REFRESH"
    )


def _boolean(value: bool) -> str:
    return str(value).lower()
