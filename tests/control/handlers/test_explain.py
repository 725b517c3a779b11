"""Where a path belongs, and what would be if."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import shipped_packs
from agent.api.operations import TABLE
from agent.control.handlers.explain import areas_of
from agent.control.handlers.what_if import supposing
from agent.errors import RefusedError
from agent.kernel import labels
from agent.registry.rows.areas import AreaRow
from rules.decide import decide
from rules.model import Clearance, Facts, Hold, Level, Person, Request, Resource
from rules.pack.reader import load
from tests import needs

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
PACK = load(shipped_packs.text("minimal"))
AREA = Resource("plans", Level.SECRET, "state")
PERSON = Person("E1", clearances=(Clearance("state", Level.INTERNAL, approved_by="E2"),))
FACTS = Facts(persons={"E1": PERSON}, resources={"plans": AREA})


def rows(top: Path) -> list[AreaRow]:
    return [
        AreaRow(replace(AREA, id=name), str(top / path), "quiet") for name, path in (("plans", "p"), ("deep", "p/d"))
    ]


def allowed(facts: Facts) -> bool:
    return decide(Request(("E1",), "plans"), facts, PACK, NOW).allow


def suppose(facts: Facts = FACTS, **args: object) -> Facts:
    read = TABLE["what-if"].read({"person": "E1", "target": "plans", **args}, None)
    return supposing(facts, read, NOW)


def test_a_path_belongs_to_the_innermost_area_around_it(tmp_path: Path) -> None:
    top = tmp_path.resolve()
    assert areas_of(str(top / "p/a.txt"), rows(top)) == (str(top / "p/a.txt"), ("plans",))
    assert areas_of(str(top / "p/d/a.txt"), rows(top))[1] == ("deep",)
    assert areas_of(str(top / "p"), rows(top))[1] == ("plans",)
    assert areas_of("deep", rows(top)) == (None, ("deep",))


def test_a_name_that_only_begins_alike_is_outside(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        areas_of(str(tmp_path / "p2/a"), rows(tmp_path))
    with pytest.raises(RefusedError):
        areas_of("nowhere", rows(tmp_path))


def test_links_and_dots_are_followed_to_the_real_place(tmp_path: Path) -> None:
    top = tmp_path.resolve()
    (top / "p").mkdir()
    os.symlink(top / "p", top / "elsewhere")
    assert areas_of(str(top / "elsewhere/a"), rows(top))[1] == ("plans",)
    with pytest.raises(RefusedError):
        areas_of(str(top / "p/../other"), rows(top))


@needs.root
def test_a_file_moved_out_of_an_area_is_still_in_it_by_its_label(tmp_path: Path) -> None:
    if not labels.supported(str(tmp_path)):
        needs.skip_or_fail("needs a filesystem that keeps trusted attributes")
    top = tmp_path.resolve()
    (top / "p/d").mkdir(parents=True)
    moved, inner = top / "moved", top / "p/d/inner"
    for path in (moved, inner):
        path.touch()
        labels.write(str(path), "plans")
    assert areas_of(str(moved), rows(top))[1] == ("plans",)
    assert areas_of(str(inner), rows(top))[1] == ("deep", "plans")  # both must allow


def test_what_if_asks_the_same_decision_with_other_facts() -> None:
    assert not allowed(FACTS)
    assert not allowed(suppose(level=["state=secret"]))
    assert allowed(suppose(level=["secret"], domain="state", grant=True))
    assert not allowed(suppose(level=["commercial=top-secret"], grant=True))
    assert not allowed(suppose(level=["state=secret"], grant=True, hold=True))
    assert not allowed(suppose(level=["state=none"], grant=True))


def test_what_if_can_take_away_and_give_back() -> None:
    cleared = suppose(level=["state=secret"], grant=True)
    assert allowed(cleared)
    assert not allowed(suppose(cleared, end_grants=True))
    held = replace(cleared, persons={"E1": replace(cleared.persons["E1"], holds=(Hold(NOW),))})
    assert not allowed(held)
    assert allowed(suppose(held, lift_holds=True))


@given(st.sets(st.sampled_from(["hold", "end_grants"]), min_size=1))
def test_supposing_less_never_allows_more(less: set[str]) -> None:
    for facts in (FACTS, suppose(level=["state=secret"], grant=True)):
        assert allowed(suppose(facts, **dict.fromkeys(less, True))) <= allowed(facts)


def test_supposing_leaves_the_facts_alone() -> None:
    suppose(level=["state=secret"], grant=True, hold=True, record=["training"], department="d", project=["p"])
    assert Facts(persons={"E1": PERSON}, resources={"plans": AREA}) == FACTS
