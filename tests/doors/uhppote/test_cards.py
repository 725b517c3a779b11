"""Cards on boards: no right anywhere, proven by reading back, tried until proven, and nobody waits for a dead board."""

from datetime import date

import pytest

from agent.doors.frames import MOST_CARDS, BoardBadge, Cards, CardStates, Swept, Trouble
from agent.doors.messages import Online
from agent.doors.uhppote.controller import KEEP
from agent.errors import RefusedError
from agent.simulator.uhppote_board import Board
from agent.simulator.uhppote_packet import BoardCard, Fn
from tests.doors.uhppote.kit import CARD, SERIAL, Site, run, site
from tests.sentences import en

SOON = "2026-12-31"
LONG_AGO, END = date(2020, 1, 1), date.fromisoformat(SOON)


def put(*cards: int, id: str = "c1", until: str = SOON) -> Cards:  # noqa: A002 - the frame's own word
    return Cards(id, put=tuple(BoardBadge(card, until) for card in cards))


async def online(made: Site) -> None:
    await made.configure()
    await made.ears.hear(Online, lambda said: said.online, many=2 * len(made.boards))


def foreign(board: Board, card: int, rights: tuple[int, int, int, int] = (1, 1, 1, 1)) -> None:
    board.memory.cards.append(BoardCard(card, LONG_AGO, END, rights))


def test_a_card_is_stored_without_a_right_and_with_an_end_and_read_back() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            made.serving.cards(put(CARD))
            said = await made.ears.hear(CardStates)
            assert (said.id, said.board, said.confirmed, said.pending) == ("c1", SERIAL, (CARD,), ())
            stored = made.board.card(CARD)
            assert stored
            assert stored.doors == (0, 0, 0, 0)
            assert str(stored.end) == SOON
            assert stored.pin == 0
            order = [fn for fn in made.board.heard if fn in (Fn.GET_CARD, Fn.PUT_CARD)]
            assert order == [Fn.GET_CARD, Fn.PUT_CARD, Fn.GET_CARD]

    run(test())


def test_what_is_right_already_is_read_and_not_written() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            made.serving.cards(put(CARD))
            await made.ears.hear(CardStates)
            made.serving.cards(put(CARD, id="c2"))
            await made.ears.hear(CardStates, lambda said: said.id == "c2" and said.confirmed)
            assert made.board.heard.count(Fn.PUT_CARD) == 1

    run(test())


def test_a_card_that_opens_without_the_agent_is_corrected() -> None:
    async def test() -> None:
        async with site() as made:
            foreign(made.board, CARD)
            await online(made)
            made.serving.cards(put(CARD))
            await made.ears.hear(CardStates, lambda said: said.confirmed)
            stored = made.board.card(CARD)
            assert stored
            assert stored.doors == (0, 0, 0, 0)

    run(test())


@pytest.mark.parametrize("fault", ["lose_requests", "lose_answers", "twice"])
def test_gone_is_confirmed_only_when_it_was_looked_for_and_not_found(fault: str) -> None:
    async def test() -> None:
        async with site(every=KEEP, pace=0.1) as made:
            foreign(made.board, CARD)
            await online(made)
            setattr(made.board.faults, fault, True if fault == "twice" else 3)
            made.serving.cards(Cards("c1", gone=(CARD,)))
            await made.ears.hear(CardStates, lambda said: said.confirmed == (CARD,))
            assert made.board.card(CARD) is None
            assert made.board.heard[-1] is Fn.GET_CARD

    run(test())


def test_a_board_that_says_yes_and_keeps_nothing_is_pending_until_it_does() -> None:
    async def test() -> None:
        async with site() as made:
            made.board.faults.forgets = True
            await online(made)
            made.serving.cards(put(CARD))
            said = await made.ears.hear(CardStates)
            assert (said.confirmed, said.pending) == ((), (CARD,))
            assert said.why
            assert "did not store the change" in en(said.why)
            made.board.faults.forgets = False
            again = await made.ears.hear(CardStates, lambda said: said.confirmed == (CARD,))
            assert again.id == "c1"

    run(test())


def test_a_dead_board_is_pending_by_name_delays_nobody_and_is_confirmed_when_it_is_back() -> None:
    async def test() -> None:
        async with site(5, pace=0.1) as made:
            for board in made.boards:
                foreign(board, CARD)
            await online(made)
            dead = made.boards[3]
            dead.faults.dead = True
            made.serving.cards(Cards("d1", gone=(CARD, CARD + 1)))
            for board in made.boards:
                if board is not dead:
                    await made.ears.hear(
                        CardStates, lambda said, board=board: said.board == board.serial and CARD in said.confirmed
                    )
            assert not [said for said in made.ears.of(CardStates) if said.board == dead.serial]
            late = await made.ears.hear(CardStates, lambda said: said.pending)
            assert (late.board, set(late.pending)) == (dead.serial, {CARD, CARD + 1})
            assert late.why
            assert dead.card(CARD)
            dead.faults.dead = False
            back = await made.ears.hear(CardStates, lambda said: said.board == dead.serial and CARD in said.confirmed)
            assert back.id == "d1"
            assert dead.card(CARD) is None
            assert len([said for said in made.ears.of(CardStates) if said.pending]) == 1

    run(test())


def test_a_board_that_was_never_reached_gets_its_cards_when_it_comes() -> None:
    async def test() -> None:
        async with site(pace=0.1) as made:
            made.board.faults.dead = True
            await made.configure()
            made.serving.cards(put(CARD))
            await made.ears.hear(CardStates, lambda said: said.pending == (CARD,))
            made.board.faults.dead = False
            await made.ears.hear(CardStates, lambda said: said.confirmed == (CARD,))

    run(test())


def test_a_later_wish_takes_the_place_of_an_earlier_one() -> None:
    async def test() -> None:
        async with site(pace=0.1) as made:
            made.board.faults.dead = True
            await made.configure()
            made.serving.cards(put(CARD))
            await made.ears.hear(CardStates, lambda said: said.pending)
            made.serving.cards(Cards("c2", gone=(CARD,)))
            made.board.faults.dead = False
            said = await made.ears.hear(CardStates, lambda said: said.confirmed)
            assert said.id == "c2"
            assert made.board.card(CARD) is None
            assert Fn.PUT_CARD not in made.board.heard

    run(test())


def test_a_departure_overtakes_a_long_list() -> None:
    async def test() -> None:
        async with site(every=KEEP) as made:
            foreign(made.board, CARD)
            await online(made)
            made.serving.cards(put(*range(10_000, 10_000 + MOST_CARDS)))
            await made.board.until(lambda board: Fn.PUT_CARD in board.heard)
            made.serving.cards(Cards("d1", gone=(CARD,)))
            await made.board.until(lambda board: Fn.DELETE_CARD in board.heard)
            assert made.board.heard.count(Fn.PUT_CARD) < MOST_CARDS
            await made.ears.hear(CardStates, lambda said: (said.id, said.confirmed) == ("d1", (CARD,)))
            assert made.board.card(CARD) is None

    run(test())


def test_a_sweep_removes_what_nobody_put_and_rights_nobody_gave() -> None:
    async def test() -> None:
        async with site() as made:
            for stranger in (7, 8, 9):
                foreign(made.board, stranger)
            await online(made)
            made.serving.cards(put(CARD, CARD + 1))
            await made.ears.hear(CardStates, lambda said: said.confirmed)
            kept = made.board.card(CARD)
            assert kept
            made.board.memory.cards[made.board.memory.cards.index(kept)] = BoardCard(CARD, LONG_AGO, END, (0, 1, 0, 0))
            made.serving.sweep("s1")
            swept = await made.ears.hear(Swept)
            assert (swept.id, swept.board, swept.ok, set(swept.removed)) == ("s1", SERIAL, True, {7, 8, 9})
            await made.ears.hear(CardStates, many=2)
            left = {card.number: card.doors for card in made.board.memory.cards if card}
            assert left == {CARD: (0, 0, 0, 0), CARD + 1: (0, 0, 0, 0)}

    run(test())


def test_a_sweep_that_is_cut_short_says_so() -> None:
    async def test() -> None:
        async with site(every=KEEP, pace=0.1) as made:
            foreign(made.board, 7)
            await online(made)
            made.board.faults.dead = True
            made.serving.sweep("s1")
            swept = await made.ears.hear(Swept)
            assert (swept.ok, swept.removed) == (False, ())
            assert swept.why
            assert made.board.card(7)

    run(test())


def test_cards_for_named_boards_reach_these_alone_and_a_board_there_is_not_is_named() -> None:
    async def test() -> None:
        async with site(2) as made:
            await online(made)
            made.serving.cards(Cards("c1", put=put(CARD).put, boards=(SERIAL + 1, 77)))
            said = await made.ears.hear(CardStates)
            assert said.board == SERIAL + 1
            assert made.boards[0].card(CARD) is None
            assert "board 77 is not configured" in en((await made.ears.hear(Trouble)).text)

    run(test())


def test_a_day_that_is_none_is_refused() -> None:
    async def test() -> None:
        async with site() as made:
            await online(made)
            with pytest.raises(RefusedError, match=r"doors.card-end-date-invalid"):
                made.serving.cards(put(CARD, until="2026-02-30"))

    run(test())


def test_the_end_of_a_card_holds_on_a_board_that_hears_from_nobody() -> None:
    seconds = [0.0]

    async def test() -> None:
        async with site(ticks=lambda: seconds[0]) as made:
            await online(made)
            made.serving.cards(put(CARD, until="2020-01-01"))
            await made.ears.hear(CardStates, lambda said: said.confirmed)
            await made.serving.stop()
            seconds[0] += 3600
            assert made.board.swipe(1, CARD).reason == 15

    run(test())
