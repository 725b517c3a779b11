"""The small parts of serving doors: what boards are told, how keys are settled, tickets, a process that is unwell."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from agent.doors.frames import Cards, CardStates, Commission, Keyed, Pong, ReaderKey, Rekey, Sweep, Swept, ToDoors
from agent.doors.link import LinkClosedError
from agent.doors.osdp.keys import KeyStore, fingerprint
from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.rooms.board_cards import BoardCardSync
from agent.rooms.configuration import boards, configuration, on_a_board
from agent.rooms.field.identity import identity
from agent.rooms.pending_commands import CommandOutcome, PendingCommands
from agent.rooms.reader_keys import ReaderKeys
from agent.rooms.refusal_check import refusals
from agent.rooms.watchdog import FieldWatchdog
from tests.rooms.site import BOARD, IN, Kit, kit
from tests.sentences import en, zh

SERIAL = 405419896


def with_board(change: RegistryTransaction) -> None:
    change.doors.add("store", "vault", protocol="uhppote", readers=[(BOARD, "in")], strike=BOARD)


@pytest.fixture
def site() -> Iterator[Kit]:
    with kit(with_board) as made:
        yield made


def test_what_a_board_names_that_nobody_asked_about_takes_no_room(site: Kit) -> None:
    told = Told()
    sync = BoardCardSync(site.building, site.registry, told.frames.append, site.now)
    sync.begin()
    sync.resync()
    before = len(site.building.reader.board_cards())
    for board in (SERIAL, 1, 2):
        sync.swept(Swept("sweep-1", board, ok=True, removed=tuple(range(10_000_000, 10_020_000))))
    assert len(site.building.reader.board_cards()) == before
    assert all(sync.on(str(board), 10_000_000) is None for board in (SERIAL, 1, 2))
    assert sync.ours(str(SERIAL))
    assert not sync.ours("1")


class Told:
    """What the doors process was told; ``deaf``: it takes nothing."""

    def __init__(self) -> None:
        self.frames: list[ToDoors] = []
        self.deaf = False

    def __call__(self, frame: ToDoors) -> None:
        if self.deaf:
            raise LinkClosedError
        self.frames.append(frame)

    def cards(self) -> list[Cards]:
        return [frame for frame in self.frames if isinstance(frame, Cards)]


# --- boards -------------------------------------------------------------------------------------------------------


def test_a_new_process_is_told_every_good_badge_and_then_to_look_for_others(site: Kit) -> None:
    told = Told()
    BoardCardSync(site.building, site.registry, told, site.now).resync()
    [frame] = told.cards()
    assert [badge.card for badge in frame.put] == [1001, 1002, 1003]
    assert isinstance(told.frames[-1], Sweep)


def test_no_board_is_told_the_card_of_somebody_who_is_stopped_or_whose_badge_is_no_good(site: Kit) -> None:
    with site.officer() as change:
        change.holds.add("E1", reason="test")
        change.badges.mark_lost("1002")
        change.badges.add("77", "E3", until=site.now() + timedelta(seconds=1))
    site.ahead += timedelta(seconds=2)
    told = Told()
    BoardCardSync(site.building, site.registry, told, site.now).resync()
    assert [badge.card for badge in told.cards()[0].put] == [1003]


def test_a_hold_takes_the_card_off_and_lifting_it_puts_it_back(site: Kit) -> None:
    told = Told()
    made = BoardCardSync(site.building, site.registry, told, site.now)
    made.resync()
    with site.officer() as change:
        hold = change.holds.add("E1", reason="test")
    made.follow()
    assert told.cards()[-1].gone == (1001,)
    with site.officer() as change:
        change.holds.lift(hold, reason="test", by="other")
    made.follow()
    assert [badge.card for badge in told.cards()[-1].put] == [1001]


def test_a_card_is_gone_only_when_the_last_thing_asked_was_read_back(site: Kit) -> None:
    told = Told()
    made = BoardCardSync(site.building, site.registry, told, site.now)
    made.resync()
    put = told.cards()[-1].id
    made.stated(CardStates(put, SERIAL, confirmed=(1001,)))
    made.withdraw([1001])
    made.stated(CardStates(put, SERIAL, confirmed=(1001,)))  # an answer that was on its way
    known = made.on(str(SERIAL), 1001)
    assert known
    assert (known.wanted, known.state) == ("gone", "pending")
    row = site.building.reader.board_cards()[0]
    assert (row.card, row.wanted, row.state) == ("1001", "gone", "pending")
    made.stated(CardStates(told.cards()[-1].id, SERIAL, confirmed=(1001,)))
    known = made.on(str(SERIAL), 1001)
    assert known
    assert (known.wanted, known.state) == ("gone", "confirmed")


def test_what_was_pending_is_asked_again_after_a_restart(site: Kit) -> None:
    first = BoardCardSync(site.building, site.registry, Told(), site.now)
    first.resync()
    with site.officer() as change:
        change.badges.remove("1001")
    first.follow()
    told = Told()
    second = BoardCardSync(site.building, site.registry, told, site.now)
    second.begin()
    second.resync()
    assert any(1001 in frame.gone for frame in told.cards())


def test_doors_refuse_whoever_leaves_and_ask_the_rules_about_whoever_stays(site: Kit) -> None:
    told = Told()
    made = BoardCardSync(site.building, site.registry, told, site.now)
    made.resync()
    staying = list(refusals(site.building, site.rooms, made, "E1", site.now()))
    assert all(door.confirmed for door in staying)
    with site.officer() as change:
        change.holds.add("E1", reason="test")
    made.follow()
    held = {door.name: door.confirmed for door in refusals(site.building, site.rooms, made, "E1", site.now())}
    assert held == {"vault": True, "store": False}
    made.stated(CardStates(told.cards()[-1].id, SERIAL, confirmed=(1001,)))
    assert all(door.confirmed for door in refusals(site.building, site.rooms, made, "E1", site.now()))


@pytest.mark.parametrize("number", ["0", "-1", "01", "4294967295", "12:4660", "４６６０", "1e3"])
def test_a_number_no_board_can_hold_is_on_no_board(number: str) -> None:
    assert not on_a_board(number)


# --- configuration ------------------------------------------------------------------------------------------------


def test_the_process_is_told_its_doors_and_only_the_keys_of_their_readers(site: Kit) -> None:
    made = configuration(
        site.building.doors.values(),
        {IN: (b"k" * 16,), "osdp+tcp://127.0.0.1:9/9": (b"x" * 16,)},
        listen="127.0.0.1:60001",
        last_events={str(SERIAL): 7, "999": 8},
        offset=0,
    )
    assert [door.door for door in made.doors] == ["store", "vault"]
    assert dict(made.keys) == {IN: (b"k".hex() * 16,)}
    assert dict(made.seen) == {str(SERIAL): 7}
    assert boards(site.building.doors.values()) == {str(SERIAL): ["store"]}


# --- keys ---------------------------------------------------------------------------------------------------------


def keys(site: Kit, told: Told) -> tuple[ReaderKeys, PendingCommands, KeyStore]:
    store, tickets = KeyStore(site.home.root / "doors.keys"), PendingCommands()
    return ReaderKeys(store, site.registry, tickets, told, site.now), tickets, store


def test_a_key_is_durable_before_it_is_sent_and_settled_by_what_the_reader_answers_under(site: Kit) -> None:
    told = Told()
    made, tickets, store = keys(site, told)
    ticket = tickets.open("key")
    made.give(ticket, IN)
    [frame] = told.frames
    assert isinstance(frame, Commission)
    assert store.candidates(IN) == (bytes.fromhex(frame.key),)
    assert made.answered(Keyed(ticket, ok=True))
    assert tickets.outcome(ticket, 0).key == fingerprint(bytes.fromhex(frame.key))
    made.change(tickets.open("key"), IN)
    rekey = told.frames[-1]
    assert isinstance(rekey, Rekey)
    assert len(store.candidates(IN)) == 2
    assert made.came_online(ReaderKey(IN, fingerprint(bytes.fromhex(rekey.key))))
    assert store.candidates(IN) == (bytes.fromhex(rekey.key),)


def test_a_first_key_whose_answer_was_lost_is_sent_again_and_is_not_a_third_one(site: Kit) -> None:
    told = Told()
    made, tickets, store = keys(site, told)
    told.deaf = True
    ticket = tickets.open("key")
    made.give(ticket, IN)
    assert tickets.outcome(ticket, 0).ok is False
    told.deaf = False
    for _ in range(3):
        made.give(tickets.open("key"), IN)
    assert len({frame.key for frame in told.frames if isinstance(frame, Commission)}) == 1
    assert len(store.candidates(IN)) == 1


def test_a_reader_without_a_key_cannot_be_given_another_one(site: Kit) -> None:
    made, tickets, _ = keys(site, Told())
    with pytest.raises(RefusedError):
        made.change(tickets.open("key"), IN)


def test_keys_of_readers_no_door_has_are_forgotten(site: Kit) -> None:
    made, tickets, store = keys(site, Told())
    made.give(ticket := tickets.open("key"), IN)
    made.answered(Keyed(ticket, ok=True))
    made.keep_only({IN: "x"})
    assert store.candidates(IN)
    made.keep_only({})
    assert not store.candidates(IN)


# --- tickets and watching -----------------------------------------------------------------------------------------


def test_a_ticket_is_settled_once_and_nobody_elses() -> None:
    tickets = PendingCommands()
    ticket = tickets.open("release")
    assert tickets.outcome(ticket, 0).ok is None
    assert tickets.settle(ticket, CommandOutcome(ok=True))
    assert not tickets.settle(ticket, CommandOutcome(ok=False))
    assert not tickets.settle("vault/1", CommandOutcome(ok=True))
    assert tickets.outcome(ticket, 0).ok is True
    with pytest.raises(RefusedError):
        tickets.outcome("release-0-1", 0)


def test_a_process_is_ended_when_it_is_silent_floods_or_is_worn_and_quiet() -> None:
    watch = FieldWatchdog()
    watch.started(0.0)
    assert watch.to_end(1, 10.0) is None
    assert watch.to_ask(6.0)
    assert not watch.to_ask(6.5)
    assert watch.to_end(1, 30.0)
    watch.answered(Pong("ping", worn=True), 30.0)
    watch.heard(30.0)
    assert watch.to_end(1, 31.0) is None
    assert watch.to_end(1, 36.0)
    watch.started(40.0)
    for _ in range(700):
        watch.heard(41.0)
    assert watch.to_end(1, 41.0)
    assert watch.to_end(100, 41.0) is None


def test_a_flood_is_told_with_the_door_that_most_of_it_is_of() -> None:
    watch = FieldWatchdog()
    watch.started(40.0)
    for number in range(700):
        watch.heard(41.0, "vault" if number % 3 else "")
    found = watch.to_end(1, 41.0)
    assert found is not None
    assert en(found) == "message rate exceeds the limit for its doors, most of it from `vault`"
    assert zh(found).endswith("，多数来自 `vault`")


def test_troubles_are_told_up_to_a_limit_and_the_rest_is_counted() -> None:
    watch = FieldWatchdog()
    told = [watch.trouble(1.0) for _ in range(100)]
    assert told.count(None) == 40
    assert watch.trouble(62.0) == 40


def test_the_doors_process_is_never_root_and_an_account_that_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    found = identity(None)
    assert found
    assert found.uid != 0
    with pytest.raises(RefusedError) as refused:
        identity("no-such-account-here")
    assert "no-such-account-here" in en(refused.value.text)
    with pytest.raises(RefusedError):
        identity("root")
