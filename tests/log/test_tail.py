"""Following: from any entry on, through the ends of segments, until told to stop, and after lines were taken back."""

import threading

import pytest

from agent.log import segments
from agent.log.append import Appender
from agent.log.tail import follow
from tests.log.samples import line, record, write_plain


def until_the_end(_seconds: float) -> bool:
    return True


@pytest.mark.parametrize("seq", [0, 1, 2, 17, 29, 30])
def test_it_begins_with_any_entry(folder, seq):
    write_plain(folder, 30, segment_bytes=1_000)
    assert list(follow(folder, seq, until_the_end)) == record(folder)[max(seq - 1, 0) :]


def test_it_has_nothing_to_say_about_a_log_without_entries(folder):
    assert list(follow(folder, 1, until_the_end)) == []
    assert list(follow(folder, 9, until_the_end)) == []


def test_it_shows_what_is_appended_meanwhile_through_the_ends_of_segments_and_stops_when_told(folder):
    stop = threading.Event()
    seen = []
    with Appender(folder, "process", segment_bytes=500) as log:
        log.append([line(1)])

        def appending(seconds: float) -> bool:
            # Called at the end of the log: each time one entry more, then the real waiting.
            if log.next_seq > 20:
                stop.set()
            else:
                log.append([line(log.next_seq)])
            return stop.wait(seconds / 100)

        seen.extend(follow(folder, 1, appending))
    assert seen == [line(n) for n in range(1, 21)]


def test_a_line_is_not_shown_before_it_is_whole(folder):
    file = folder / segments.name(1)
    file.write_bytes(line(1) + b"\n" + line(2)[:30])
    states = iter([line(1) + b"\n" + line(2), line(1) + b"\n" + line(2) + b"\n", None])
    seen_at_each_end = []

    def growing(_seconds: float) -> bool:
        seen_at_each_end.append(len(seen))
        state = next(states)
        if state is not None:
            file.write_bytes(state)
        return state is None

    seen: list[bytes] = []
    for one in follow(folder, 1, growing):
        seen.append(one)  # noqa: PERF402 - the list is looked at meanwhile
    assert seen_at_each_end == [1, 1, 2]


def test_what_took_the_place_of_a_line_that_was_taken_back_is_shown(folder):
    file = folder / segments.name(1)
    file.write_bytes(line(1) + b"\n" + line(2, verdict="allow") + b"\n")
    states = iter([line(1) + b"\n", line(1) + b"\n" + line(2, verdict="deny") + b"\n" + line(3) + b"\n", None])

    def changing(_seconds: float) -> bool:
        state = next(states)
        if state is not None:
            file.write_bytes(state)
        return state is None

    seen = list(follow(folder, 1, changing))
    assert seen == [line(1), line(2, verdict="allow"), line(2, verdict="deny"), line(3)]
