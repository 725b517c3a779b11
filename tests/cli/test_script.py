"""A site in ten lines (the syntax scripts rely on), against real processes without a kernel."""

import json
from pathlib import Path

from tests.control.site import Site


def objects(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_ten_lines(site: Site, shoumi, tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    done = shoumi("area", "add", str(plans), "--name", "plans", "--level", "secret", "--domain", "state")
    assert done.code == 0, done.err
    person = ("person", "add", "E1001", "--name", "张三", "--level", "secret", "--domain", "state")
    assert shoumi(*person, "--account", "61001", "--badge", "4660").code == 0

    before = shoumi("explain", "E1001", str(plans / "a.txt"), "--json")
    assert before.code == 0
    assert json.loads(before.out)["verdict"] == "deny"

    assert shoumi("grant", "add", "E1001", "plans", "--reason", "项目甲", "--until", "2099-12-31").code == 0
    after = json.loads(shoumi("explain", "E1001", str(plans / "a.txt"), "--json").out)
    assert after["verdict"] == "allow"
    assert after["until"].startswith(("2099-12-31", "2100-01-01"))
    assert after["because"].keys() == {"code", "parameters", "en", "zh"}
    assert after["clauses"]

    held = shoumi("hold", "add", "E1001", "--reason", "调查")
    assert held.code == 0
    assert " ms" in held.out
    denied = json.loads(shoumi("--json", "explain", "E1001", "plans").out)
    assert (denied["verdict"], denied["rule"]) == ("deny", "hold")

    entries = objects(shoumi("log", "list", "--kind", "act", "--json").out)
    assert [entry["act"] for entry in entries] == ["hold.add", "grant.add", "person.add", "area.add"]
    assert shoumi("log", "list", "--person", "E1001", "--verdict", "deny", "--json").out == ""
    assert shoumi("log", "verify").code == 0


def test_explain_says_the_same_in_words_and_what_would_change_it(site: Site, shoumi, tmp_path: Path) -> None:
    area(shoumi, tmp_path)
    shoumi("person", "add", "E1", "--level", "internal", "--domain", "state")
    said = shoumi("explain", "E1", "plans")
    assert said.out.startswith("DENY: ")
    assert "to change this: " in said.out
    assert shoumi("explain", "E1", "plans", language="zh").out.startswith("拒绝：")


def test_what_if_changes_nothing(site: Site, shoumi, tmp_path: Path) -> None:
    area(shoumi, tmp_path)
    shoumi("person", "add", "E1", "--level", "internal", "--domain", "state")
    asked = json.loads(shoumi("what-if", "E1", "plans", "--level", "state=secret", "--grant", "--json").out)
    assert asked["verdict"] == "allow"
    assert asked["before"]["verdict"] == "deny"
    assert json.loads(shoumi("explain", "E1", "plans", "--json").out)["verdict"] == "deny"
    for change in ("--hold", "--end-grants"):
        words = ("what-if", "E1", "plans", "--level", "state=secret", "--json", change)
        assert json.loads(shoumi(*words).out)["verdict"] == "deny"


def test_lists_are_tables_or_one_object_a_line(site: Site, shoumi, tmp_path: Path) -> None:
    area(shoumi, tmp_path)
    shoumi("person", "add", "E1", "--name", "张三\x1b[2J", "--account", "61001", "--badge", "77")
    shoumi("service", "add", "backup", "--uid", "61500", "--executable", "/usr/bin/tar", "--area", "plans")
    for noun in ("person", "account", "badge", "service", "area", "grant", "hold", "record"):
        plain, as_json = shoumi(noun, "list"), shoumi(noun, "list", "--json")
        assert (plain.code, as_json.code) == (0, 0)
        assert len(objects(as_json.out)) == max(0, len(plain.out.splitlines()) - 1)
        assert "\x1b" not in plain.out + as_json.out
    [person] = objects(shoumi("person", "list", "--json").out)
    assert person["name"] == "张三\x1b[2J"


def test_people_are_imported_all_or_none(site: Site, shoumi, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("id,name,level,domain,accounts\nE1,张三,secret,state,61001\nE2,李四,机密,state,61002\n")
    bad.write_text("id,name\nE3,王五\nE1,again\n")
    assert shoumi("person", "import", str(good)).code == 0
    assert shoumi("person", "import", str(bad)).code == 1
    assert [row["id"] for row in objects(shoumi("person", "list", "--json").out)] == ["E1", "E2"]


def test_enforcing_shows_first_and_goes_back_by_itself_unless_confirmed(site: Site, shoumi, tmp_path: Path) -> None:
    area(shoumi, tmp_path, "--observe")
    shown = shoumi("area", "enforce", "plans")
    assert shown.code == 1
    assert "--yes" in shown.err
    assert json.loads(shoumi("area", "show", "plans", "--json").out)["mode"] == "observe"
    assert shoumi("area", "enforce", "plans", "--yes", "--revert-after", "5").code == 0
    assert json.loads(shoumi("area", "show", "plans", "--json").out)["enforce_confirm_by"]
    assert shoumi("area", "confirm", "plans").code == 0
    found = json.loads(shoumi("area", "show", "plans", "--json").out)
    assert (found["mode"], found["enforce_confirm_by"]) == ("enforce", None)


def area(shoumi, tmp_path: Path, *more: str) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    words = ("area", "add", str(plans), "--name", "plans", "--level", "secret", "--domain", "state")
    assert shoumi(*words, *more).code == 0


def test_a_holiday_is_added_listed_and_taken_back(site: Site, shoumi) -> None:
    assert shoumi("holiday", "add", "2026-10-01", "--name", "国庆节").code == 0
    assert objects(shoumi("holiday", "list", "--json").out) == [{"day": "2026-10-01", "name": "国庆节"}]
    assert shoumi("holiday", "add", "first of October").code == 2
    assert shoumi("holiday", "remove", "2026-10-01").code == 0
    assert shoumi("holiday", "remove", "2026-10-01").code == 1
