"""The parts between the screens and the agent: plans, forms, copies, settings, filters, the sentence of truth."""

import asyncio
import base64
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from agent.errors import UsageError
from agent.runtime.home import Home
from rules.text import Text
from tests.control.site import Site
from tests.sentences import en
from tests.stopped import stopped
from tests.tui.kit import Walk, journey
from tui import clipboard, filters
from tui.forms import Form
from tui.render import status as truth
from tui.render.cells import Toned, content, words_of
from tui.render.plan import PlanLine, PlanPage, outcome_page
from tui.screens.base import BaseScreen
from tui.screens.plan import PlanScreen
from tui.settings import Settings, read


def test_a_plan_is_agreed_to_only_by_typing_the_name(shared: Site) -> None:
    agreed: list[bool] = []
    plan = PlanPage(
        Text("Cut E1", "切断 E1"), [PlanLine(Text("end grants", "终止授权"), note="cannot be undone")], name="E1"
    )

    async def walk(t: Walk) -> None:
        async def ask() -> None:
            agreed.append(await t.terminal.agreed(plan))

        async def asked() -> None:
            t.terminal.run_worker(ask)  # type: ignore[unused-awaitable]
            await t.sees("Cut E1", "planned  end grants", "cannot be undone", "type `E1`")

        await asked()
        await t.press("enter")
        await t.sees("`-` does not match the name above")
        await t.type("E2")
        await t.press("enter")
        await t.sees("`E2` does not match the name above")
        assert agreed == []
        await t.press("backspace", "1", "enter")
        await t.until(lambda: agreed == [True])
        await asked()
        await t.press("E", "1", "escape")
        await t.until(lambda: agreed == [True, False])

    journey(shared, walk)


def test_a_result_tells_what_is_confirmed_from_what_was_only_sent(shared: Site) -> None:
    done = outcome_page(
        Text("Done", "完成"),
        [
            PlanLine("grants", "confirmed"),
            PlanLine("door 3", "sent"),
            PlanLine("door 4", "pending", "no answer"),
            PlanLine("x", "new"),
        ],
    )

    async def walk(t: Walk) -> None:
        async def show() -> None:
            await t.terminal.agreed(done)

        t.terminal.run_worker(show)  # type: ignore[unused-awaitable]
        await t.sees("✓ confirmed  grants", "! sent, not confirmed  door 3", "! PENDING  door 4", "no answer")
        await t.sees("3 steps are not confirmed yet")

    journey(shared, walk)


def test_a_form_asks_what_the_operation_takes_and_says_what_is_wrong_beside_it(site: Site) -> None:
    answers: list[Any] = []
    kinds = {"kind": [("training", Text("training", "培训"))]}

    async def walk(t: Walk) -> None:
        await t.settled()

        async def fill(form: Form) -> None:
            answers.append(await t.terminal.push_screen_wait(form))

        t.terminal.run_worker(fill(Form("hold.add", {"person": "E1002"})))  # type: ignore[unused-awaitable]
        await t.sees("person  E1002", "reason *")
        await t.press("enter")
        await t.sees("✗ required: reason")
        await t.type("audit")
        await t.press("enter")
        await t.until(lambda: answers)
        assert answers[0]["hold"] == "H000001"
        t.terminal.run_worker(fill(Form("grant.end", {})))  # type: ignore[unused-awaitable]
        await t.sees("Enter: submit")
        await t.type("G9")
        await t.press("enter")
        await t.sees("✗ ")
        await t.press("escape")
        await t.until(lambda: len(answers) == 2)
        assert answers[1] is None
        t.terminal.run_worker(fill(Form("record.add", {"person": "E1002"}, choices=kinds)))  # type: ignore[unused-awaitable]
        await t.sees("kind of record")
        await t.press("escape")

    journey(site, walk)
    assert [entry["args"] for entry in site.entries(act="hold.add")] == [{"person": "E1002", "reason": "audit"}]


def test_a_form_is_sent_once_however_often_enter_is_pressed(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        t.terminal.push_screen(Form("hold.add", {"person": "E1002"}))  # type: ignore[unused-awaitable]
        await t.sees("reason *")
        await t.type("audit")
        with stopped(site.control.pid):
            for key in ("enter", "x", "enter", "enter"):
                await t.press(key)
            await t.sees("waiting for the agent", "audit ")
        await t.sees_no("waiting for the agent")

    journey(site, walk)
    assert [entry["args"] for entry in site.entries(act="hold.add")] == [{"person": "E1002", "reason": "audit"}]


def test_what_is_long_goes_to_a_file_beside_the_clipboard(
    shared: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    written: list[str] = []

    async def walk(t: Walk) -> None:
        driver = t.terminal._driver  # noqa: SLF001 - the wire itself: what reaches the terminal
        assert driver
        monkeypatch.setattr(driver, "write", written.append)
        t.terminal.copy("密" * 10, "a.txt")
        await t.sees("sent to the clipboard of the terminal")
        t.terminal.copy("x" * 5000, "a.txt")
        t.terminal.copy("y" * 5000, "a.txt")
        await t.sees("also written to")

    journey(shared, walk)
    sequences = [one for one in written if one.startswith("\x1b]52")]
    assert base64.b64decode(sequences[0].removeprefix("\x1b]52;c;").removesuffix("\a")).decode() == "密" * 10
    files = sorted((tmp_path / "shoumi").iterdir())
    assert [file.name for file in files] == ["a-2.txt", "a.txt"]
    assert [file.read_text()[0] for file in files] == ["y", "x"]
    assert {os.stat(file).st_mode & 0o777 for file in files} == {0o600}
    for environ in ({"TMUX": "1"}, {"TERM": "tmux-256color"}, {"TERM": "screen"}):
        assert "set-clipboard" in en(clipboard.sent_message(None, environ))


def test_what_is_told_is_told_as_it_is(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        t.terminal.tell(Text("[/foo] [@click=app.quit]x[/] \x1b[2J", "-"))
        await t.sees("[/foo] [@click=app.quit]x[/] \\x1b[2J")
        t.terminal.tell_error(UsageError(Text("[bold", "-"), Text("[/]", "-")))
        await t.sees("[bold", "hint: [/]")

    journey(shared, walk)


def test_the_language_is_switched_while_running_everywhere(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        await t.sees("needs attention")
        await t.press("2")
        await t.settled()
        await t.press("f2")
        await t.sees("访问日志", "序号", "跟随最新", "帮助")
        await t.press("home")
        await t.sees("允许", "拒绝·观察")
        await t.press("1")
        await t.sees("待处理事项", "未受保护")
        await t.press("question_mark")
        await t.sees("所有屏幕")

    journey(shared, walk)


def test_a_site_remaps_keys_and_a_bad_file_only_says_so(shared: Site, tmp_path: Path) -> None:
    text = 'theme = "ansi-light"\nfont = 1\n[keys]\n"log.filter" = "ctrl+f"\n"log.frob" = "x"\n'
    (tmp_path / "terminal.toml").write_text(text)
    found = Settings.at(Home(tmp_path), {"XDG_CONFIG_HOME": str(tmp_path / "none"), "TERM": "xterm-256color"})
    assert (found.theme, dict(found.keys)) == ("ansi-light", {"log.filter": "ctrl+f"})
    assert found.trouble
    assert "font" in en(found.trouble) or "frob" in en(found.trouble)
    assert read("[", "f", Settings()).trouble
    assert Settings.at(Home(tmp_path / "none"), {"NO_COLOR": "1"}) == Settings(theme="ansi-dark", colourless=True)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("", {}),
        ("person:E1 verdict:deny", {"person": "E1", "verdict": "deny"}),
        ("判定：拒绝 人员:张", {"verdict": "deny", "person": "张"}),
        ("预算 甲", {"text": "预算 甲"}),
        ("/srv/a:b", {"text": "/srv/a:b"}),
        ("since:2026-03-01 x", {"since": "2026-03-01", "text": "x"}),
    ],
)
def test_a_filter_is_read_in_both_languages(typed: str, wanted: dict[str, str]) -> None:
    assert filters.parse(typed) == wanted


@pytest.mark.parametrize("typed", ["verdict:maybe", "person:", "frob:1"])
def test_a_condition_that_is_none_is_not_taken_for_text(typed: str) -> None:
    with pytest.raises(UsageError):
        filters.parse(typed)


def test_a_time_is_read_on_the_day_of_now_in_the_zone_of_now() -> None:
    now = datetime(2026, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=8)))
    for typed, hour in (("9:30", 1), ("09:30", 1), ("2026-03-01T09:30", 1), ("2026-03-01T09:30Z", 9)):
        assert filters.moment(typed, now) == datetime(2026, 3, 1, hour, 30, tzinfo=UTC)
    with pytest.raises(UsageError):
        filters.moment("25:99", now)


def test_a_condition_is_put_in_and_taken_out() -> None:
    assert filters.toggled("x", "verdict:deny") == "x verdict:deny"
    assert filters.toggled("x verdict:deny", "verdict:deny") == "x"
    assert filters.toggled("verdict:allow x", "verdict:deny") == "x verdict:deny"


AREA = {"name": "plans", "tier": "A", "mode": "enforce"}
IDLE = {"waiting": 0, "since": None, "seconds": 0}


@pytest.mark.parametrize(
    ("areas", "enforcing", "said"),
    [
        ([AREA], True, "✓ enforcing · tier A · 1 area"),
        ([], False, "✗ NOTHING IS PROTECTED"),
        ([AREA, {**AREA, "name": "b", "tier": "none"}], False, "✗ NOT PROTECTED: b · 2 areas"),
        ([{**AREA, "mode": "observe"}], False, "! OBSERVE MODE: plans"),
        ([AREA], False, "✗ below the tier"),
    ],
)
def test_the_sentence_never_says_more_than_the_agent(areas: list[Any], enforcing: bool, said: str) -> None:
    status = {
        "areas": areas,
        "enforcing": enforcing,
        "tier": "A",
        "holds": 0,
        "revocations": IDLE,
        "doors": 12,
        "decider": {"next_seq": 1_204_332},
    }
    sentence = content("en", *truth.sentence(status, 2, 1_204_331)).plain
    assert sentence.startswith(said)
    assert ("enforcing" in sentence) == enforcing
    assert sentence.endswith("12 doors · log verified to #1,204,331 · 2 open cases")


STATUS: dict[str, Any] = {
    "areas": [AREA], "enforcing": True, "tier": "A", "holds": 0, "revocations": IDLE, "doors": 0,
    "decider": {"next_seq": 1_204_332},
}  # fmt: skip


def test_revocations_that_are_being_proven_are_said_with_how_long_that_takes() -> None:
    busy = STATUS | {"revocations": {"waiting": 3, "since": "2026-11-02T01:30:00+00:00", "seconds": 150}}
    assert content("en", *truth.sentence(busy, 0, 0)).plain.endswith("3 revocations are being proven, about 2 min left")
    one = STATUS | {"revocations": {"waiting": 1, "since": "2026-11-02T01:30:00+00:00", "seconds": 4}}
    assert content("zh", *truth.sentence(one, 0, 0)).plain.endswith("1 项权限收回正在核证，约需 4 秒")


def test_a_registry_that_lacks_acts_of_the_log_is_said_first() -> None:
    sentence = content("en", *truth.sentence(STATUS | {"registry": "older"}, 0, 0)).plain
    assert sentence.startswith("✗ EVERYTHING IS DENIED: the registry lacks acts of the log")
    assert "CLOSED" not in content("en", *truth.sentence(STATUS | {"registry": "together"}, 0, 0)).plain


@pytest.mark.parametrize(
    ("log", "known", "said"),
    [
        (None, 0, "log to #1,204,331, not verified yet"),
        ({"verified_to": None, "verified_at": None, "verify_trouble": None}, 0, "log to #1,204,331, not verified yet"),
        ({"verified_to": 1_204_331, "verify_trouble": None}, 0, "log verified to #1,204,331"),
        ({"verified_to": 1_000, "verify_trouble": None}, 0, "log verified to #1,000 of #1,204,331"),
        ({"verified_to": 1_000, "verify_trouble": None}, 2_000, "log verified to #2,000 of #1,204,331"),
        ({"verified_to": None, "verify_trouble": None}, 1_204_331, "log verified to #1,204,331"),
    ],
)
def test_the_log_is_called_verified_only_as_far_as_somebody_looked(log: Any, known: int, said: str) -> None:
    status = STATUS | ({} if log is None else {"log": log})
    sentence = content("en", *truth.sentence(status, 0, truth.verified(status, known))).plain
    assert sentence == f"✓ enforcing · tier A · 1 area · {said}"


def test_a_log_that_is_not_in_order_is_said_in_red_and_nothing_of_it_is_called_verified() -> None:
    log = {"verified_to": 900, "verified_at": None, "verify_trouble": {"en": "entry 7 is damaged", "zh": "第 7 条损坏"}}
    status = STATUS | {"log": log}
    assert truth.verified(status, 1_000) == 0
    pieces = truth.sentence(status, 0, 0)
    [bad] = [piece for piece in pieces if isinstance(piece, Toned) and piece.tone == "bad"]
    assert words_of(bad, "en") == "✗ THE LOG HAS ERRORS: entry 7 is damaged (2, then v)"
    assert words_of(bad, "zh") == "✗ 日志有误：第 7 条损坏（按 2，再按 v）"
    assert "verified" not in content("en", *pieces).plain


@pytest.mark.parametrize(
    ("opens", "said"),
    [
        (None, ""),
        ({"count": 0, "p50_us": None, "p99_us": None}, "no opens passed the guard in the last minute"),
        (
            {"count": 12_345, "p50_us": 212.4, "p99_us": 1_340.0},
            "wait of opens in the guard: p50 0.21 ms · p99 1.3 ms · 12,345 in the last minute",
        ),
        (
            {"count": 1, "p50_us": 45_000.0, "p99_us": 45_000.0},
            "wait of opens in the guard: p50 45 ms · p99 45 ms · 1 in the last minute",
        ),
    ],
)
def test_how_long_opens_wait_is_said_with_what_it_measures(opens: Any, said: str) -> None:
    decider = {"next_seq": 1} | ({} if opens is None else {"opens": opens})
    assert content("en", *truth.waits({"decider": decider})).plain == said


@pytest.mark.parametrize("size", [(80, 24), (60, 16)], ids=str)
def test_what_is_asked_and_what_is_wrong_with_the_answer_are_seen_however_long_the_plan(
    shared: Site, size: tuple[int, int]
) -> None:
    lines = [PlanLine(Text(f"line {number}", f"第 {number} 行"), note="note") for number in range(40)]
    plan = PlanPage(Text("title", "标题"), lines, name="E1", warning=Text("mind " * 12, "注意" * 12))

    async def walk(t: Walk) -> None:
        await t.settled()
        t.terminal.push_screen(PlanScreen(plan))  # type: ignore[unused-awaitable]
        await t.sees("标题", "第 0 行", "请输入 `E1`")
        await t.type("E2")
        await t.press("enter")
        await t.sees("标题", "`E2` 与上面的名称不符", "E2 ")
        await t.press("escape")
        t.terminal.push_screen(Form("room.add"))  # type: ignore[unused-awaitable]
        await t.sees("登记场所", "场所 *", "回车：提交")
        await t.press("enter")
        await t.sees("✗ 必填：场所", "回车：提交")
        await t.type("vault")
        await t.press("enter")
        await t.sees("✗ 必填：密级", "密级 *")

    journey(shared, walk, "zh", size)


def test_an_answer_that_comes_while_the_program_takes_its_screens_down_is_no_crash(shared: Site) -> None:
    late: list[asyncio.Task[None]] = []

    async def walk(t: Walk) -> None:
        screen, terminal = t.terminal.screen, t.terminal
        assert isinstance(screen, BaseScreen)

        async def answered() -> None:
            while terminal.is_running:  # noqa: ASYNC110 - no event tells of the instant
                await asyncio.sleep(0)
            assert screen.is_attached
            screen.query_one("#what-has-been-taken-down-by-now")

        # A task of our own: a worker of the screen may be cancelled just before the instant that is meant.
        late.append(asyncio.create_task(screen._report_errors(answered)))  # noqa: SLF001
        await asyncio.sleep(0)

    journey(shared, walk)
    assert late[0].result() is None
