r"""A scenario whose names, labels, resources and messages were chosen by somebody who hates terminals.

Nothing in it can exist on a real API server, and all of it must be shown harmlessly. May import the model only.
"""

from dataclasses import replace

from tui.demo.description import RoutePlan, Scenario
from tui.demo.sites import AZURE, COMPUTE_ENGINE, EC2, POD_CIDRS, azure, compute_engine, ec2

_CLEARS_SCREEN = "\x1b[2J\x1b[1;1H"
_SETS_TITLE = "\x1b]0;owned\x07"
_FILLS_CLIPBOARD = "\x1b]52;c;cm0gLXJmIC8K\x07"
_EIGHT_BIT_CSI = "\x9b31m"


def hostile() -> Scenario:
    """Escape sequences, control characters, markup, wide, combining, invisible and right-to-left characters."""
    denial = f"{_CLEARS_SCREEN}[bold red]denied[/] by \u202eevil\u202c\nsecond line\ttab {_FILLS_CLIPBOARD}"
    astray = RoutePlan(
        name=f"[@click=app.quit]route[/]{_SETS_TITLE}",
        destination="10.42.11.0/24",
        to=f"us-central1-a/{_EIGHT_BIT_CSI}gone[/red]",
    )
    labels = ((f"evil/{_SETS_TITLE}", f"[on red]{_CLEARS_SCREEN}[/]"), ("topology.kubernetes.io/zone", "a\r\nb"))
    return Scenario(
        name="hostile",
        pod_cidrs=POD_CIDRS[:1],
        sites=(EC2, replace(COMPUTE_ENGINE, routes=(astray,)), replace(AZURE, denial=denial)),
        machines=(
            replace(ec2(f"{_CLEARS_SCREEN}clear", 11, 1), labels=labels),
            replace(ec2("[bold red]markup[/bold red]", 12, 2), forwards=False),
            replace(ec2("[/]", 13, 3), os=f"{_EIGHT_BIT_CSI}beos"),
            replace(ec2("[@click=app.quit]click[/]", 14, 4), backend=f"vxlan{_SETS_TITLE}"),
            ec2("節点-名前-節点-名前", 15, 5),
            replace(ec2("e\u0301\u0302\u0303\u0304\u0305combining", 16, 6), forwards=False),
            ec2("\u202egnorw\u202c-\u200binvisible\ufeff", 17, 7),
            ec2("x" * 253, 18, 8),
            ec2("👩‍👩‍👧‍👦-family", 19, 9),
            replace(compute_engine("'; reboot #", 11, 10), forwards=False),
            replace(compute_engine(f"$(reboot)`reboot`{_FILLS_CLIPBOARD}", 12, 11), routed=False),
            compute_engine("line\nfeed\rreturn\x00nul\x7fdel", 13, 12),
            compute_engine('=HYPERLINK("https://demo.invalid")', 14, 13),
            azure(f"{_SETS_TITLE}azure", 4, 20),
        ),
    )
