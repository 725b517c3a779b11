"""Doors of a board are opened: by us and confirmed, and by other hands and told."""

from agent.doors.frames import Heard
from agent.doors.messages import Online, OwnDecision, Read
from agent.doors.uhppote import reasons
from agent.doors.uhppote.client import BoardClient
from agent.doors.uhppote.controller import KEEP, Opening
from agent.simulator.uhppote_packet import Fn
from tests.doors.uhppote.kit import CARD, online, run, site, store
from tests.sentences import en


def test_release_unlocks_and_the_event_it_causes_is_not_a_badge() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            assert await made.serving.release(made.where(), 6.5) == Opening(None, confirmed=True)
            assert made.board.unlocked(1)
            assert made.board.doors[1].delay == 7
            await made.ears.hear(Heard, lambda said: said.index == 1)
            assert made.ears.of(Read) == []
            assert made.ears.of(OwnDecision) == []

    run(test())


def test_a_door_opened_over_the_network_by_somebody_else_is_told() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            assert (await made.serving.release(made.where(), 3)).reason is None
            await BoardClient(made.where()).open(1, lambda: None)  # anybody on the wire can
            said = await made.ears.hear(OwnDecision)
            assert (said.granted, said.reason, said.card) == (True, reasons.REMOTE_OPEN, 0)
            await made.ears.hear(Heard, lambda heard: heard.index == 2)
            assert len(made.ears.of(OwnDecision)) == 1

    run(test())


def test_an_opening_that_was_repeated_because_its_answer_was_lost_is_still_ours() -> None:
    async def test() -> None:
        async with site(every=KEEP, pace=0.1) as made:
            await online(made)
            made.board.faults.mute = frozenset({Fn.OPEN_DOOR})
            assert (await made.serving.release(made.where(), 3)).reason
            assert made.board.doors[1].opened > 1
            await made.ears.hear(Heard, lambda said: said.index == made.board.doors[1].opened)
            assert made.ears.of(OwnDecision) == []

    run(test())


def test_release_says_why_it_did_not_happen() -> None:
    async def test() -> None:
        async with site(pace=0.1) as made:
            assert (await made.serving.release(made.where(), 3)).reason
            await online(made)
            made.board.doors[1].mode = 2
            refused = (await made.serving.release(made.where(), 3)).reason
            assert refused
            assert "refused" in en(refused)
            made.board.faults.dead = True
            assert (await made.serving.release(made.where(), 3)).reason
            away = await made.ears.hear(Online, lambda said: not said.online)
            assert away.address == f"{made.board.line}/1"

    run(test())


def test_a_board_that_opens_by_its_own_list_is_told_and_taken_over_at_once() -> None:
    async def test() -> None:
        async with site(every=1000) as made:
            store(made.board, rights=(1, 1, 1, 1))
            await online(made)
            made.board._pc_control = False  # noqa: SLF001 - a board that forgets it, which no packet makes it do
            made.board.swipe(1, CARD)
            said = await made.ears.hear(OwnDecision)
            assert (said.granted, said.reason, said.card) == (True, reasons.SWIPE, CARD)
            await made.board.until(lambda board: board.under_control)

    run(test())
