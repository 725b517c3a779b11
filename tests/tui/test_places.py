"""Walks through people, areas, rules and the system: looking, filtering, changing."""

from pathlib import Path

import pytest

from agent import shipped_packs
from rules.text import Text
from tests.control.site import Site
from tests.sentences import en
from tests.tui.kit import WIDE, Walk, journey
from tui.agent import Json
from tui.screens.home import HomeScreen


def test_a_person_is_found_read_given_a_record_and_stopped(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("people")
        await t.sees("张三", "Ann Lee")
        await t.press("slash")
        await t.type("E1001")
        await t.press("enter")
        await t.sees_no("Ann Lee")
        await t.press("enter")
        await t.sees("levels", "项目甲")
        await t.press("h")
        await t.sees("stop `E1001` at once")
        await t.type("E1001")
        await t.press("enter")
        await t.sees("reason")
        await t.type("lost")
        await t.press("enter")
        await t.sees("all access is cut")
        await t.press("escape")
        await t.sees("HOLD", "lost")

    journey(site, walk, size=WIDE)


def test_a_verdict_is_explained_and_supposed(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("rules")
        await t.press("w")
        await t.sees("explain whether a person may open")
        await t.type("E1001")
        await t.press("tab")
        await t.type("plans")
        await t.press("enter")
        await t.sees("ALLOW", "met")
        await t.press("escape")
        await t.sees_no("ALLOW")
        await t.press("w")
        await t.sees("explain whether a person may open")
        await t.type("E1002")
        await t.press("tab")
        await t.type("plans")
        await t.press("enter")
        await t.sees("DENY", "NOT MET", "level of the person to `secret`")
        await t.press("escape")
        await t.press("down", "down", "enter")
        await t.settled()
        await t.press("p")
        await t.sees("utc_offset")

    journey(site, walk)


def test_an_area_is_read_and_shows_whom_enforcing_would_have_denied(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("areas")
        await t.sees("archive", "OBSERVE")
        await t.press("down", "enter")
        await t.sees("recorded, not blocked", "规划处", "项目甲")
        await t.press("escape")
        await t.press("E")
        await t.sees("enforce at `plans`", "E1002", "would have been denied")
        await t.press("escape")
        await t.sees("OBSERVE")

    journey(site, walk)


def test_what_is_wrong_stands_first_with_the_command_that_helps(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("system")
        await t.sees("✗ GAP", "no role group is set")
        assert t.text().index("✗ GAP") < t.text().index("✓ ok")
        await t.press("enter")
        await t.sees("hint", "groupadd")
        await t.press("escape", "p")
        await t.sees("durability")

    journey(site, walk)


def test_another_pack_shows_what_it_changes_and_is_put_in_force_by_its_name(site: Site, tmp_path: Path) -> None:
    before = site.home.pack.read_bytes()
    bad = tmp_path / "bad.toml"
    bad.write_text(before.decode() + "\nfoo = 1\n")

    async def walk(t: Walk) -> None:
        await t.go("rules")
        await t.press("u")
        await t.sees("choose a rule pack", "company:", "a TOML file")
        await t.press("end", "enter")
        await t.sees("TOML file of the rule pack")
        await t.paste("/nowhere.toml")
        await t.press("enter")
        await t.sees("cannot read `/nowhere.toml`")
        await t.press(*["backspace"] * len("/nowhere.toml"))
        await t.paste(str(bad))
        await t.press("enter")
        await t.sees("this rule pack cannot be used", "unknown setting `foo`")
        assert "type `" not in t.text()
        await t.press("escape", "c")
        await t.sees("choose a rule pack")
        await t.press("enter")
        await t.sees("put company@", "requirement added: secrecy training", "removed: domain: state secrets")
        assert "type `" not in t.text()
        await t.press("escape")
        assert site.home.pack.read_bytes() == before
        await t.press("u")
        await t.sees("choose a rule pack")
        await t.press("enter")
        await t.sees("type `company`", "it applies to every person")
        await t.press("enter")
        await t.sees("does not match the name above")
        await t.type("company")
        await t.press("enter")
        await t.sees("in force: company@")
        await t.sees("temp-auth")

    journey(site, walk)
    assert site.home.pack.read_text(encoding="utf-8") == shipped_packs.text("company")


def test_a_holiday_is_marked_listed_and_made_a_working_day_again(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("rules")
        await t.press("h")
        await t.sees("没有登记节假日")
        await t.press("escape", "a")
        await t.sees("日期，如 2026-10-01")
        await t.type("2099-10-01")
        await t.press("tab")
        await t.paste("国庆")
        await t.press("enter")
        await t.sees_no("日期，如 2026-10-01")
        await t.press("h")
        await t.sees("2099-10-01", "国庆")
        await t.press("escape", "x")
        await t.sees("选择恢复为工作日的节假日")
        await t.press("enter")
        await t.sees("恢复为工作日：2099-10-01 国庆")

    journey(site, walk, "zh")
    with site.client() as client:
        assert list(client.stream("holiday.list")) == []


def test_a_service_is_added_and_ended_by_its_name(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("system")
        await t.press("a")
        await t.sees("ID of the service account")
        for word in ("backup", "61235", "/usr/bin/true", "plans"):
            await t.paste(word)
            await t.press("tab")
        await t.press("up", "enter")
        await t.sees_no("ID of the service account")
        await t.press("s")
        await t.sees("backup  uid 61235 /usr/bin/true → plans")
        await t.press("escape", "x")
        await t.sees("choose a service account")
        await t.press("enter")
        await t.sees("loses all access to areas", "type `backup`")
        await t.type("backup")
        await t.press("enter")
        await t.sees("confirmed", "denied from now on")
        await t.press("escape", "K")
        await t.sees("BEGIN PUBLIC KEY")

    journey(site, walk)
    assert [entry["outcome"] for entry in site.entries(act="service.remove")] == ["done"]


def test_a_grant_is_ended_after_its_plan_and_the_name_of_who_loses_it(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("people")
        await t.press("G")
        await t.sees("choose a grant", "项目甲")
        await t.press("enter")
        await t.sees("reason")
        await t.press("enter")
        await t.sees("end the grant G000001", "E1001 loses plans", "files open there", "type `E1001`")
        await t.type("E1001")
        await t.press("enter")
        await t.sees_no("reason")
        await t.press("enter")
        await t.sees("G000001  plans  项目甲  ended")

    journey(site, walk)


def test_a_quarantine_that_is_empty_says_so(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("departures")
        await t.press("Q")
        await t.sees("隔离区为空")

    journey(shared, walk, language="zh")


def test_the_denials_are_there_after_a_load_that_was_cut_short(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        agent, ask = t.terminal.agent, t.terminal.agent.call
        cut = {"log.read", "log.numbers", "log.page"}

        async def call(op: str, **args: Json) -> Json:
            if op in cut:
                cut.discard(op)
                home = t.terminal.screen
                assert isinstance(home, HomeScreen)
                home.start(home.load)  # cuts this very load short
            return await ask(op, **args)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(agent, "call", call)
            await t.go("home")
            await t.sees("预算393.xlsx")
        assert not cut

    journey(shared, walk, place="people")


def test_the_denials_are_back_when_the_role_is(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        whose = Text("for the auditor", "须由安全审计员执行")
        await t.sees("预算393.xlsx")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(t.terminal.agent, "not_mine", lambda *ops: whose if "log.read" in ops else None)
            t.terminal.screen.agent_changed()
            await t.sees(en(whose))
        t.terminal.screen.agent_changed()
        await t.sees("预算393.xlsx")

    journey(shared, walk)
