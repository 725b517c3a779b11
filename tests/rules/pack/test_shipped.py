"""The shipped packs are sound, say where each value comes from, and serve all 25 duties between them."""

import pytest

from rules.model import Level, Passback
from rules.pack.clauses import Clause, Duty, read_clauses, read_duties
from rules.pack.model import RuleSource
from rules.pack.reader import Pack, check
from rules.pack.schema import FAMILIES, TABLES
from tests.rules.strategies import PACKS, shipped
from tests.sentences import en, zh

NAMES = sorted(path.stem for path in PACKS.glob("*.toml"))


@pytest.fixture(scope="session")
def clauses(clauses_text: str) -> dict[str, Clause]:
    return dict(read_clauses(clauses_text))


@pytest.fixture(scope="session")
def duties(duties_text: str) -> dict[int, Duty]:
    return dict(read_duties(duties_text))


def sources(pack: Pack) -> dict[str, RuleSource]:
    found = {name: getattr(pack, name) for name in TABLES if getattr(pack, name) is not None}
    for family in FAMILIES:
        found |= {f"{family}.{name}": source for name, source in getattr(pack, family).items()}
    return found


def served(*names: str) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for name in names:
        for source in sources(shipped(name)).values():
            for duty in source.duties:
                found.setdefault(duty, set()).update(source.clauses)
    return found


def test_three_packs_are_shipped() -> None:
    assert NAMES == ["company", "minimal", "state"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_pack_has_no_problem_and_names_only_printed_clauses(name: str, clauses: dict[str, Clause]) -> None:
    text = (PACKS / f"{name}.toml").read_text(encoding="utf-8")
    assert check(text, known_clauses=frozenset(clauses)) == ()


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_called_like_the_pack_in_it(name: str) -> None:
    assert shipped(name).name == name
    assert shipped(name).id == f"{name}@{shipped(name).digest[:12]}"


def test_the_25_duties_are_numbered_and_drawn_from_enforced_clauses(
    duties: dict[int, Duty], clauses: dict[str, Clause]
) -> None:
    assert list(duties) == list(range(1, 26))
    for duty in duties.values():
        assert duty.clauses
        assert {clauses[clause].how for clause in duty.clauses} == {"enforced"}


@pytest.mark.parametrize("number", range(1, 26))
def test_state_and_company_serve_the_duty_with_every_clause_it_is_drawn_from(
    number: int, duties: dict[int, Duty]
) -> None:
    assert set(duties[number].clauses) <= served("state", "company")[number]


@pytest.mark.parametrize("name", ["company", "state"])
def test_a_duty_is_only_claimed_by_a_table_with_one_of_its_clauses(name: str, duties: dict[int, Duty]) -> None:
    for where, source in sources(shipped(name)).items():
        for duty in source.duties:
            assert set(duties[duty].clauses) & set(source.clauses), (where, duty)


@pytest.mark.parametrize("name", ["company", "state"])
def test_a_table_without_a_clause_says_that_the_site_decides(name: str) -> None:
    for where, source in sources(shipped(name)).items():
        if not source.clauses and source != type(source)():
            assert source.site, where


@pytest.mark.parametrize("name", ["company", "state"])
def test_no_length_is_given_a_clause_that_prints_none(name: str) -> None:
    """The regulations print one length that a decision uses: the 90 days of D01-2.2. All others are the site's."""
    pack = shipped(name)
    assert (pack.temp_auth.max_days, pack.temp_auth.clauses) == (90, ("D01-2.2",))
    for kind, record in pack.records.items():
        assert not record.valid_days or "valid_days" in record.site, kind


@pytest.mark.parametrize("name", ["company", "state"])
def test_rooms_know_one_place_take_visitors_below_the_top_and_bar_wires_that_prove_nothing(name: str) -> None:
    pack = shipped(name)
    assert pack.one_place is not None
    assert pack.visit is not None
    assert pack.wire is not None
    assert pack.one_place.passback is Passback.HARD
    assert "D12-2.5" in pack.one_place.clauses
    assert pack.visit.max_level < Level.TOP_SECRET
    assert {"max_days", "max_level"} <= set(pack.visit.site)
    assert pack.in_room is None  # off, until a site says where its machines stand


def test_every_shipped_pack_can_take_a_visitor_and_none_claims_a_clause_for_its_length() -> None:
    for name in NAMES:
        visit = shipped(name).visit
        assert visit is not None
        assert visit.max_days <= 90


def test_what_doors_serve_is_planned_no_more() -> None:
    for name in NAMES:
        assert not [one for one, plan in shipped(name).planned.items() if plan.served_by == "doors"]


def test_minimal_asks_for_no_record_no_period_and_no_hours() -> None:
    pack = shipped("minimal")
    assert (pack.records, pack.hours, pack.planned, pack.marking, pack.employment) == ({}, {}, {}, None, None)
    assert not pack.temp_auth.enabled


def test_a_class_stands_for_a_level_in_its_domain() -> None:
    pack = shipped("state")
    assert pack.level_of("核心", "state") is Level.TOP_SECRET
    assert pack.level_of("一般", "state") is Level.CONFIDENTIAL
    assert pack.level_of("三级", "state") is Level.NONE
    assert pack.level_of("三级", "commercial") is Level.INTERNAL
    assert pack.level_of("无此类", "state") is None
    assert pack.level_of("核心", "work") is None


def test_the_rules_in_force_are_listed_in_the_order_they_decide() -> None:
    names = [rule.id for rule in shipped("company").rules]
    assert names.index("hold") < names.index("departure") < names.index("level") < names.index("scope")
    assert names[names.index("grant") + 1 : names.index("hours")] == ["vetting", "training", "exam", "responsibility"]
    assert "employment" not in names
    assert "temp-auth" in names
    assert "temp-auth" not in [rule.id for rule in shipped("minimal").rules]


def test_every_clause_has_its_text_in_both_languages(clauses: dict[str, Clause]) -> None:
    assert len(clauses) == 468
    for clause in clauses.values():
        assert en(clause.obligation)
        assert zh(clause.obligation)
