"""The agent goes, comes back, or lets somebody do nothing: the screen says so at once and never pretends."""

import pytest

from tests.control.site import Site, running
from tests.tui.kit import Walk, acting_as, journey
from tests.tui.site import furnished
from tui.widgets.log_view import LogView

SECURITY, AUDITOR, NOBODY = 61_701, 61_702, 61_703  # groups no host has
SETTINGS = f"[roles]\nsystem = 61700\nsecurity = {SECURITY}\nauditor = {AUDITOR}\n"


def test_who_reads_further_up_stays_there_when_the_agent_is_back(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("log")
        view = t.terminal.screen.query_one(LogView)
        await t.press("home")
        await t.press("pagedown")
        await t.press("pagedown")
        await t.press("up")
        before, place = view.reading, (view.top, view.cursor)
        assert view.top
        shared.control.kill()
        shared.control.wait()
        await t.sees("AGENT LOST")
        shared.start_control()
        await t.until(lambda: view.reading is not before, "another reading")
        await t.settled()
        await t.sees(f"计划{view.cursor}.txt", "new (f)")
        assert (view.top, view.cursor) == place
        assert not view.following

    journey(shared, walk)


def test_losing_the_agent_shows_at_once_and_it_reconnects_by_itself(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        shared.control.kill()
        shared.control.wait()
        await t.sees("AGENT LOST", "data below is outdated", "PROTECTION UNKNOWN")
        await t.press("2")
        await t.sees("Access log", "AGENT LOST")
        await t.press("slash")
        await t.sees("filter: the agent is not running")
        shared.start_control()
        await t.sees_no("AGENT LOST")
        await t.settled()
        await t.press("home")
        await t.sees("计划0.txt")
        await t.press("1")
        await t.sees("NOT PROTECTED")

    journey(shared, walk)


def test_a_place_that_is_laid_out_while_the_agent_goes_claims_nothing_afterwards(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        t.terminal._screen("home")  # noqa: SLF001 - as it is for some milliseconds on its way: made, and empty
        shared.control.kill()
        shared.control.wait()
        await t.sees("AGENT LOST")
        await t.press("1")
        await t.sees("PROTECTION UNKNOWN")
        shared.start_control()
        await t.sees("NOT PROTECTED")

    journey(shared, walk, place="log")


def test_an_agent_that_was_never_there_is_said_in_both_languages(shared: Site) -> None:
    shared.control.terminate()
    shared.control.wait()

    async def walk(t: Walk) -> None:
        await t.sees("守护服务失联", "防护状态未知")
        await t.press("f2")
        await t.sees("AGENT LOST", "UNKNOWN")

    journey(shared, walk, "zh")
    shared.start_control()


def test_a_reading_that_ended_with_its_agent_is_begun_anew(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        await t.press("d")
        await t.sees("40 of 40")
        shared.control.kill()
        shared.control.wait()
        await t.sees("AGENT LOST")
        shared.start_control()
        await t.sees_no("AGENT LOST")
        await t.settled()
        await t.press("home")
        await t.sees("预算3.xlsx")

    journey(shared, walk, place="log")


@pytest.fixture
def with_roles(tmp_path_factory: pytest.TempPathFactory, zone: None):  # type: ignore[no-untyped-def]
    import shutil
    import tempfile
    from pathlib import Path

    root = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
    root.chmod(0o755)
    furnished(root / "home", settings=SETTINGS)
    with running(root / "home") as started:
        yield started
    shutil.rmtree(root)


def test_what_the_role_may_not_do_is_there_in_brackets_and_says_why(with_roles: Site) -> None:
    async def officer(t: Walk) -> None:
        await t.settled()
        await t.sees("security officer", "reserved for the auditor; you are the security officer", "(d denials)")
        await t.press("2")
        await t.sees("Access log: reserved for the auditor; you are")
        await t.press("question_mark")
        await t.sees("reserved for the auditor; you are")
        await t.press("escape", "colon")
        await t.type("log")
        await t.sees("(reserved for the auditor; you are the sec")

    async def auditor(t: Walk) -> None:
        await t.settled()
        await t.press("2")
        await t.sees("auditor", "计划399")

    async def nobody(t: Walk) -> None:
        await t.sees("no role", "the caller is in no role group")

    for group, walk in ((SECURITY, officer), (AUDITOR, auditor), (NOBODY, nobody)):
        with acting_as(61_800, group):
            journey(with_roles, walk)
    assert [entry["actor"]["role"] for entry in with_roles.entries(kind="read")] == ["auditor", "auditor"]  # type: ignore[index]
