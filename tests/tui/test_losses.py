"""Before an act takes rights from anybody but the one it names, the plan is shown and the name is typed (C14)."""

from rules.text import Message, Text
from tests.control.site import Site
from tests.tui.kit import Walk, journey
from tui.forms import Form
from tui.render.losses import of_act
from tui.render.plan import PlanPage

RAISED = {"area": "plans", "level": "top-secret"}
TITLE = Text("change an area", "修改目录")
LOSS = {"person": "E1001", "areas": ["plans"], "rooms": [], "uids": []}


def test_raising_an_area_shows_who_loses_it_and_changes_nothing_until_the_name_is_typed(site: Site) -> None:
    answers: list[object] = []

    async def walk(t: Walk) -> None:
        await t.settled()

        async def fill() -> None:
            answers.append(await t.terminal.push_screen_wait(Form("area.set", RAISED)))

        t.terminal.run_worker(fill)  # type: ignore[unused-awaitable]
        await t.sees("Enter: submit")
        await t.press("ctrl+s")
        await t.sees("E1001 loses plans", "type `E1001`")
        await t.press("escape")
        await t.sees("nothing was changed")
        assert site.entries(act="area.set") == []
        await t.press("ctrl+s")
        await t.sees("E1001 loses plans")
        await t.type("E1001")
        await t.press("enter")
        await t.until(lambda: answers)

    journey(site, walk)
    [entry] = site.entries(act="area.set")
    assert entry["lost"] == {"people": 1, "first": [{"person": "E1001", "areas": ["plans"], "rooms": []}]}


def test_ending_one_s_grant_who_holds_nothing_asks_no_more_than_the_form(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        t.terminal.push_screen(Form("grant.end", {"grant": "G000001"}, only=("reason",)))  # type: ignore[unused-awaitable]
        await t.sees("Enter: submit")
        await t.type("audit")
        await t.press("enter")
        await t.until(lambda: site.entries(act="grant.end", outcome="done"))

    journey(site, walk)


def page(lost: list[dict[str, object]], *, one: bool, unknown: object = None, ends: bool = False) -> PlanPage | None:
    targets = [{"what": {"en": "process 7", "zh": "进程 7"}, "other": None}] if ends else []
    lasting = {"en": "lost", "zh": "丢失"} if ends else None
    step = {
        "id": "holders",
        "title": {"en": "end", "zh": "结束"},
        "skipped": None,
        "lasting": lasting,
        "nothing": None if ends else {"en": "no process holds classified files now", "zh": "目前没有进程持有涉密文件"},
        "targets": targets,
    }
    plans = [
        {"person": loss["person"], "cause": "loss", "officers": 0, "notices": [], "steps": [step]} for loss in lost
    ]
    return of_act({"lost": lost, "plans": plans, "unknown": unknown, "left_out": 0}, TITLE, single_person=one)


def test_the_plan_is_asked_for_what_the_form_did_not_say() -> None:
    other = LOSS | {"person": "E1002"}
    assert page([], one=False) is None
    assert page([LOSS], one=True) is None
    for asked, name in (
        (page([LOSS], one=False), "E1001"),
        (page([LOSS], one=True, ends=True), "E1001"),
        (page([LOSS, other], one=True), "2"),
        (of_act({"lost": [LOSS, other], "plans": [], "unknown": None, "left_out": 0}, TITLE, name="plans"), "plans"),
        (page([], one=True, unknown={"en": "the pack is damaged", "zh": "规则包损坏"}), "0"),
    ):
        assert asked is not None
        assert asked.name == name


def test_who_must_type_a_number_is_told_of_what() -> None:
    several = page([LOSS, LOSS | {"person": "E1002"}], one=True)
    assert several
    assert several.typed == Message("tui.number-of-people-losing-rights")
    one = page([LOSS], one=False)
    assert one
    assert one.lines[1].note == Text("no process holds classified files now", "目前没有进程持有涉密文件")
    assert one.typed is None


def test_a_grant_is_ended_by_one_plan_that_names_it_and_the_receipt_is_read_where_the_person_is(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("people")
        await t.press("c")
        await t.until(lambda: any("no receipt: no rights were taken" in one for one in t.told()))
        await t.press("G")
        await t.sees("choose a grant")
        await t.press("enter")
        await t.sees("Enter: submit")
        await t.type("audit")
        await t.press("enter")
        await t.sees("end the grant G000001 (E1001 → plans)", "E1001 loses plans", "`E1001`")
        await t.type("E1001")
        await t.press("enter")
        await t.until(lambda: site.entries(kind="receipt", case="L000001"))
        await t.press("c")
        await t.sees("receipt of L000001", "Access lost to areas: plans")
        await t.press("escape")
        with site.client() as agent:
            agent.call("hold.add", person="E1001", reason="inquiry")
        await t.until(lambda: site.entries(kind="receipt", case="H000001"))
        await t.press("c")
        await t.sees("choose a receipt", "H000001", "L000001", "loss of access grant.end plans")

    journey(site, walk)
    assert len(site.entries(act="grant.end", outcome="done")) == 1
