"""The order of an act (contract C2): no change without its entry, whatever dies or fails in between.

Both kinds of fault: failed and not recorded, failed but recorded. Then a restart, and the log is whole.
"""

import resource
from pathlib import Path

import pytest

from agent.errors import RefusedError, UnreachableError
from agent.log.verify import verify
from agent.registry.intent import WriteAheadIntent
from tests.control.site import Site
from tests.sentences import en

ADD = {"person": "E1", "name": "张三"}


def people(site: Site) -> list[str]:
    with site.client() as caller:
        return [row["id"] for row in caller.stream("person.list")]


def acts(site: Site) -> list[tuple[object, object]]:
    return [(entry["act"], entry["outcome"]) for entry in site.entries(kind="act")]


def test_an_act_is_an_entry_with_its_actor_arguments_and_epoch(fresh: Site) -> None:
    with fresh.client() as caller:
        done = caller.call("person.add", **ADD)
    [entry] = fresh.entries(kind="act")
    assert entry["seq"] == done["seq"]
    assert entry["epoch"] == done["epoch"]
    assert entry["args"] == ADD
    assert entry["outcome"] == "done"
    actor = entry["actor"]
    assert isinstance(actor, dict)
    assert (actor["uid"], actor["role"]) == (0, "bootstrap")
    assert 0 < done["milliseconds"] < 10_000


def test_a_refused_act_changes_nothing_and_is_an_entry(fresh: Site) -> None:
    with fresh.client() as caller, pytest.raises(RefusedError):
        caller.call("grant.add", person="E9", area="nowhere", reason="x")
    assert acts(fresh) == [("grant.add", "refused")]


def test_an_entry_that_cannot_be_written_means_nothing_is_changed(fresh: Site) -> None:
    size = max(file.stat().st_size for file in fresh.home.log.glob("*.jsonl"))
    limits = resource.prlimit(fresh.peer.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(fresh.peer.pid, resource.RLIMIT_FSIZE, (size, limits[1]))
    with fresh.client() as caller, pytest.raises(RefusedError) as caught:
        caller.call("person.add", **ADD)
    assert "entry could not be written" in en(caught.value.text)
    assert people(fresh) == []
    assert acts(fresh) == []
    resource.prlimit(fresh.peer.pid, resource.RLIMIT_FSIZE, limits)
    with fresh.client() as caller:
        caller.call("person.add", **ADD)
    assert people(fresh) == ["E1"]


def test_killed_between_entry_and_commit_leaves_an_entry_that_the_next_start_contradicts(fresh: Site) -> None:
    fresh.tell_peer(f"kill-after-append {fresh.control.pid}")
    with fresh.client() as caller, pytest.raises(UnreachableError):
        caller.call("person.add", **ADD)
    fresh.control.wait(30)
    assert acts(fresh) == [("person.add", "done")]
    fresh.start_control()
    assert people(fresh) == []
    assert acts(fresh) == [("person.add", "done"), ("person.add", "not-completed")]
    first, second = fresh.entries(kind="act")
    assert first["epoch"] == second["epoch"]
    assert verify(fresh.home.log).ok
    with fresh.client() as caller:
        caller.call("person.add", **ADD)
    assert people(fresh) == ["E1"]


def test_a_start_after_a_clean_stop_contradicts_nothing(fresh: Site) -> None:
    with fresh.client() as caller:
        caller.call("person.add", **ADD)
    fresh.control.terminate()
    fresh.control.wait(30)
    fresh.start_control()
    assert acts(fresh) == [("person.add", "done")]
    assert people(fresh) == ["E1"]


def test_killed_after_the_commit_leaves_both(fresh: Site) -> None:
    with fresh.client() as caller:
        caller.call("person.add", **ADD)
    fresh.control.kill()
    fresh.control.wait(30)
    fresh.start_control()
    assert acts(fresh) == [("person.add", "done")]
    assert people(fresh) == ["E1"]


def test_an_unanswered_append_is_contradicted_before_anything_else_is_done(fresh: Site) -> None:
    # The peer takes the message and dies with it: whether it was written cannot be known, so nothing is changed.
    fresh.tell_peer("die-after-append")
    with fresh.client() as caller, pytest.raises(UnreachableError) as caught:
        caller.call("person.add", **ADD)
    assert "nothing was changed" in en(caught.value.text)
    fresh.kill_peer()
    fresh.restart_peer()
    assert people(fresh) == []
    with fresh.client() as caller:
        caller.call("person.add", **ADD)
    assert acts(fresh) == [("person.add", "done"), ("person.add", "not-completed"), ("person.add", "done")]
    assert people(fresh) == ["E1"]


def test_reading_the_log_is_recorded_before_it_is_answered(fresh: Site) -> None:
    with fresh.client() as caller:
        [newest, *_] = caller.stream("log.list", limit=5)
    assert (newest["kind"], newest["what"]) == ("read", "log.list")


def test_a_pack_comes_into_force_with_its_entry_and_survives_a_kill(fresh: Site) -> None:
    from agent import shipped_packs

    fresh.tell_peer(f"kill-after-append {fresh.control.pid}")
    with fresh.client() as caller, pytest.raises(UnreachableError):
        caller.call("pack.use", pack=shipped_packs.text("company"))
    fresh.control.wait(30)
    fresh.start_control()
    with fresh.client() as caller:
        assert caller.call("pack.show")["name"] == "minimal"
        assert caller.call("pack.use", pack=shipped_packs.text("company"))["pack"].startswith("company@")
        assert caller.call("pack.show")["name"] == "company"
    [*_, entry] = fresh.entries(act="pack.use")
    args = entry["args"]
    assert isinstance(args, dict)
    assert args["pack"].keys() == {"sha256", "bytes"}


def test_a_pack_that_was_edited_by_hand_is_found(fresh: Site) -> None:
    fresh.control.terminate()
    fresh.control.wait(30)
    with fresh.home.pack.open("a") as file:
        file.write("\n# edited\n")
    fresh.start_control()
    assert [entry["alarm"] for entry in fresh.entries(kind="pack-edited")] == [True]
    fresh.stop_control()
    fresh.start_control()
    with fresh.client() as caller:
        assert "pack-edited" in [finding["code"] for finding in caller.call("doctor")]
        [alarm] = caller.stream("alarm.list")  # one until somebody has seen to it, and an entry for each start
    assert alarm["kind"] == "pack-edited"


def test_an_intent_is_open_until_the_registry_has_its_epoch(tmp_path: Path) -> None:
    intent = WriteAheadIntent(tmp_path / "intent")
    assert intent.open_since(0) is None
    intent.note({"epoch": 7, "act": "grant.add", "args": {"reason": "项目" * 400}})
    assert intent.open_since(7) is None
    found = intent.open_since(6)
    assert found
    assert found["act"] == "grant.add"
    intent.note({"epoch": 8})
    assert intent.open_since(7) == {"epoch": 8}
    intent.clear()
    assert intent.open_since(7) is None
    intent.close()


def test_an_act_about_many_areas_is_found_by_each_of_them(fresh: Site) -> None:
    areas = [f"area-{number:04}" for number in range(1000)]  # more than an entry repeats of other arguments
    with fresh.client() as caller:
        with pytest.raises(RefusedError):
            caller.call("service.add", service="backup", uid=61_000, executable="/usr/bin/true", area=areas)
        with pytest.raises(RefusedError):
            caller.call(
                "service.add", service="backup", uid=61_000, executable="/usr/bin/true", area=[*areas, "z" * 9000]
            )
        for area, entries in (("area-0000", 2), ("area-0500", 1), ("area-0999", 1), ("area-1000", 0)):
            assert [row["act"] for row in caller.stream("log.list", area=area)] == ["service.add"] * entries
    [whole, long] = fresh.entries(act="service.add")
    assert whole["args"]["area"] == areas  # type: ignore[index]
    assert long["args"]["area"] == {"count": 1001, "first": areas[:100]}  # type: ignore[index]
