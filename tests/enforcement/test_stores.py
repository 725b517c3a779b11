"""A registry from before the last acts of the log, under a running agent or at its start: closed until officers decide.

Each test here changes what the scene rests on, so each has a scene of its own.
"""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.demo.actors import attempt, reading
from agent.errors import ShoumiError
from agent.kernel import mounting
from agent.registry.connect import connect
from agent.simulator import volume_image
from tests.enforcement.scene import BYSTANDER, CLEARED, SIZE, TOO_LOW, Area, Scene, dead_man, scene, until, write


@pytest.fixture
def site() -> Iterator[Scene]:
    with scene() as made:
        yield made


def aside(site: Scene) -> Path:
    """Copy the registry beside itself, as a backup would."""
    copy = site.site.home.root / "aside.db"
    with (
        closing(sqlite3.connect(site.site.home.registry)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    copy.chmod(0o600)
    return copy


def put(site: Scene, copy: Path) -> Path:
    """Put *copy* in the registry's place while no agent runs; return where what was there went, as one file."""
    registry = site.site.home.registry
    with closing(sqlite3.connect(registry)) as whole:  # a stop folds it, unless somebody reads at that moment
        until(lambda: whole.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    kept = registry.with_name(f"before-{copy.name}")
    shutil.copy(registry, kept)
    copy.replace(registry)
    return kept


def hold(site: Scene, person: str = "E1") -> None:
    site.site.shoumi("hold", "add", person, "--reason", "岗位调查")


def outcomes(site: Scene) -> list[str]:
    return [entry["outcome"] for entry in site.site.entries() if entry["kind"] == "act"]


def closed(site: Scene) -> None:
    """Check that nobody gets in, by the rule, under no epoch that the log does not prove, and named as nobody."""
    site.mark()
    proven = max(entry.get("epoch") or 0 for entry in site.site.entries())
    for who in (CLEARED, TOO_LOW, BYSTANDER):
        assert attempt(who, reading(site.plans / "doc.txt")) == (None, "EPERM")
    found = site.denials(CLEARED, TOO_LOW, BYSTANDER)
    assert {(entry["rule"], entry["verdict"], entry["person"]) for entry in found} == {("registry-older", "deny", None)}
    assert {entry["fsuid"] for entry in found} == {CLEARED.uid, TOO_LOW.uid, BYSTANDER.uid}
    assert {entry["epoch"] for entry in found} == {proven}


def shown(site: Scene) -> Any:
    return json.loads(site.site.shoumi("registry", "show", "--json", check=False).stdout)


def told_older(site: Scene) -> bool:
    """Whether the control process says so; it begins anew when it finds that out."""
    with contextlib.suppress(ShoumiError), site.asking() as agent:
        return bool(agent.call("status")["registry"] == "older")
    return False


def test_a_registry_from_before_a_hold_keeps_everything_closed_until_it_is_accepted(site: Scene) -> None:
    copy = aside(site)
    hold(site)
    assert attempt(CLEARED, reading(site.plans / "doc.txt")) == (None, "EPERM")
    site.site.stop()
    put(site, copy)
    site.site.start()
    closed(site)
    assert "not-completed" not in outcomes(site)
    [told] = [entry for entry in site.site.entries() if entry["kind"] == "registry-older"]
    found = shown(site)
    assert (told["acts"], told["alarm"], found["whole"]) == (len(found["lost"]), True, True)
    assert [row["args"]["person"] for row in found["lost"] if row["act"] == "hold.add"] == ["E1"]
    lost = found["lost"][-1]
    assert site.site.shoumi("registry", "show", check=False).returncode == 1

    # Nothing else is done on it, not even a hold; and not without having looked.
    for words in (("hold", "add", "E3", "--reason", "x"), ("person", "add", "E7"), ("area", "observe", "plans")):
        refused = site.site.shoumi(*words, check=False)
        assert refused.returncode == 1
        assert "lacks acts that the log holds" in refused.stderr
    assert site.site.shoumi("registry", "accept", "--last", "1", "--reason", "x", check=False).returncode == 1
    found = map(json.loads, site.site.shoumi("doctor", "--json", check=False).stdout.splitlines())
    findings = {one["code"]: one["state"] for one in found}
    assert findings["registry-older"] == "serious"
    assert site.site.ask("status")["registry"] == "older"
    explained = json.loads(site.site.shoumi("explain", "E1", "plans", "--json", check=False).stdout)
    assert (explained["verdict"], explained["rule"]) == ("deny", "registry-older")

    # A second start sees the same.
    site.site.stop()
    site.site.start()
    closed(site)

    site.site.shoumi("registry", "accept", "--last", str(lost["seq"]), "--reason", "备份恢复")
    assert attempt(CLEARED, reading(site.plans / "doc.txt")) == (SIZE, "")
    assert attempt(TOO_LOW, reading(site.plans / "doc.txt")) == (None, "EPERM")
    assert site.site.ask("status")["registry"] == "together"
    assert "not-completed" not in outcomes(site)
    hold(site)
    assert attempt(CLEARED, reading(site.plans / "doc.txt")) == (None, "EPERM")
    site.site.stop()
    site.site.start()
    assert attempt(BYSTANDER, reading(site.plans / "doc.txt")) == (SIZE, "")
    assert site.site.shoumi("log", "verify", check=False).returncode == 0


def test_the_right_registry_put_back_opens_again_with_the_hold_in_force(site: Scene) -> None:
    copy = aside(site)
    hold(site)
    hold(site, "E2")
    site.site.stop()
    right = put(site, copy)
    site.site.start()
    closed(site)
    holds = [row for row in shown(site)["lost"] if row["act"] == "hold.add"]
    assert [row["args"]["person"] for row in holds] == ["E1", "E2"]
    site.site.stop()
    put(site, right)
    site.site.start()
    site.mark()
    assert attempt(CLEARED, reading(site.plans / "doc.txt")) == (None, "EPERM")
    assert site.denials(CLEARED)[0]["rule"] == "hold"
    assert attempt(BYSTANDER, reading(site.plans / "doc.txt")) == (SIZE, "")
    assert "not-completed" not in outcomes(site)


def test_a_registry_restored_under_a_running_agent_closes_at_once(site: Scene) -> None:
    copy = aside(site)
    hold(site)
    assert attempt(BYSTANDER, reading(site.plans / "doc.txt")) == (SIZE, "")
    with closing(sqlite3.connect(copy)) as source, closing(connect(site.site.home.registry, "rw")) as target:
        source.backup(target)  # the way a tool restores into a database that is in use
    until(lambda: not attempt(BYSTANDER, reading(site.plans / "doc.txt")).allowed)
    until(lambda: told_older(site))
    closed(site)
    assert "not-completed" not in outcomes(site)


def test_a_registry_exchanged_under_a_running_agent_closes_at_once(site: Scene) -> None:
    copy = aside(site)
    hold(site)
    copy.replace(site.site.home.registry)
    until(lambda: not attempt(BYSTANDER, reading(site.plans / "doc.txt")).allowed)
    until(lambda: told_older(site))
    closed(site)


def test_an_area_that_only_the_log_knows_stays_closed_and_an_observed_one_is_recorded() -> None:
    observed = Area("loose", options=("--observe",))
    tightened = Area("tight", options=("--observe",))
    with (
        volume_image.volume("ext4", 32 << 20) as other,
        scene([Area("plans"), observed, tightened]) as site,
        dead_man(site.site),
    ):
        other.point.chmod(0o755)
        later = other.point / "later"
        later.mkdir(mode=0o755)
        write(later / "doc.txt")
        copy = aside(site)
        site.site.shoumi("area", "enforce", "tight", "--yes")
        site.area(Area("later"), later)
        site.area(Area("beside"), site.public)
        site.site.stop()
        mounting.unhide(str(later))  # what covers it is gone after the next boot
        put(site, copy)
        site.site.start()
        closed(site)
        for place in (later, site.public, site.site.root / "tight"):
            site.mark()
            assert attempt(TOO_LOW, reading(place / "doc.txt")) == (None, "EPERM")
            assert site.denials(TOO_LOW)[0]["rule"] == "registry-older"
        site.mark()
        assert attempt(TOO_LOW, reading(site.site.root / "loose" / "doc.txt")) == (SIZE, "")
        assert {(entry["rule"], entry["enforced"]) for entry in site.denials(TOO_LOW)} == {("registry-older", False)}


def test_without_a_registry_or_with_a_damaged_one_everything_stays_closed(site: Scene) -> None:
    site.replace_decider()
    registry = site.site.home.registry
    kept = registry.with_name("kept.db")
    registry.rename(kept)
    until(lambda: not attempt(BYSTANDER, reading(site.plans / "doc.txt")).allowed)
    site.replace_decider()
    site.mark()
    assert attempt(BYSTANDER, reading(site.plans / "doc.txt")) == (None, "EPERM")
    registry.write_bytes(b"\0" * 8192)
    site.replace_decider()
    assert attempt(BYSTANDER, reading(site.plans / "doc.txt")) == (None, "EPERM")
    assert {entry["verdict"] for entry in site.denials()} == {"deny"}
    registry.unlink()
    for name in ("-wal", "-shm"):
        registry.with_name(registry.name + name).unlink(missing_ok=True)
    kept.rename(registry)
    site.serving()
