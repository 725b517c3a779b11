"""Batches of layoffs on the screen of departures: each as one, and the cases of one alone."""

from tests.control.site import Site
from tests.tui.kit import WIDE, Walk, journey


def test_a_batch_is_chosen_and_left_again(site: Site) -> None:
    with site.client() as agent:
        for person, batch in (("L1", "2026-11"), ("L2", "2026-11"), ("L3", "")):
            agent.call("person.add", person=person)
            named = {"batch": batch, "kind": "layoff"} if batch else {}
            agent.call("case.open", person=person, last_day="2099-12-31", **named)

    async def walk(t: Walk) -> None:
        await t.go("departures")
        await t.sees("L1 ", "L2 ", "L3 ")
        await t.press("b")
        await t.sees("2026-11: 2 people, access ended for 0")
        await t.press("enter")
        await t.sees("L1 ", "L2 ")
        await t.sees_no("L3 ")
        await t.press("b")
        await t.sees("L3 ")

    journey(site, walk, "en", WIDE)
