"""The record from its end, and one entry by its number: as whoever reads all of it would find them."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.log import backward, segments
from tests.log import samples


def test_all_entries_come_newest_first_through_all_segments(folder: Path) -> None:
    samples.write_plain(folder, 500, segment_bytes=4_000)
    assert len(list(folder.glob("*.jsonl"))) > 10
    found = list(backward.lines(folder))
    assert [line for _, line in found] == samples.record(folder)[::-1]
    assert [seq for seq, _ in found] == list(range(500, 0, -1))
    assert backward.last(folder) == 500


def test_every_entry_is_found_by_its_number_and_no_other(folder: Path) -> None:
    samples.write_plain(folder, 2_000, segment_bytes=200_000)
    record = samples.record(folder)
    for seq in (1, 2, 999, 1_000, 1_999, 2_000, *range(1, 2_000, 97)):
        assert backward.find(folder, seq) == record[seq - 1]
    assert backward.find(folder, 0) is None
    assert backward.find(folder, 2_001) is None


def test_an_unfinished_last_line_is_no_entry_and_an_empty_log_has_none(folder: Path) -> None:
    assert backward.last(folder) == 0
    assert backward.find(folder, 1) is None
    samples.write_plain(folder, 3)
    [segment] = segments.listing(folder)
    with segment.path.open("ab") as file:
        file.write(samples.line(4)[:-1])
    assert [seq for seq, _ in backward.lines(folder)] == [3, 2, 1]
    with segment.path.open("wb") as file:
        file.write(samples.line(1))
    assert list(backward.lines(folder)) == []


@given(st.lists(st.integers(0, 60_000), max_size=12), st.integers(1, 4), st.booleans())
def test_windows_cut_no_line_in_two(sizes: list[int], cut: int, torn: bool) -> None:
    """Lines of any length against windows of any size."""
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lines = [samples.line(seq, path="x" * size) for seq, size in enumerate(sizes, 1)]
        tail = lines.pop()[:cut] if torn and lines else b""
        (folder / segments.name(1)).write_bytes(b"".join(line + b"\n" for line in lines) + tail)
        assert [line for _, line in backward.lines(folder)] == lines[::-1]
        for seq, line in enumerate(lines, 1):
            assert backward.find(folder, seq) == line
