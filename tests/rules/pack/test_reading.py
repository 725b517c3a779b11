"""What a pack says is what the rules get: each setting, the rules that are in force, and their clauses.

Packs are read within the tests: what the shipped ones were read into earlier says nothing of the reader.
"""

from datetime import timedelta

import pytest

from rules.model import Employment, Level, Passback
from rules.offboarding.vocabulary import CaseKind
from rules.pack.model import RuleSource
from rules.pack.reader import PackError, load
from tests.rules.pack.test_left_out import BARE
from tests.rules.strategies import PACKS

SAYS = """
name = "says"
version = "1"
title = { en = "says", zh = "有" }
utc_offset = "-05:30"
[domains]
state = { en = "state secrets", zh = "国家秘密" }
[hold]
[departure]
[level]
clauses = ["D01-2.2"]
needs_approver = true
map.state = { "核心" = "secret" }
[scope]
clauses = ["D01-2.1"]
[grant]
clauses = ["D01-2.1", "D01-3.13"]
duties = [3]
site = ["from_level"]
from_level = "secret"
after_post_change = false
[temp_auth]
enabled = true
max_days = 5
max_level = "secret"
[employment]
deny = ["temporary"]
temp_auth = true
[marking]
period = true
scope = true
[two_person]
from_level = "secret"
seconds = 45
[one_place]
passback = "soft"
[two_hands]
any_two = ["badge.add"]
one_hand = ["pin.set"]
registered = false
days = 3
[trial]
enforce = false
[departure_case]
notice_days = 30
hr_approvers = 2
education = true
exam = true
stop_units = true
immediate = ["death"]
[records.training]
title = { en = "training", zh = "培训" }
from_level = "secret"
valid_days = 30
after_post_change = true
temporary = false
[measures.visit]
title = { en = "visit", zh = "回访" }
kind = "visit"
every_days = 90
"""
SAID = {
    "level": {"needs_approver": True, "map": {"state": {"核心": Level.SECRET}}, "clauses": ("D01-2.2",)},
    "grant": {
        "from_level": Level.SECRET, "after_post_change": False, "clauses": ("D01-2.1", "D01-3.13"), "duties": (3,),
        "site": ("from_level",),
    },
    "temp_auth": {"enabled": True, "max_days": 5, "max_level": Level.SECRET},
    "employment": {"deny": {Employment.TEMPORARY}, "temp_auth": True},
    "marking": {"period": True, "scope": True},
    "two_person": {"from_level": Level.SECRET, "seconds": 45},
    "one_place": {"passback": Passback.SOFT},
    "two_hands": {"any_two": ("badge.add",), "one_hand": ("pin.set",), "registered": False, "days": 3},
    "trial": {"enforce": False},
    "departure_case": {
        "notice_days": 30, "hr_approvers": 2, "education": True, "exam": True, "stop_units": True,
        "immediate": {CaseKind.DEATH},
    },
    "records.training": {"from_level": Level.SECRET, "valid_days": 30, "after_post_change": True, "temporary": False},
    "measures.visit": {"every_days": 90},
}  # fmt: skip


@pytest.mark.parametrize("table", SAID)
def test_each_setting_reaches_the_rules(table: str) -> None:
    family, _, name = table.partition(".")
    found = getattr(load(SAYS), family)
    found = found[name] if name else found
    assert {one: getattr(found, one) for one in SAID[table]} == SAID[table]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("-05:30", -timedelta(hours=5, minutes=30)),
        ("+08:00", timedelta(hours=8)),
        ("+00:00", timedelta()),
        ("-14:00", -timedelta(hours=14)),
    ],
)
def test_the_clock_of_a_pack(said: str, meant: timedelta) -> None:
    assert load(SAYS.replace("-05:30", said)).utc_offset == meant


@pytest.mark.parametrize("name", ["minimal", "company", "state"])
def test_the_rules_of_a_shipped_pack_have_the_clauses_of_their_tables(name: str) -> None:
    pack = load((PACKS / f"{name}.toml").read_text(encoding="utf-8"))
    assert pack.clauses.keys() == {rule.id for rule in pack.rules}
    for rule in pack.rules:
        table = {"domain": "level", "escort": "visit"}.get(rule.id, rule.id).replace("-", "_")
        source = pack.records.get(rule.id) or getattr(pack, table, None)
        if not isinstance(source, RuleSource):
            source = RuleSource()
        assert (rule.clauses, rule.duties) == (source.clauses, source.duties)
        assert pack.clauses[rule.id] == source.clauses or rule.id == "allow"
    three = pack.clauses["level"] + pack.clauses["scope"] + pack.clauses["grant"]
    assert set(pack.clauses["allow"]) == set(three)
    assert len(pack.clauses["allow"]) == len(set(three))


def test_rules_stand_in_the_order_in_which_they_decide_and_records_after_the_grant() -> None:
    rules = [rule.id for rule in load(SAYS).rules]
    assert rules[rules.index("grant") :] == [
        "grant", "training", "hours", "badge", "one-place", "purpose", "declaration", "pin", "first-in", "limit",
        "escort", "two-person", "allow",
    ]  # fmt: skip
    assert rules.count("training") == 1
    assert "temp-auth" in rules
    assert "temp-auth" not in [rule.id for rule in load(SAYS.replace("enabled = true", "enabled = false")).rules]
    assert {"barred", "in-room"} & set(rules) == set()
    assert "in-room" in [rule.id for rule in load(BARE).rules]


@pytest.mark.parametrize("broken", ["name = [", SAYS.replace("[hold]", ""), SAYS.replace("[hold]", "[hold]\nx = 1")])
def test_a_pack_with_an_error_is_none(broken: str) -> None:
    with pytest.raises(PackError):
        load(broken)
