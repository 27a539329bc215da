"""The verbs over the embedded world: what they print, what they return, and when they refuse."""

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests import build
from tui import verbs
from tui.applying import Consent, needs_name
from tui.demo import KUBERNETES, Call, open_world
from tui.demo.azure_cloud import AzureReader
from tui.engine.applier import Writing
from tui.engine.journal import Journal
from tui.engine.observer import Observer
from tui.engine.session import Session
from tui.model.change import Change
from tui.model.network import NetworkInterface, Route
from tui.model.plan import Plan, build_plan
from tui.model.plan_document import plan_document
from tui.ports import Denied, Misconfigured, PortError, Throttled, Unavailable
from tui.process import Signals, Streams
from tui.verbs import Request

GOLDEN = Path(__file__).parent / "golden"


class House:
    """A session on a scenario whose clock stands, and what the verbs print about it."""

    def __init__(self, scenario: str, folder: Path, capsys: pytest.CaptureFixture[str], *, read_only: bool = False):
        self.world = open_world(scenario, latency=False)
        observer = Observer(
            nodes=self.world.nodes, reader=self.world.reader, clock=self.world.clock, scope=self.world.scope
        )
        self.journal = Journal.of(folder, observer.cluster, self.world.clock)
        self.session = Session(
            nodes=self.world.nodes,
            observer=observer,
            reader=self.world.reader,
            writing=None if read_only else Writing(writer=self.world.writer, width=1),
            journal=self.journal,
            clock=self.world.clock,
        )
        self._capsys = capsys
        self.out = self.err = ""

    def check(self, *nodes: str, as_json: bool = False) -> int:
        return self._told(lambda: verbs.check(self.session, Streams(), Request(nodes=nodes, json=as_json)))

    def plan(
        self,
        *nodes: str,
        as_json: bool = False,
        out: Path | None = None,
        prune: bool = False,
        delete_first: bool = False,
    ) -> int:
        request = Request(nodes=nodes, json=as_json, prune=prune, delete_first=delete_first)
        return self._told(lambda: verbs.plan(self.session, Streams(), request, out))

    def apply(
        self,
        *nodes: str,
        as_json: bool = False,
        yes: bool = True,
        saved: Path | None = None,
        most: int = 50,
        prune: bool = False,
    ) -> int:
        request = Request(nodes=nodes, json=as_json, prune=prune)
        return self._writing(verbs.apply, request, Consent(yes=yes, saved=saved, max_changes=most))

    def undo(self, apply_id: str | None = None, *, as_json: bool = False, yes: bool = True, most: int = 50) -> int:
        request = Request(apply_id=apply_id, json=as_json)
        return self._writing(verbs.undo, request, Consent(yes=yes, max_changes=most))

    def journalled(self, apply_id: str | None = None, *, as_json: bool = False) -> int:
        request = Request(apply_id=apply_id, json=as_json)
        return self._told(lambda: verbs.journal(self.session, Streams(), request))

    def _writing(
        self, verb: Callable[[Session, Streams, Signals, Request, Consent], int], request: Request, consent: Consent
    ) -> int:
        def run() -> int:
            with Signals() as signals:
                return verb(self.session, Streams(), signals, request, consent)

        return self._told(run)

    def _told(self, run: Callable[[], int]) -> int:
        try:
            return run()
        finally:
            self.out, self.err = self._capsys.readouterr()

    def forwards(self, *names: str) -> list[bool | None]:
        return [self.world.interface(name).forwards for name in names]


Open = Callable[..., House]
BROKEN = ("linux-3", "windows-2")
"""The nodes of the scenario ``aws`` whose check is on."""


@pytest.fixture
def house(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Open:
    def open_house(scenario: str = "aws", *, read_only: bool = False) -> House:
        return House(scenario, tmp_path / "state", capsys, read_only=read_only)

    return open_house


def golden(name: str, text: str) -> None:
    """Hold text against a file that was looked at; ``UPDATE_GOLDEN=1`` writes it anew."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


# check


@pytest.mark.parametrize(
    "scenario", ["mixed", "healthy", "gce", "quota", "controller", "denied", "custom", "bare-metal", "empty", "hostile"]
)
def test_check_prints_what_it_always_printed(scenario: str, house: Open) -> None:
    here = house(scenario)
    here.check(as_json=True)
    golden(f"check-{scenario}.json", here.out)
    here.check()
    golden(f"check-{scenario}.txt", here.out)
    assert here.err == ""


@pytest.mark.parametrize(
    ("scenario", "nodes", "code"),
    [
        ("healthy", (), 0),
        ("empty", (), 0),
        ("aws", (), 1),
        ("aws", ("linux-1",), 0),
        ("aws", ("linux-1", "linux-3"), 1),
        ("denied", (), 3),
        ("denied", ("aws-linux-1",), 0),
        ("denied", ("aws-win-1",), 1),
        ("denied", ("gce-linux-1",), 3),
        ("denied", ("aws-win-1", "gce-linux-1"), 3),
        ("mixed", ("gce-win-2",), 1),
        ("mixed", ("aws-linux-4",), 1),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_the_exit_code_of_check(scenario: str, nodes: tuple[str, ...], code: int, as_json: bool, house: Open) -> None:
    assert house(scenario).check(*nodes, as_json=as_json) == code


def test_a_lost_source_is_told_on_stderr_beside_json(house: Open) -> None:
    here = house("denied")
    assert here.check(as_json=True) == 3
    assert json.loads(here.out)["sources"][-1]["state"] == "denied"
    assert "not observed: gce:demo-project is denied: compute.instances.list is missing" in here.err


@pytest.mark.parametrize("nodes", [(), ("whoever",)])
def test_a_lost_cluster_is_no_proof_and_judges_no_name(nodes: tuple[str, ...], house: Open) -> None:
    here = house()
    here.world.lose(KUBERNETES, Unavailable("no answer from the API server"))
    assert here.check(*nodes, as_json=True) == 3
    assert json.loads(here.out)["sources"][0]["state"] == "unavailable"
    assert here.check(*nodes) == 3
    assert "kubernetes unavailable: no answer from the API server" in here.out
    assert here.plan(*nodes) == 3
    assert here.apply(*nodes) == 3


@pytest.mark.parametrize("verb", ["check", "plan", "apply"])
def test_an_unknown_node_is_refused_with_close_names(verb: str, house: Open) -> None:
    here = house()
    with pytest.raises(Misconfigured) as raised:
        getattr(here, verb)("linux-3", "linux-9")
    assert str(raised.value).startswith("there is no node 'linux-9' in demo-aws, did you mean linux-")
    assert here.out == ""
    assert here.forwards("linux-3") == [False]


def test_a_name_like_no_other_gets_no_guess(house: Open) -> None:
    with pytest.raises(Misconfigured, match=r"^there is no node 'zz\\x1b' in demo-aws$"):
        house().check("zz\x1b")


# plan


@pytest.mark.parametrize("scenario", ["mixed", "healthy", "gce", "quota", "hostile"])
def test_plan_prints_what_it_always_printed(scenario: str, house: Open) -> None:
    here = house(scenario)
    here.plan(as_json=True)
    golden(f"plan-{scenario}.json", here.out)
    here.plan()
    golden(f"plan-{scenario}.txt", here.out)


@pytest.mark.parametrize(
    ("scenario", "nodes", "code"),
    [
        ("healthy", (), 0),
        ("aws", (), 1),
        ("aws", ("linux-1",), 0),
        ("denied", (), 3),
        ("denied", ("aws-win-1",), 1),
        ("denied", ("gce-win-1",), 3),
        ("mixed", ("aws-linux-3",), 0),
    ],
)
def test_the_exit_code_of_plan(scenario: str, nodes: tuple[str, ...], code: int, house: Open) -> None:
    here = house(scenario)
    assert here.plan(*nodes) == code
    assert here.world.calls(Call.WRITE) == 0


def test_stray_routes_are_deleted_only_when_asked_for(house: Open) -> None:
    here = house("gce")
    here.plan(as_json=True)
    kept = json.loads(here.out)["changes"]
    assert all(change["node"] is not None for change in kept)
    assert "1 stray route is left alone: l2bridge-tui plan --prune shows the deletion" in here.err
    here.plan(as_json=True, prune=True)
    pruned = json.loads(here.out)["changes"]
    (stray,) = (change for change in pruned if change["node"] is None)
    assert (stray["action"], stray["kind"], stray["after"]) == ("delete", "route", None)
    assert len(pruned) == len(kept) + 1
    assert "left alone" not in here.err
    assert here.err.endswith(" apply --prune\n")
    assert here.apply(prune=True) == 0
    assert here.check() == 0


def test_a_gap_is_planned_only_when_asked_for(house: Open) -> None:
    here = house("quota")
    assert here.plan() == 0
    assert "--delete-first" in here.out
    assert here.plan(delete_first=True) == 1
    assert "DANGER:      the old route is deleted first: the pod CIDR is unreachable in between" in here.out
    assert here.err.endswith(" apply --delete-first\n")


def test_what_is_found_about_no_node_is_told_and_says_nothing_about_named_ones(house: Open) -> None:
    here = house("gce")
    assert here.check("gce-linux-1") == 0
    assert "route-stray" in here.out
    assert "Everything" not in here.out
    assert here.check() == 1


def test_a_plan_that_mends_nothing_says_what_is_left(house: Open) -> None:
    here = house("mixed")
    assert here.plan("aws-linux-3", as_json=True) == 0
    assert [refused["code"] for refused in json.loads(here.out)["refused"]] == ["layer2-different"]
    assert "\nNothing to do: 1 finding is left that no plan can mend, such as in subnet-" in here.err


def test_plan_names_the_next_command(house: Open, tmp_path: Path) -> None:
    here = house()
    here.plan("linux-3")
    assert here.err == "Apply it: l2bridge-tui apply linux-3\n"
    here.plan("linux-3", out=tmp_path / "the plan")
    assert here.err == f"Saved. Apply exactly this: l2bridge-tui apply --plan '{tmp_path}/the plan'\n"


def test_a_saved_plan_is_what_json_prints_and_only_its_owner_reads_it(house: Open, tmp_path: Path) -> None:
    here, path = house(), tmp_path / "plan.json"
    path.write_text("an older one")
    path.chmod(0o644)
    assert here.plan(as_json=True, out=path) == 1
    assert path.read_text() == here.out
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["plan.json"]


def test_a_plan_that_cannot_be_saved_is_an_error(house: Open, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file or directory"):
        house().plan(out=tmp_path / "nowhere" / "plan.json")
    with pytest.raises(Misconfigured, match="is not a file"):
        house().plan(out=tmp_path)


# apply


def test_apply_proves_what_it_did_and_then_has_nothing_to_do(house: Open) -> None:
    here = house()
    assert here.apply(as_json=True) == 0
    document = json.loads(here.out)
    assert [outcome["status"] for outcome in document["outcomes"]] == ["applied", "applied"]
    assert here.forwards(*BROKEN) == [True, True]
    kinds = [entry["type"] for entry in here.journal.entries()]
    assert kinds == ["began", "intent", "outcome", "intent", "outcome", "ended"]
    assert document["id"] == here.journal.entries()[0]["apply"]
    assert here.apply(as_json=True) == 0
    assert (json.loads(here.out)["id"], json.loads(here.out)["outcomes"]) == (None, [])
    assert here.world.calls(Call.WRITE) == 2


def test_apply_shows_the_plan_and_its_progress_on_stderr_and_the_result_on_stdout(house: Open) -> None:
    here = house()
    assert here.apply("linux-3") == 0
    assert "Plan: 0 to add, 1 to change, 0 to destroy.\n" in here.err
    assert "(node linux-3) ...\n[1/1] ~ forwarding of eni-" in here.err
    assert "(node linux-3): applied and verified (" in here.out
    assert here.out.endswith(": 1 applied.\n")
    assert here.forwards(*BROKEN) == [True, False]


def test_apply_tells_what_the_fabric_does_with_the_routes(house: Open) -> None:
    here = house("azure")
    assert here.apply() == 0
    told = [line for line in here.err.splitlines() if line.startswith("the fabric ")]
    assert told == [
        "the fabric agrees on 6 pod CIDRs, seen from az-linux-1",
        "the fabric agrees on 6 pod CIDRs, seen from az-win-1",
    ]
    assert "fabric" not in here.out


def test_a_fabric_that_does_not_tell_changes_nothing_but_that_line(
    house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: object, __: object) -> tuple[Route, ...]:
        raise Denied("Microsoft.Network/networkInterfaces/effectiveRouteTable/action is missing")

    monkeypatch.setattr(AzureReader, "effective_routes", denied)
    here = house("azure")
    assert here.apply() == 0
    assert here.out.endswith(" applied.\n")
    assert "fabric" not in here.err + here.out


def test_a_fabric_that_differs_is_told_and_leaves_the_exit_code(house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AzureReader, "effective_routes", lambda _, __: ())
    here = house("azure")
    assert here.apply() == 0
    assert "the fabric differs on 6 of 6 pod CIDRs, seen from az-linux-1: 10.42.1.0/24: no route; " in here.err


def test_the_fabric_is_not_asked_for_json_and_not_when_nothing_was_written(
    house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[NetworkInterface] = []

    def noted(_: object, interface: NetworkInterface) -> tuple[Route, ...]:
        asked.append(interface)
        return ()

    monkeypatch.setattr(AzureReader, "effective_routes", noted)
    here = house("azure")
    here.world.fail_next(Call.WRITE, Denied("Microsoft.Network/routeTables/write is missing"), times=20)
    assert here.apply() == 4
    assert "fabric" not in here.err
    other = house("azure")
    assert other.apply(as_json=True) == 0
    assert not asked


def test_a_wait_is_told(house: Open) -> None:
    here = house()
    here.world.fail_next(Call.WRITE, Throttled("slow\x1b down", 3.0))
    assert here.apply("linux-3") == 0
    assert ": throttled, waits 3.0 s of the 75 s that are left for that: slow\\x1b down\n" in here.err


def test_apply_without_anything_to_do_says_so(house: Open) -> None:
    here = house("healthy")
    assert here.apply() == 0
    assert here.out == "Nothing to do.\n"


def test_what_was_applied_is_no_proof_of_what_was_not_seen(house: Open) -> None:
    here = house("denied")
    assert here.apply() == 3
    assert here.forwards("aws-win-1") == [True]


def test_a_change_that_fails_is_an_exit_code_of_its_own(house: Open) -> None:
    here = house()
    here.world.fail_next(Call.WRITE, Denied("ec2:ModifyNetworkInterfaceAttribute is missing"))
    assert here.apply(as_json=True) == 4
    assert [outcome["status"] for outcome in json.loads(here.out)["outcomes"]] == ["failed", "applied"]
    here.world.fail_next(Call.WRITE, Denied("still missing"))
    assert here.apply() == 4
    assert "FAILED: still missing" in here.out
    assert here.out.endswith("Not everything is done. See what is left: l2bridge-tui plan\n")


def test_a_saved_plan_is_applied_as_it_is(house: Open, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    house().plan("linux-3", out=path)
    here = house()
    assert here.apply(saved=path, yes=False) == 0
    assert here.forwards(*BROKEN) == [True, False]


def test_a_saved_plan_of_which_everything_drifted(house: Open, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    here = house("mixed")
    here.plan("gce-win-1", out=path)
    subject = here.world.interface("gce-win-1").switch.subject
    here.world.change_behind(subject, True)
    here.world.change_behind(subject, False)
    assert here.apply(saved=path, as_json=True) == 4
    assert json.loads(here.out)["outcomes"][0]["status"] == "refused"
    assert here.world.calls(Call.WRITE) == 0


def _saved(tmp_path: Path, text: bytes) -> Path:
    path = tmp_path / "plan.json"
    path.write_bytes(text)
    return path


def document(**changes: object) -> dict[str, object]:
    plan = build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=[build.switch_on()])
    return plan_document(plan) | changes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (json.dumps(document()).encode()[:-40], "is not complete JSON"),
        (b"", "is not complete JSON"),
        (b"\xff\xfe", "is no saved plan"),
        (b"[" * 100_000, "is no saved plan"),
        (b"[]", "is not an object"),
        (json.dumps(document(schema="l2bridge-tui/plan/v9")).encode(), "has the schema 'l2bridge-tui/plan/v9'"),
        (json.dumps(document(id="sha256:0")).encode(), "was altered"),
        (json.dumps(document()).encode(), "is for the cluster https://10.0.0.1:6443, and demo-aws is https://demo."),
    ],
)
def test_a_saved_plan_that_cannot_be_used_is_refused_whole(
    text: bytes, sentence: str, house: Open, tmp_path: Path
) -> None:
    here = house()
    with pytest.raises(Misconfigured) as raised:
        here.apply(saved=_saved(tmp_path, text))
    assert sentence in str(raised.value)
    assert (here.out, here.world.calls(Call.WRITE), here.journal.entries()) == ("", 0, ())


def test_a_saved_plan_that_is_not_there(house: Open, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"plan\.json cannot be read: No such file"):
        house().apply(saved=tmp_path / "plan.json")


def test_apply_needs_a_writer(house: Open) -> None:
    here = house(read_only=True)
    with pytest.raises(Misconfigured, match="--read-only forbids it"):
        here.apply()
    assert here.world.calls(Call.LIST) == 0


def test_apply_without_terminal_and_consent_reads_nothing(house: Open) -> None:
    here = house()
    with pytest.raises(Misconfigured, match="no terminal to ask on: give --yes or --plan FILE"):
        here.apply(yes=False)
    assert here.world.calls(Call.LIST) == 0


@pytest.mark.parametrize("by_plan", [False, True])
def test_more_changes_than_allowed_are_not_applied_unasked(by_plan: bool, house: Open, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    here = house()
    here.plan(out=path)
    with pytest.raises(Misconfigured, match="the plan has 2 changes, more than --max-changes 1 allows unasked"):
        here.apply(yes=not by_plan, saved=path if by_plan else None, most=1)
    assert here.world.calls(Call.WRITE) == 0
    assert here.apply(most=2) == 0


def test_many_changes_and_deletions_want_the_name() -> None:
    def made(*changes: Change) -> Plan:
        return build_plan(cluster=build.CLUSTER, created_at=build.NOON, changes=changes)

    one = build.switch_on()
    assert not needs_name(made(one, replace(one, subject="eni-2")), 2)
    assert needs_name(made(one, replace(one, subject="eni-2")), 1)
    assert needs_name(made(build.delete_route()), 50)
    assert needs_name(made(build.replace_route()), 50)
    assert not needs_name(made(build.create_route()), 50)


# Interruption.


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["hup", "int", "term"]
)
def test_a_signal_ends_an_apply_after_the_change_under_way(number: signal.Signals, code: int, house: Open) -> None:
    here = house()
    before = signal.getsignal(number)

    def interrupt() -> None:
        with here.world.hold(Call.WRITE) as arrived:
            assert arrived.wait(10)
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)
            here.session._runs._stop.wait(10)  # nothing public tells this before the end

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert here.apply(as_json=True) == code
    thread.join()
    assert [outcome["status"] for outcome in json.loads(here.out)["outcomes"]] == ["applied", "skipped"]
    assert "Stopping after the current change" in here.err
    assert here.forwards(*BROKEN) == [True, False]
    assert [entry["type"] for entry in here.journal.entries()] == ["began", "intent", "outcome", "ended"]
    assert signal.getsignal(number) is before


def test_a_signal_that_came_before_there_was_anything_to_stop_is_not_lost(house: Open) -> None:
    here = house()
    request, consent = Request(json=True), Consent(yes=True, max_changes=50)
    with Signals() as signals:
        signals.code = 143
        assert verbs.apply(here.session, Streams(), signals, request, consent) == 143
    assert here.forwards(*BROKEN) == [False, False]


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signals.code is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_journal_that_cannot_be_written_lets_nothing_begin(house: Open, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")
    here = house()
    with pytest.raises(PortError, match="nothing is changed without it"):
        here.apply()
    assert here.world.calls(Call.WRITE) == 0


def test_a_journal_that_breaks_on_the_way_ends_the_apply(house: Open) -> None:
    here = house()

    def break_journal() -> None:
        with here.world.hold(Call.WRITE) as arrived:
            assert arrived.wait(10)
            here.journal.path.unlink()
            here.journal.path.mkdir()

    thread = threading.Thread(target=break_journal)
    thread.start()
    assert here.apply(as_json=True) == 4
    thread.join()
    assert here.out == ""
    assert "broken off: the journal" in here.err
    assert here.forwards(*BROKEN) == [True, False]
