"""Judging many lines at once says of none that it is in order unless looking at each says so too."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.log import segments
from agent.log.batch_check import in_order
from agent.log.verify import verify
from tests.log.samples import BEGIN, line

COUNT = 6
LINES = [line(number, BEGIN + timedelta(seconds=number // 3), path=f"/srv/计划/{number}") for number in range(1, 7)]
LAST = "2026-03-01T08:00:02.000000Z"
PIECES = [b'"', b"{", b"}", b",", b":", b"0", b"7", b"-", b" ", b"\n", b"\r", b"\\", b"\xff", b"T", b"Z", b'"seq":9,']

edits = st.lists(
    st.tuples(st.integers(0, COUNT - 1), st.integers(0, 100), st.integers(0, 2), st.sampled_from(PIECES)), max_size=3
)


@given(changes=edits)
@example(changes=[(2, 0, 0, b"\n")])
@example(changes=[(2, 8, 0, b"\n")])  # one object on two lines, which a parser of many objects takes
@example(changes=[(2, len(LINES[2]), 0, b" ")])
@example(changes=[(2, 1, 0, b'"seq":9,')])
@example(changes=[(2, len(LINES[2]) - 1, 0, b',"seq":9')])
@example(changes=[(2, len(LINES[2]) - 2, 0, b"\xff")])
@example(changes=[(5, 35, 2, b"-")])
def test_what_is_found_together_is_what_is_found_line_by_line(tmp_path_factory, changes):
    lines = list(LINES)
    for which, at, cut, put in changes:
        lines[which] = lines[which][:at] + put + lines[which][at + cut :]
    folder = tmp_path_factory.mktemp("log")
    (folder / segments.name(1)).write_bytes(b"".join(one + b"\n" for one in lines))
    together = verify(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.log.verify.in_order", lambda *_: None)
        assert verify(folder) == together


def test_a_record_in_order_is_not_looked_at_line_by_line():
    assert in_order(LINES, 1, "") == LAST
    assert in_order(LINES, 1, "2026-03-01T08:00:00.000000Z") == LAST
    assert in_order(LINES[3:], 4, "") == LAST


@pytest.mark.parametrize(
    ("lines", "due", "latest"),
    [
        ([], 1, ""),
        (LINES, 2, ""),
        (LINES, 1, LAST),
        ([LINES[0], LINES[0]], 1, ""),
        ([LINES[1], LINES[0]], 1, ""),
        ([LINES[0] + LINES[1], b""], 1, ""),
        ([LINES[0] + b" "], 1, ""),
        ([LINES[0].replace(b"08:", b"25:")], 1, ""),
        ([LINES[0].replace(b"Z", b"Z2026-03-01"), LINES[1].replace(b"2026-03-01T", b"T")], 1, ""),
        ([LINES[0][:-1] + b',"more":"' + b"x" * 65_535 + b'"}'], 1, ""),
    ],
)
def test_whatever_is_not_in_order_is_left_to_be_looked_at(lines, due, latest):
    assert in_order(lines, due, latest) is None
