"""The key that explains a verdict: pages of findings, what was found right, and what could not be read."""

import re
from pathlib import Path

from tests.screen.console import Console, console
from tui.model.finding import Code
from tui.pages import PAGES
from tui.screen.explain import Explanation
from tui.screen.textview import TextView

WHOLE = (80, 70)
"""A terminal in which no dialog has to be scrolled."""


async def opened(shown: Console, name: str, *keys: str) -> str:
    """Press keys on a node; return what the dialog that they open shows, as if lines had no end."""
    await shown.select(name)
    await shown.press(*keys)
    await shown.until(lambda: isinstance(shown.app.screen, Explanation))
    return shown.unwrapped()


async def test_a_verdict_is_explained_finding_by_finding_the_worst_first(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed", size=WHOLE) as shown:
        told = await opened(shown, "azure-pool-000002", "d")
        off, member = PAGES[Code.FORWARDING_OFF], PAGES[Code.SCALE_SET_MEMBER]
        in_order = ["error forwarding-off: enableIPForwarding of", off.effect, off.recurrence]
        in_order += ["warning scale-set-member: the interface belongs to", "az vmss update", member.remedy]
        places = [told.index(text) for text in in_order]
        assert places == sorted(places)
        assert "Looked at and found right" not in told


async def test_a_small_terminal_scrolls_with_j_and_k_and_escape_leads_back(tmp_path: Path) -> None:
    async with console(tmp_path, "mixed") as shown:
        first = await opened(shown, "azure-pool-000002", "enter", "d")
        last = PAGES[Code.SCALE_SET_MEMBER].references[-1]
        assert last not in first
        text = shown.app.screen.query_one(TextView)
        await shown.press("j", "j", "k")
        await shown.until(lambda: text.scroll_y == 1)
        await shown.press("pagedown", "pagedown")
        await shown.until(lambda: last in shown.unwrapped())
        await shown.press("escape")
        assert len(shown.app.screen_stack) == 1
        assert "STATE" not in shown.rows()[2], "the detail is still open"


async def test_a_healthy_node_tells_what_was_found_right_and_what_nobody_looked_at(tmp_path: Path) -> None:
    async with console(tmp_path, "healthy", size=WHOLE) as shown:
        told = await opened(shown, "gce-linux-1", "d")
        assert "OK + Forwarding on canIpForward = true on us-central1-a/gce-linux-1" in told
        assert re.search(r"OK \+ Route 10\.42\.\d+\.0/24 ok", told)
        assert "Not looked at: firewalls, security groups, network policies, and what runs inside of the VM." in told


async def test_an_unknown_node_tells_what_could_not_be_read_and_claims_no_fault(tmp_path: Path) -> None:
    async with console(tmp_path, "denied", size=WHOLE, read_only=True) as shown:
        told = await opened(shown, "gce-linux-1", ":", *"explain", "enter")
        assert "unknown instance-not-found: its VM was not observed: gce:demo-project is denied" in told
        assert "Neither a fault nor health is proven." in told
        assert "gce:demo-project denied: compute.instances.list is missing on demo-project" in told
        assert "?? ? Forwarding not observed" in told
        assert PAGES[Code.INSTANCE_NOT_FOUND].remedy not in told
