"""A registry or a log from a backup at the start of the control process: said as it is, and nothing done on it."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent import shipped_packs
from agent.api.operations import TABLE
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.control import reconciliation
from agent.control.decider_client import DeciderConnection
from agent.control.dispatch import HandlerRequest
from agent.control.handlers import handler_table
from agent.control.lost_acts import added_areas, enforced_areas, stops
from agent.control.services import ControlServices, open_services
from agent.control.transaction import ActExecutor
from agent.errors import FatalError, ForbiddenError, RefusedError, UnreachableError
from agent.log.verify import verify
from agent.offboard.intake import pinned_keys
from agent.runtime import channel
from agent.simulator import hr_sender
from tests.control.offboarding.test_coordinator import departures_of, until
from tests.control.office import OFFICERS, office_of
from tests.control.site import Site


def copied(site: Site) -> Path:
    copy = site.home.root / "copy.db"
    with closing(sqlite3.connect(site.home.registry)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def restored(site: Site, copy: Path) -> None:
    """Stop, put *copy* in the registry's place, and start."""
    site.stop_control()
    shutil.copy(copy, site.home.registry)
    site.start_control()


def done(site: Site, op: str, **args: Any) -> dict[str, Any]:
    with site.client() as caller:
        return dict(caller.call(op, **args))


def outcomes(site: Site) -> list[tuple[object, object]]:
    return [(entry["act"], entry["outcome"]) for entry in site.entries(kind="act")]


def findings(site: Site) -> dict[str, str]:
    with site.client() as caller:
        return {one["code"]: one["state"] for one in caller.call("doctor")}


def accept(services: ControlServices, uid: int, last: int) -> None:
    """Accept as the officer with this uid."""
    given = {"last": last, "reason": "x"}
    peer, role = Peer(1, uid, uid, frozenset({uid})), CallerRole(Role.SECURITY)
    args, now = TABLE["registry.accept"].read(given, None), services.site.now()
    request = HandlerRequest("registry.accept", args, given, peer, role, now, services)
    ActExecutor(services, handler_table().acts).execute(request)


def test_the_plan_names_every_act_that_is_missing_and_accepting_gives_them_up(fresh: Site) -> None:
    done(fresh, "person.add", person="E1")
    copy = copied(fresh)
    for number in range(2, 5):
        done(fresh, "person.add", person=f"E{number}")
    held = done(fresh, "hold.add", person="E1", reason="岗位调查")
    restored(fresh, copy)
    shown = done(fresh, "registry.show")
    assert [(row["act"], row["args"]["person"]) for row in shown["lost"]] == [
        *(("person.add", f"E{number}") for number in range(2, 5)),
        ("hold.add", "E1"),
    ]
    assert (shown["older"], shown["whole"], shown["lost"][-1]["seq"]) == (True, True, held["seq"])
    assert (shown["log"]["epoch"], shown["epoch"]) == (held["epoch"], held["epoch"] - 4)
    [told] = fresh.entries(kind="registry-older")
    assert (told["acts"], told["last"], told["epoch"]) == (4, held["seq"], held["epoch"])
    assert findings(fresh)["registry-older"] == "serious"
    assert "pack-edited" not in findings(fresh)

    for op, args in (("hold.add", {"person": "E1", "reason": "x"}), ("person.add", {"person": "E9"})):
        with pytest.raises(RefusedError, match=r"registry.registry-older-than-log"):
            done(fresh, op, **args)
    with pytest.raises(RefusedError, match=r"control.last-lost-act-mismatch"):
        done(fresh, "registry.accept", last=held["seq"] - 1, reason="x")

    refused = [one for one in fresh.entries(kind="act") if one["outcome"] == "refused"]
    # What is written meanwhile takes nothing back of what the log proves.
    assert {one["epoch"] for one in (*refused, fresh.entries(kind="start")[-1])} == {held["epoch"]}

    accepted = done(fresh, "registry.accept", last=held["seq"], reason="备份恢复")
    assert accepted["epoch"] > held["epoch"]
    assert done(fresh, "registry.show")["entry"] == accepted["seq"]
    assert done(fresh, "status")["registry"] == "together"
    assert findings(fresh)["stores"] == "good"
    [entry] = fresh.entries(act="registry.accept", outcome="done")
    assert entry["args"] == {
        "last": held["seq"],
        "reason": "备份恢复",
        "registry_epoch": held["epoch"] - 4,
        "lost": 4,
        "first": shown["lost"][0]["seq"],
    }
    assert not [outcome for outcome in outcomes(fresh) if outcome[1] == "not-completed"]
    with pytest.raises(RefusedError, match=r"control.registry-complete"):
        done(fresh, "registry.accept", last=held["seq"], reason="x")
    done(fresh, "hold.add", person="E1", reason="岗位调查")
    fresh.stop_control()
    fresh.start_control()
    assert done(fresh, "status")["registry"] == "together"
    assert verify(fresh.home.log).ok


def test_a_pack_put_in_force_since_stays_and_is_not_called_edited(fresh: Site) -> None:
    copy = copied(fresh)
    used = done(fresh, "pack.use", pack=shipped_packs.text("company"))
    restored(fresh, copy)
    assert done(fresh, "pack.show")["id"] == used["pack"]
    assert fresh.entries(kind="pack-edited") == []
    assert not {"pack", "pack-edited"} & findings(fresh).keys()


def test_the_copy_of_one_act_earlier_is_no_act_cut_short(fresh: Site) -> None:
    copy = copied(fresh)
    done(fresh, "person.add", person="E1")
    fresh.control.kill()
    fresh.control.wait(30)
    for name in ("registry.db-wal", "registry.db-shm"):
        (fresh.home.root / name).unlink()
    restored(fresh, copy)
    assert done(fresh, "status")["registry"] == "older"
    assert outcomes(fresh) == [("person.add", "done")]


def test_killed_while_accepting_is_said_of_the_accepting_alone(fresh: Site) -> None:
    copy = copied(fresh)
    held = done(fresh, "person.add", person="E1")
    restored(fresh, copy)
    fresh.tell_peer(f"kill-after-append {fresh.control.pid}")
    with pytest.raises(UnreachableError):
        done(fresh, "registry.accept", last=held["seq"], reason="x")
    fresh.control.wait(30)
    fresh.start_control()
    assert outcomes(fresh) == [
        ("person.add", "done"),
        ("registry.accept", "done"),
        ("registry.accept", "not-completed"),
    ]
    assert [row["act"] for row in done(fresh, "registry.show")["lost"]] == ["person.add"]
    done(fresh, "registry.accept", last=held["seq"], reason="x")
    assert done(fresh, "status")["registry"] == "together"


def test_the_right_registry_after_another_was_accepted_is_the_older_one(fresh: Site) -> None:
    copy = copied(fresh)
    held = done(fresh, "person.add", person="E1")
    right = fresh.home.root / "right.db"
    fresh.stop_control()
    shutil.copy(fresh.home.registry, right)
    shutil.copy(copy, fresh.home.registry)
    fresh.start_control()
    done(fresh, "registry.accept", last=held["seq"], reason="x")
    restored(fresh, right)
    assert [row["act"] for row in done(fresh, "registry.show")["lost"]] == ["registry.accept"]


def test_the_list_is_whole_though_the_index_was_deleted(fresh: Site) -> None:
    copy = copied(fresh)
    done(fresh, "person.add", person="E1")
    fresh.stop_control()
    shutil.rmtree(fresh.home.index)
    fresh.home.index.mkdir(mode=0o700)
    restored(fresh, copy)
    shown = done(fresh, "registry.show")
    assert ([row["act"] for row in shown["lost"]], shown["whole"]) == (["person.add"], True)


def test_a_log_from_a_backup_is_an_alarm_and_both_go_on(fresh: Site) -> None:
    done(fresh, "person.add", person="E1")
    fresh.stop_control()
    fresh.kill_peer()
    log = fresh.home.root / "log.copy"
    shutil.copytree(fresh.home.log, log)
    fresh.restart_peer()
    fresh.start_control()
    known = done(fresh, "person.add", person="E2")["seq"]
    fresh.stop_control()
    fresh.kill_peer()
    shutil.rmtree(fresh.home.log)
    shutil.copytree(log, fresh.home.log)
    fresh.restart_peer()
    fresh.start_control()
    [told] = fresh.entries(kind="log-older")
    assert (told["known"], told["alarm"]) == (known, True)
    assert done(fresh, "status")["registry"] == "together"
    assert findings(fresh)["log-older"] == "serious"
    with fresh.client() as caller:
        [alarm] = caller.stream("alarm.list")
    done(fresh, "alarm.ack", alarm=alarm["id"], note="恢复了旧日志")
    assert "log-older" not in findings(fresh)
    for _ in range(3):
        done(fresh, "person.add", person=f"E{fresh.entries()[-1]['seq']}")
    fresh.stop_control()
    fresh.start_control()
    assert len(fresh.entries(kind="log-older")) == 1
    assert done(fresh, "status")["registry"] == "together"


def test_who_is_stopped_by_what_would_be_lost_does_not_accept(fresh: Site) -> None:
    with office_of(fresh) as office:
        copy = copied(fresh)
        office.do("hold.add", "E9", "E8", reason="x")
        office.do("hold.add", "E7", "E8", reason="x")
    fresh.start_control()
    restored(fresh, copy)
    last = done(fresh, "registry.show")["lost"][-1]["seq"]
    fresh.stop_control()
    with open_services(fresh.home, DeciderConnection(channel.ChannelClient(fresh.control_end)), None) as services:
        reconciliation.begin(services)
        with pytest.raises(ForbiddenError, match=r"control.own-hold-would-be-lost"):
            accept(services, OFFICERS["E9"], last)
        accept(services, OFFICERS["E8"], last)
        assert not services.site.stores.now.older


def test_no_act_is_done_on_a_registry_whose_file_was_exchanged(fresh: Site) -> None:
    copy = copied(fresh)
    fresh.stop_control()
    with open_services(fresh.home, DeciderConnection(channel.ChannelClient(fresh.control_end)), None) as services:
        executor = ActExecutor(services, handler_table().acts)
        assert not executor.older()
        copy.replace(fresh.home.registry)
        with pytest.raises(FatalError, match=r"registry.file-replaced"):
            executor.execute_own("person.add", {"person": "E1"}, by="schedule")
    assert outcomes(fresh) == []


def test_nothing_is_ended_and_no_notice_taken_up_until_it_is_accepted(fresh: Site) -> None:
    for name in ("E1", "E2", "E3"):
        done(fresh, "person.add", person=name)
    keys = fresh.home.root.parent / "keys"
    made = hr_sender.make_keys(
        keys, audience="urn:shoumi:agent:test", iss="https://hr.example", approvers=[("a", "E2"), ("b", "E3")]
    )
    shutil.copy(made, pinned_keys.path(fresh.home.root))
    until((fresh.home.root / "spool" / "new").is_dir)
    copy = copied(fresh)
    held = done(fresh, "person.add", person="E4")
    restored(fresh, copy)
    notice = hr_sender.send_test(fresh.home.root, "E1", keys, datetime.now(UTC)).file
    for _ in range(3):  # the thread of acts, twice the pace of the schedule
        done(fresh, "registry.show")
    assert departures_of(fresh) == []
    assert notice.exists()
    done(fresh, "registry.accept", last=held["seq"], reason="x")
    until(lambda: departures_of(fresh))
    until(lambda: fresh.entries(kind="hr-event", outcome="accepted") or not notice.exists())


def entry(act: str, **args: object) -> dict[str, Any]:
    return {"act": act, "args": args}


def test_what_the_log_says_of_areas_and_people_is_its_last_word() -> None:
    add = entry("area.add", name="a", path="/srv/a", level="secret", domain="state")
    watched = entry("area.add", name="b", path="/srv/b", level="secret", domain="state", observe=True)
    assert [(row.resource.id, row.path) for row in added_areas([add, watched])] == [("a", "/srv/a")]
    assert added_areas([add, entry("area.remove", area="a")]) == ()
    assert [row.resource.id for row in added_areas([watched, entry("area.enforce", area="b")])] == ["b"]
    assert added_areas([entry("area.add", name="a", path="/srv/a")]) == ()  # cut, or written by another program
    assert enforced_areas([entry("area.enforce", area="a"), entry("area.enforce", area="b")]) == {"a", "b"}
    assert enforced_areas([entry("area.enforce", area="a"), entry("area.observe", area="a")]) == frozenset()
    assert stops([entry("hold.add", person="E1")], "E1")
    assert stops([entry("case.approve", person="E1"), entry("hold.lift", person="E2")], "E1")
    assert stops([entry("hold.add", person="E1"), entry("hold.lift", person="E1")], "E1")  # that may be one hand of two
    assert not stops([entry("hold.add", person="E2"), entry("person.set", person="E1")], "E1")
