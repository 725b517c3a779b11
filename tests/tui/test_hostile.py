"""Names written by strangers: shown as they are, never acted on, on every screen (contract C9)."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from rich.cells import cell_len

from rules.text import Text, from_json
from rules.visible import visible
from tests.control.site import running
from tests.examples import examples
from tests.tui.kit import Walk, journey, strips
from tests.tui.pty_driver import Pty
from tests.tui.site import furnished
from tui.keys import PLACES
from tui.render.cells import Toned, content, fit, fit_path, words_of, wrap

ZOO = (
    "[/foo]", "[@click=app.quit]x[/]", "a[b]c", "[bold]", "\x1b]0;owned\x07", "\x1b]52;c;ZXZpbA==\x07", "\x1b[2J",
    "\x9b31m", "\u202egpj.exe", "\u2066a\u2069", "a\nb", "a\tb", "a\rb", "\x00", "\x7f", "\u200b", "\ufeff", "$accent",
    "\udcff\udcfe", "${x}", "\\[", "é\u0301\u0301", "张三\u3000李四", "\U000e0041",
)  # fmt: skip
names = st.one_of(
    st.sampled_from(ZOO),
    st.lists(st.sampled_from(ZOO), min_size=1, max_size=3).map("".join),
    st.text(min_size=1, max_size=30),
)


@given(names, st.integers(1, 40))
def test_a_cell_is_as_wide_as_it_should_be_and_only_says_things(name: str, cells: int) -> None:
    shown = fit(words_of(name, "en"), cells)
    assert visible(shown) == shown
    assert cell_len(shown) == cells


@given(st.lists(names, min_size=1, max_size=5), st.integers(1, 60))
def test_a_path_that_is_too_long_keeps_its_name(parts: list[str], cells: int) -> None:
    path = words_of("/" + "/".join(part.replace("/", "-") for part in parts), "en")
    name = path.rpartition("/")[2]
    shown = fit_path(path, cells)
    assert cell_len(shown) == cells
    if cell_len(path) <= cells:
        assert shown.rstrip() == path.rstrip()
    elif cell_len(f"…/{name}") <= cells:
        ends = [f"…{path[at:]}" for at, sign in enumerate(path) if sign == "/"]
        assert shown == fit(next(end for end in ends if cell_len(end) <= cells), cells)  # as much as there is room for
    elif cell_len(name) > cells:
        head, _, tail = shown.rstrip().partition("…")
        assert name.startswith(head)
        assert name.rstrip().endswith(tail)
        assert cell_len(tail) >= cell_len(head) - 1


@given(names, st.integers(2, 40))
def test_wrapped_lines_lose_nothing_but_spaces(name: str, cells: int) -> None:
    text = words_of(name, "en")
    assert "".join("".join(wrap(text, cells)).split()) == "".join(text.split())


@given(names)
def test_a_sentence_with_a_foreign_name_is_that_name(name: str) -> None:
    assert content("en", Text("a", "b"), name).plain == f"a{visible(name)}"


@given(names)
def test_a_foreign_sentence_only_says_things_in_either_language(name: str) -> None:
    wire = from_json({"en": name, "zh": name})
    for language in ("en", "zh"):
        shown = content("zh" if language == "zh" else "en", wire, Toned(wire, "bad")).plain
        assert visible(shown) == shown


@examples(
    1,
    phases=[Phase.explicit, Phase.generate],  # an example takes seconds: one that fails is not made smaller
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(names, min_size=8, max_size=8))
@pytest.mark.long
def test_no_place_acts_on_a_hostile_name_or_dies_of_it(zone: None, hostile: list[str]) -> None:
    for root in folder():
        furnished(root / "home", hostile=hostile)
        with running(root / "home") as site:
            journey(site, through_every_place, size=(120, 40))


def test_no_byte_of_the_zoo_reaches_the_terminal_as_a_command(zone: None) -> None:
    for root in folder():
        furnished(root / "home", hostile=ZOO)
        with running(root / "home") as site, Pty(site.home.root, "en", "log", size=(120, 60)) as terminal:
            terminal.until("following")
            while b"proof" not in terminal.rest():  # there may be no line to open yet
                terminal.press(b"\r")
            for _ in range(6):  # the detail follows the highlight, from one name to the next
                terminal.press(b"k")
                sent = terminal.rest()
    for evil in (b"owned\x07", b"\x1b]52;", b"\x1b]0;", b"\xc2\x9b31m", "\u202e".encode(), b"\xff\xfe"):
        assert evil not in sent


async def through_every_place(t: Walk) -> None:
    await t.settled()
    for place in PLACES:
        await t.go(place)
        only_says_things(t)
        for key in ("end", "enter"):
            await t.press(key)
            await t.settled()
            only_says_things(t)
        await t.press("escape", "escape")
    for key in ("question_mark", "escape", "colon", "escape"):
        await t.press(key)
        only_says_things(t)
    await t.go("log")
    await t.press("d", "enter")  # the newest denials are those with the names; beside them what the entry says in full
    for _ in range(8):
        await t.settled()
        only_says_things(t)
        await t.press("up")


def only_says_things(t: Walk) -> None:
    for strip in strips(t.terminal.screen):
        for segment in strip:
            assert visible(segment.text) == segment.text, segment
            assert not (segment.style and segment.style.link), segment
            assert not (segment.style and "app.quit" in str(segment.style.meta)), segment


def folder() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
    os.chmod(root, 0o755)
    try:
        yield root
    finally:
        shutil.rmtree(root)
