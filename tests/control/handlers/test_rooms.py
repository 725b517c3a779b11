"""Rooms, visitors, badges and lockdowns over the socket: what an act does, what is refused, and what is recorded."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import shipped_packs
from agent.api.client import AgentClient
from agent.api.operations import TABLE
from agent.api.roles import Role
from agent.errors import RefusedError, UnreachableError, UsageError
from agent.registry.intent import noted
from agent.registry.store import Registry
from agent.runtime.home import Home
from agent.site.init import make
from tests.control.site import Site, running

OSDP = "osdp+tcp://127.0.0.1:9/1"
BOARD = "uhppote://127.0.0.1:9/405419896/1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentClient]:
    """A site with two cleared people, a visitor's room and a strict one, and no door that answers."""
    with running(tmp_path_factory.mktemp("rooms") / "home") as site, site.client() as client:
        for person, badge in (("E1", "4660"), ("E2", "22136")):
            client.call("person.add", person=person, level=["state=secret"], badge=[badge])
        client.call("room.add", room="vault", level="secret", domain="state", two_person="yes", custodian="E1")
        client.call("room.add", room="lobby", level="internal", domain="state", purpose="yes", declaration="yes")
        for person in ("E1", "E2"):
            for room in ("vault", "lobby"):
                client.call("grant.add", person=person, area=room, reason="项目甲")
        yield client


def explained(client: AgentClient, person: str, room: str, **more: object) -> tuple[str, str]:
    found = client.call("explain", person=person, target=room, **more)
    return found["verdict"], found["rule"]


def test_a_room_is_explained_as_its_door_would_decide(client: AgentClient) -> None:
    assert explained(client, "E1", "vault") == ("deny", "two-person")
    assert explained(client, "E1", "vault", **{"with": ["E2"]}) == ("allow", "allow")
    assert explained(client, "E1", "lobby") == ("deny", "purpose")
    assert explained(client, "E1", "lobby", purpose="inventory") == ("deny", "declaration")
    with pytest.raises(RefusedError, match=r"registry.not-found.*common.person.*E9"):
        client.call("explain", person="E1", target="vault", **{"with": ["E9"]})


def test_a_verdict_on_what_was_stated_ends_with_the_statement(client: AgentClient) -> None:
    stated = client.call("declaration.add", person="E1", room="lobby", purpose="inventory", no_devices=True)
    found = client.call("explain", person="E1", target="lobby")
    assert found["verdict"] == "allow"
    assert found["until"][:19] == stated["until"][:19]
    assert found["assumed"] == {
        "badge": "4660",
        "pin": True,
        "with": [],
        "purpose": "inventory",
        "declared": True,
        "inside": [],
    }
    client.call("declaration.end", declaration=stated["declaration"])
    assert explained(client, "E1", "lobby") == ("deny", "purpose")
    with pytest.raises(UsageError, match=r"control.devices-or-none"):
        client.call("declaration.add", person="E1", room="lobby", devices="a camera", no_devices=True)


def test_what_if_asks_the_same_of_a_room(client: AgentClient) -> None:
    found = client.call("what-if", person="E1", target="vault", hold=True, **{"with": ["E2"]})
    assert (found["verdict"], found["rule"], found["before"]["verdict"]) == ("deny", "hold", "allow")


def test_a_lost_badge_is_not_shown_and_a_badge_ends(client: AgentClient) -> None:
    client.call("person.add", person="E3", level=["state=secret"])
    client.call("badge.add", person="E3", number="17", until="2999-12-31")
    assert client.call("explain", person="E3", target="lobby")["assumed"]["badge"] == "17"
    later = client.call("explain", person="E3", target="lobby", at="3000-01-02")
    assert later["assumed"]["badge"] is None
    with pytest.raises(RefusedError, match=r"control.owned-by-another.*17.*E3"):
        client.call("badge.lost", person="E1", number="17")
    client.call("badge.lost", person="E3", number="17")
    assert client.call("explain", person="E3", target="lobby")["assumed"]["badge"] is None
    assert [row["state"] for row in client.stream("badge.list", person="E3")] == ["lost"]
    client.call("badge.remove", person="E3", number="17")
    assert list(client.stream("badge.list", person="E3")) == []
    assert [row["state"] for row in client.stream("badge.list", person="E3", all=True)] == ["returned"]


def test_a_lockdown_denies_everybody_and_only_its_own_place(client: AgentClient) -> None:
    client.call("lockdown.on", room="vault", reason="leak")
    assert explained(client, "E1", "vault", **{"with": ["E2"]}) == ("deny", "lockdown")
    assert explained(client, "E1", "lobby")[1] == "purpose"
    client.call("lockdown.on", reason="drill")
    assert explained(client, "E1", "lobby") == ("deny", "lockdown")
    assert client.call("lockdown.off", room="vault", reason="over")["still"] == [""]
    assert explained(client, "E1", "vault", **{"with": ["E2"]}) == ("deny", "lockdown")
    assert client.call("lockdown.off", reason="over")["still"] == []
    assert explained(client, "E1", "vault", **{"with": ["E2"]}) == ("allow", "allow")
    assert [row["room"] for row in client.stream("lockdown.list", all=True)] == ["vault", ""]


def test_a_visit_its_visitor_and_his_badge_are_one_act(client: AgentClient) -> None:
    visit = {"person": "V1", "name": "来宾", "host": "E1", "purpose": "audit", "until": "2999-01-01"}
    with pytest.raises(RefusedError, match=r"control.visit-too-long"):
        client.call("visitor.add", room="lobby", badge="900", **visit)
    with pytest.raises(RefusedError, match=r"registry.person-is-visitor.*V1"):
        client.call("visitor.add", **{**visit, "until": None}, room="lobby", badge="900", escort="V1")
    assert list(client.stream("badge.list", person="V1")) == []  # refused is undone, the visitor too
    with pytest.raises(RefusedError, match=r"registry.not-found.*V1"):
        client.call("person.show", person="V1")
    added = client.call("visitor.add", **{**visit, "until": None}, room="lobby", badge="900")
    client.call("visitor.add", **{**visit, "until": None}, room="vault", escort="E2")
    rows = list(client.stream("visitor.list"))
    assert [(row["id"], row["escort"], row["badge"]) for row in rows] == [
        (added["visit"], "E1", "900"),
        ("V000002", "E2", ""),
    ]
    assert client.call("visitor.end", visit="V000002")["inside"] == []
    assert [row["id"] for row in client.stream("visitor.list")] == [added["visit"]]
    left = client.call("visitor.exit", visit="V1", badge_lost=True)
    assert left["badges"] == ["900"]
    assert left["badge_lost"]
    assert [row["state"] for row in client.stream("badge.list", person="V1")] == ["lost"]
    assert list(client.stream("visitor.list")) == []
    with pytest.raises(RefusedError, match=r"control.visitor-has-left.*V1"):
        client.call("visitor.exit", visit="V1")


def test_a_visitor_enters_with_the_escort_and_not_alone(client: AgentClient) -> None:
    client.call("visitor.add", person="V2", room="lobby", host="E1", escort="E2", purpose="audit", badge="901")
    client.call("declaration.add", person="V2", room="lobby", no_devices=True)
    assert explained(client, "V2", "lobby") == ("deny", "escort")
    assert explained(client, "V2", "lobby", **{"with": ["E1"]}) == ("deny", "escort")  # the host is not the escort
    assert explained(client, "V2", "lobby", **{"with": ["E2"]}) == ("allow", "allow")
    client.call("visitor.end", visit="V2")
    assert explained(client, "V2", "lobby", **{"with": ["E2"]}) == ("deny", "visit")


def test_somebody_of_the_site_on_a_visit_keeps_his_own_badge(client: AgentClient) -> None:
    client.call("person.add", person="E5", badge=["55"])
    assert explained(client, "E5", "lobby", **{"with": ["E2"]})[0] == "deny"
    client.call("visitor.add", person="E5", room="lobby", host="E1", escort="E2", purpose="a lamp")
    client.call("declaration.add", person="E5", room="lobby", devices="a drill")
    assert explained(client, "E5", "lobby", **{"with": ["E2"]}) == ("allow", "allow")
    assert client.call("visitor.exit", visit="E5")["badges"] == []
    assert [row["state"] for row in client.stream("badge.list", person="E5")] == ["active"]


def test_a_badge_is_named_as_a_reader_reports_it_with_or_without_the_zeros_printed_on_it(client: AgentClient) -> None:
    client.call("person.add", person="E4", level=["state=secret"], badge=["0000018"])
    assert client.call("badge.add", person="E4", number="0000019")["number"] == "19"
    assert [row["number"] for row in client.stream("badge.list", person="E4")] == ["18", "19"]
    assert client.call("badge.lost", person="E4", number="00018")["number"] == "18"
    assert client.call("badge.remove", person="E4", number="019")["number"] == "19"
    client.call("visitor.add", person="V4", name="来宾", host="E1", purpose="audit", room="lobby", badge="000020")
    assert client.call("visitor.exit", visit="V4")["badges"] == ["20"]


def test_an_area_kept_in_a_room_holds_its_level_up(
    client: AgentClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("plans")
    client.call("area.add", path=str(place), name="plans", level="secret", domain="state")
    with pytest.raises(RefusedError, match=r"rules.content-above-room.*plans"):
        client.call("room.set", room="lobby", keep=["plans"])
    client.call("room.set", room="vault", keep=["plans"])
    with pytest.raises(RefusedError, match=r"rules.content-above-room.*plans"):
        client.call("area.set", area="plans", level="top-secret")
    with pytest.raises(RefusedError, match=r"rules.content-above-room.*plans"):
        client.call("room.set", room="vault", level="internal")
    assert client.call("room.show", room="vault")["keeps"] == ["plans"]
    client.call("room.set", room="vault", unkeep=["plans"])
    client.call("area.set", area="plans", level="top-secret")


def test_setting_one_thing_of_a_room_leaves_the_others(client: AgentClient) -> None:
    client.call("room.set", room="vault", limit=4, anti_passback="hard", lone_alarm="yes", location="3 号楼 B1-07")
    client.call("room.set", room="vault", held_open=9, accompany="no")
    found = client.call("room.show", room="vault")
    assert [found[name] for name in ("two_person", "occupancy_limit", "anti_passback", "lone_alarm")] == [
        *(True, 4),
        *("hard", True),
    ]
    assert (found["held_open_seconds"], found["accompany"], found["custodian"]) == (9, False, "E1")
    assert found["location"] == "3 号楼 B1-07"
    client.call("room.set", room="vault", limit=0, anti_passback="none", lone_alarm="no", accompany="yes")
    with pytest.raises(UsageError, match=r"operations.must-be.*two_person.*operations.one-of"):
        client.call("room.set", room="vault", two_person="maybe")


def test_the_hour_at_which_a_room_is_taken_to_be_empty_is_one_of_the_day(client: AgentClient) -> None:
    for word in ("4:00", "24:00", "04:60", "noon"):
        with pytest.raises(UsageError, match=r"operations.must-be.*reset_at.*operations.time-of-day"):
            client.call("room.set", room="vault", reset_at=word)
    client.call("room.set", room="vault", reset_at="04:00")
    client.call("room.set", room="vault", limit=9)
    assert client.call("room.show", room="vault")["reset_at"] == "04:00"
    client.call("room.set", room="vault", reset_at="never", limit=0)
    assert client.call("room.show", room="vault")["reset_at"] == ""


def test_a_door_speaks_one_protocol_at_known_addresses(client: AgentClient) -> None:
    for given in (
        {"reader": ["somewhere"]},
        {"reader": [OSDP], "strike": BOARD},
        {"reader": [BOARD], "exit_reader": ["uhppote://127.0.0.1:9/405419896/2"]},
    ):
        with pytest.raises(UsageError):
            client.call("door.add", door="d1", room="lobby", **given)
    assert list(client.stream("door.list")) == []


def test_a_reset_needs_somebody_who_is_inside_and_an_alarm_a_number(client: AgentClient) -> None:
    with pytest.raises(RefusedError, match=r"control.person-not-inside.*E1.*vault"):
        client.call("occupancy.reset", room="vault", person="E1", reason="left by the window")
    assert client.call("occupancy.reset", room="vault", reason="drill")["persons"] == []
    with pytest.raises(RefusedError, match=r"registry.not-found.*common.alarm.*A000001"):
        client.call("alarm.ack", alarm="A000001", note="a cleaner")


def test_nobody_is_told_that_a_door_was_released_when_none_is_there(fresh: Site) -> None:
    with fresh.client() as client:
        with pytest.raises(RefusedError, match=r"registry.not-found.*common.door.*d1"):
            client.call("door.open", door="d1", reason="x")
        assert fresh.entries(act="door.open", outcome="done") == []


def test_a_pin_is_in_no_entry_whatever_became_of_the_act(fresh: Site) -> None:
    with fresh.client() as client:
        client.call("person.add", person="E1")
        client.call("pin.set", person="E1", pin="471192", duress="918273")
        assert noted(fresh.home.intent) is None
        for person, pin in (("E9", "471192"), ("E1", "111111")):
            with pytest.raises(RefusedError):
                client.call("pin.set", person=person, pin=pin)
        assert [(row["person"], row["duress"]) for row in client.stream("pin.list")] == [("E1", True)]
    fresh.tell_peer(f"kill-after-append {fresh.control.pid}")
    with fresh.client() as client, pytest.raises(UnreachableError):
        client.call("pin.set", person="E1", pin="471192")
    fresh.control.wait(30)
    intent = fresh.home.intent.read_bytes()  # what the entry of an act that was cut short repeats
    assert b"pin.set" in intent
    assert b"471192" not in intent
    fresh.start_control()
    entries = fresh.entries(act="pin.set")
    assert [entry["outcome"] for entry in entries] == ["done", "refused", "refused", "done", "not-completed"]
    assert all(entry["args"]["pin"] == "…" for entry in entries)  # type: ignore[index]
    record = b"".join(file.read_bytes() for file in fresh.home.log.glob("*.jsonl"))
    assert not any(pin in record for pin in (b"471192", b"918273", b"111111"))


def test_under_a_pack_that_says_so_no_high_room_has_a_wire_that_proves_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "home", pack="state") as site, site.client() as client:
        client.call("room.add", room="vault", level="secret", domain="state")
        client.call("room.add", room="hall", level="internal", domain="work")
        with pytest.raises(RefusedError, match=r"control.board-not-allowed-for-level") as caught:
            client.call("door.add", door="d1", room="vault", reader=[BOARD])
        assert caught.value.hint
        added = client.call("door.add", door="d2", room="hall", reader=[BOARD])
        assert {found["code"] for found in added["findings"]} == {"wire", "no-contact", "no-exit-reader"}
        with pytest.raises(RefusedError, match=r"control.board-not-allowed-for-level"):
            client.call("room.set", room="hall", level="secret")
        codes = {found["code"] for found in client.call("doctor")}
        assert {"wire", "no-contact"} <= codes
        with pytest.raises(RefusedError, match=r"registry.room-has-door.*d2"):
            client.call("room.remove", room="hall")
        client.call("door.remove", door="d2")
        client.call("room.set", room="hall", level="secret")
        client.call("room.remove", room="hall")


def test_under_a_pack_that_says_so_a_file_opens_only_from_inside_the_room_of_the_machine(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    make(home, shipped_packs.text("minimal") + '\n[in_room]\nfrom_level = "secret"\n')
    (tmp_path / "plans").mkdir()
    with running(home.root) as site, site.client() as client:
        client.call("person.add", person="E1", level=["state=secret"])
        client.call("area.add", path=str(tmp_path / "plans"), name="plans", level="secret", domain="state")
        client.call("grant.add", person="E1", area="plans", reason="项目甲")
        client.call("room.add", room="vault", level="secret", domain="state")
        assert explained(client, "E1", "plans") == ("deny", "in-room")  # this machine stands nowhere
        with Registry(home.registry) as registry, registry.note(datetime.now(UTC)) as door:
            door.presence.enter("vault", "E1")
        assert explained(client, "E1", "plans") == ("deny", "in-room")
        client.call("room.host", room="vault")
        assert client.call("room.show", room="vault")["here"]
        assert explained(client, "E1", "plans") == ("allow", "allow")
        client.call("occupancy.reset", room="vault", person="E1", reason="seen outside")
        assert explained(client, "E1", "plans") == ("deny", "in-room")


def test_who_wires_a_door_does_not_open_it() -> None:
    system = ("room.add", "door.add", "door.set", "door.remove", "door.commission", "door.rotate-key", "pin.set")
    assert all(TABLE[name].roles == {Role.SYSTEM} for name in system)
    taking = ("lockdown.on", "badge.lost", "visitor.exit", "visitor.end", "alarm.ack", "pin.remove", "declaration.end")
    assert all(TABLE[name].roles == {Role.SYSTEM, Role.SECURITY} for name in taking)
