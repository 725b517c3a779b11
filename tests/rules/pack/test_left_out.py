"""What a table asks for where its pack names the table and nothing in it.

Each value is written down here by hand: one that becomes another one changes what every site means that relies on it.
"""

import tomllib
from dataclasses import fields
from datetime import timedelta

import pytest

from rules.model import Level, Passback
from rules.offboarding.vocabulary import CaseKind
from rules.pack.model import (
    EmploymentRule,
    InRoomRule,
    LossRule,
    Pack,
    ProtectionRule,
    RuleSource,
    TempAuth,
    TwoPersonRule,
    VisitRule,
    WireRule,
)
from rules.pack.reader import load

BARE = """
name = "bare"
version = "1"
title = { en = "bare", zh = "空" }
[domains]
state = { en = "state secrets", zh = "国家秘密" }
[hold]
[departure]
[level]
[scope]
[grant]
[temp_auth]
enabled = true
max_days = 5
max_level = "secret"
[employment]
deny = ["temporary"]
[marking]
[two_person]
from_level = "secret"
[one_place]
[visit]
max_days = 5
max_level = "secret"
[in_room]
from_level = "secret"
[wire]
from_level = "secret"
[protection]
minimum_tier = "A"
[losses]
sessions = true
[departure_case]
[records.training]
title = { en = "training", zh = "培训" }
[approvers.head]
title = { en = "head", zh = "负责人" }
[measures.visit]
title = { en = "visit", zh = "回访" }
kind = "visit"
"""

LEFT_OUT = {
    "level": {"needs_approver": False, "map": {}},
    "grant": {"from_level": Level.INTERNAL, "after_post_change": True},
    "employment": {"domains": (), "temp_auth": False},
    "marking": {"period": False, "scope": False},
    "two_person": {"seconds": 30},
    "one_place": {"passback": Passback.HARD},
    "two_hands": {"any_two": (), "one_hand": (), "registered": True, "days": 7},
    "trial": {"enforce": True},
    "departure_case": {
        "chain": (), "notice_days": 0, "immediate": {CaseKind.UNFIT, CaseKind.UNAUTHORISED, CaseKind.DEATH},
        "hr_approvers": 1, "education": False, "exam": False, "cooling_off": (), "stop_units": False,
    },
    "records.training": {
        "from_level": Level.INTERNAL, "domains": (), "topics": (), "valid_days": 0, "after_post_change": False,
        "after": (), "temporary": True,
    },
    "approvers.head": {"kinds": frozenset()},
    "measures.visit": {"kinds": frozenset(), "every_days": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def bare() -> Pack:
    return load(BARE)


@pytest.mark.parametrize("table", LEFT_OUT)
def test_a_table_that_says_nothing_asks_for_this(bare: Pack, table: str) -> None:
    family, _, name = table.partition(".")
    found = getattr(bare, family)[name] if name else getattr(bare, family)
    own = {one.name for one in fields(found)} - {one.name for one in fields(RuleSource)}
    said = tomllib.loads(BARE).get(family, {})
    assert {one: getattr(found, one) for one in own - set(said.get(name, {}) if name else said)} == LEFT_OUT[table]


def test_whoever_makes_a_table_without_a_text_gets_the_same() -> None:
    assert (TempAuth().enabled, TempAuth().max_days, TempAuth().max_level) == (False, 0, Level.NONE)
    assert (VisitRule().max_days, VisitRule().max_level, EmploymentRule().deny) == (0, Level.NONE, frozenset())
    levels = (TwoPersonRule().from_level, InRoomRule().from_level, WireRule().from_level)
    assert levels == (Level.TOP_SECRET, Level.TOP_SECRET, Level.SECRET)
    assert (ProtectionRule().minimum_tier, LossRule().sessions) == ("C", False)


def test_a_pack_that_names_no_clock_is_on_utc(bare: Pack) -> None:
    assert bare.utc_offset == timedelta(0)
