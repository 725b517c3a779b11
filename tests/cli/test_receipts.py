"""Every receipt is found from the command line: by its number, by the person, and from the act that made it."""

import json
from pathlib import Path

import pytest

from tests.cli.said import Shoumi
from tests.control.site import Site


@pytest.fixture
def granted(shoumi: Shoumi, site: Site) -> Site:
    """Two people with an account each, who may open two areas that hold nothing."""
    for name in ("plans", "books"):
        folder = site.home.root / name
        folder.mkdir()
        shoumi("area", "add", str(folder), "--name", name, "--level", "secret", "--domain", "state")
    for person in ("E1", "E2"):
        shoumi("person", "add", person, "--level", "state=secret")
        for name in ("plans", "books"):
            assert shoumi("grant", "add", person, name, "--reason", "x").code == 0
    return site


def receipt(shoumi: Shoumi, name: str) -> dict[str, object]:
    said = shoumi("case", "receipt", name, "--wait", "--json")
    assert said.code == 0, said.err
    found: dict[str, object] = json.loads(said.out)
    return found


def test_the_act_names_the_receipt_which_names_the_act_its_reason_and_the_area(granted: Site, shoumi: Shoumi) -> None:
    said = shoumi("grant", "end", "E1", "plans", "--reason", "project over")
    assert "1 person loses access (L000001): shoumi case receipt L000001 --wait" in said.out
    assert json.loads(str(receipt(shoumi, "L000001")["receipt"]).partition("\n")[0])["act"] == "grant.end"
    page = shoumi("case", "receipt", "L000001").out
    for words in ("Access lost to areas: plans", "By act: grant.end, log entry", "project over"):
        assert words in page
    both = shoumi("area", "set", "books", "--level", "top-secret", language="zh").out
    assert "2 人失去权限（L000002 至 L000003）：shoumi case receipt L000002 --wait" in both


def test_who_has_no_case_is_told_of_the_other_receipts_and_none_is_shown_for_that_of_a_case(
    granted: Site, shoumi: Shoumi, tmp_path: Path
) -> None:
    none = shoumi("case", "receipt", "E1")
    assert (none.code, "`E1` has no offboarding case" in none.err) == (1, True)
    shoumi("grant", "end", "E1", "plans", "--reason", "x")
    receipt(shoumi, "L000001")
    shoumi("hold", "add", "E1", "--reason", "inquiry")
    file = tmp_path / "one.receipt"
    said = shoumi("case", "receipt", "H000001", "--wait", "--save", str(file))
    assert (said.code, f"receipt saved to `{file}`" in said.err) == (0, True)
    assert file.read_text(encoding="utf-8").count("\n") == 2
    others = shoumi("case", "receipt", "E1")
    assert (others.code, "`E1` has no offboarding case, but has receipts: L000001, H000001" in others.err) == (1, True)
    assert "shoumi case receipts E1" in others.err
    rows = [json.loads(line) for line in shoumi("case", "receipts", "E1", "--json").out.splitlines()]
    assert [(row["case"], row["cause"], row["act"], row["areas"]) for row in rows] == [
        ("L000001", "loss", "grant.end", ["plans"]), ("H000001", "hold", "", []),
    ]  # fmt: skip
    assert "loss of access" in shoumi("case", "receipts", "E1").out
    assert "no revocation receipts of this person" in shoumi("case", "receipts", "E2").err


def test_a_number_without_a_receipt_and_a_person_who_was_never_held_say_what_to_do(
    granted: Site, shoumi: Shoumi
) -> None:
    grant = shoumi("case", "receipt", "G000001")
    assert (grant.code, "there is no receipt for `G000001` yet" in grant.err) == (1, True)
    unknown = shoumi("case", "receipt", "L000009")
    assert (unknown.code, "L000009" in unknown.err) == (1, True)
    held = shoumi("hold", "receipt", "E1")
    assert (held.code, "`E1` was never on hold" in held.err) == (1, True)
    shoumi("case", "open", "E1", "--last-day", "2099-12-31")
    assert "shoumi case status E1" in shoumi("case", "receipt", "E1").err
    assert "no access was revoked yet" in shoumi("case", "progress", "E1").err


def test_a_person_without_an_area_is_asked_for_the_area(granted: Site, shoumi: Shoumi) -> None:
    for more in ((), ("--plan",)):
        said = shoumi("grant", "end", "E1", "--reason", "x", *more)
        assert (said.code, "shoumi grant end E1 AREA" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "plan"),
    [
        (("hold", "add", "E1", "--plan"), "shoumi hold plan E1"),
        (("hold", "add", "--plan", "E1", "--reason", "x"), "shoumi hold plan E1"),
        (("case", "open", "--plan"), "shoumi case plan PERSON"),
    ],
)
def test_a_plan_that_is_a_command_of_its_own_is_named(shoumi: Shoumi, words: tuple[str, ...], plan: str) -> None:
    said = shoumi(*words)
    assert (said.code, plan in said.err) == (2, True)


def test_the_log_says_of_what_run_each_entry_tells_and_what_a_reading_asked_for(granted: Site, shoumi: Shoumi) -> None:
    shoumi("grant", "end", "E1", "plans", "--reason", "x")
    receipt(shoumi, "L000001")
    lines = shoumi("log", "list", "--limit", "12", "--person", "E1").out
    assert "L000001 deny access to the areas and rooms that were lost: confirmed" in lines
    assert "L000001, complete: " in lines
    assert "已确认" in shoumi("log", "list", "--kind", "revocation", language="zh").out
    said = shoumi("log", "list", "--kind", "read").out
    assert "person=E1 limit=12 hidden attempts counted" in said
    assert "True" not in said
