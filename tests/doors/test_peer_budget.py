"""What one reader says without end costs no other door anything, is counted by door, and hides no state for ever."""

from collections import Counter

from agent.doors.frames import FromDoors, Trouble
from agent.doors.messages import Contact, Power, Read, RequestToExit
from agent.doors.outbox import FRAMES, FRAMES_PER_DOOR
from agent.doors.peer_budget import AT_ONCE, PeerBudget
from rules.text import Message


class _Heard:
    def __init__(self) -> None:
        self.said: list[FromDoors] = []
        self.lost: Counter[str] = Counter()
        self.budget = PeerBudget(self.said.append, lambda door: self.lost.update([door]))

    def flood(self, word: FromDoors, seconds: float, a_second: int = 200, begin: float = 0.0) -> None:
        for number in range(int(seconds * a_second)):
            now = begin + number / a_second
            self.budget.heard(word, now)
            self.budget.tick(now)


def _read(door: str, side: str = "in") -> Read:
    return Read(door, side, 1, 0.0, True)  # type: ignore[arg-type]


def test_a_flood_at_one_reader_is_dropped_counted_and_named_and_the_others_say_all() -> None:
    heard = _Heard()
    heard.flood(_read("a"), 10)
    for word in (_read("a", "out"), RequestToExit("a"), _read("b"), Contact("b", open=True)):
        heard.budget.heard(word, 10.0)
        assert heard.said[-1] == word
    of_a = [word for word in heard.said if word == _read("a")]
    assert AT_ONCE <= len(of_a) <= FRAMES_PER_DOOR * 10 / 3 + 1
    assert heard.lost == {"a": 2000 - len(of_a)}


def test_all_that_a_door_can_flood_with_is_less_than_control_ends_a_process_for() -> None:
    heard, doors = _Heard(), 40
    words = [word for n in range(doors) for word in (_read(f"d{n}"), _read(f"d{n}", "out"), RequestToExit(f"d{n}"))]
    for step in range(20):
        for word in words:
            for _ in range(10):
                heard.budget.heard(word, 5.0 + step / 2)
    assert len(heard.said) <= 10 * (FRAMES + FRAMES_PER_DOOR * doors)


def test_the_last_state_of_a_fluttering_contact_is_said_when_there_is_room() -> None:
    heard = _Heard()
    for number in range(1000):
        heard.budget.heard(Contact("a", open=not number % 2), number / 200)
    heard.budget.heard(Power("a", failed=True), 5.0)
    assert heard.budget.due()
    heard.budget.tick(7.0)
    assert {str(word) for word in heard.said[-2:]} == {str(Contact("a", open=False)), str(Power("a", failed=True))}
    assert not heard.budget.due()
    assert heard.lost["a"] + len(heard.said) == 1001


def test_what_answers_control_has_no_budget() -> None:
    heard = _Heard()
    heard.flood(Trouble(Message("doors.event-missing", index=1)), 1)
    assert len(heard.said) == 200


def test_a_door_that_is_gone_leaves_nothing_behind() -> None:
    heard = _Heard()
    heard.flood(Contact("a", open=True), 1)
    assert heard.budget.due()
    heard.budget.forget(frozenset({"b"}))
    assert not heard.budget.due()
