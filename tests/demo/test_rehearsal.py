"""Without rights the story is rehearsed: the same expectations, nothing blocked, every line says so."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from agent.demo.narrate import Printer
from agent.demo.outcomes import GONE, GUARDED, NAMED, PROVEN, REFUSING, TRACED
from agent.demo.rehearsal import rehearsing
from agent.demo.scene import ALLOWED, Scene, SceneStep, perform
from agent.demo.story import STORY
from agent.language.catalogue import localized
from agent.presentation.table import width
from rules.text import Language
from tests import needs
from tests.demo.run import AS_NOBODY, DEMO, environment, left_behind, temporary
from tests.sentences import en, zh

ONLY_REAL = (
    GONE,
    NAMED,
    PROVEN,
    REFUSING,
    TRACED,
    GUARDED,
)  # where nothing is ended nobody is gone, and nothing certified
MARK = {"en": "[rehearsal]", "zh": "【演练】"}


def _rehearsed(language: Language, *words: str) -> subprocess.CompletedProcess[str]:
    with temporary() as folder:
        done = subprocess.run(
            [*AS_NOBODY, *DEMO, *words], capture_output=True, text=True, env=environment(folder, language), check=False
        )
        assert left_behind(folder) == []
    return done


needs_setpriv = needs.needs(needs.is_root, needs.tools("setpriv"))


@needs_setpriv
@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_rights_every_line_holds_and_says_that_it_is_a_rehearsal(language: Language) -> None:
    done = _rehearsed(language)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(line.startswith(MARK[language]) for line in done.stdout.splitlines())
    moot = sum(map(_only_real, _all_steps()))
    held = _steps() - moot
    assert f"{held} of {_steps()}" in done.stdout or f"{_steps()} 项中 {held} 项" in done.stdout
    assert done.stdout.count({"en": "– not here", "zh": "– 不适用"}[language]) == moot
    assert "sudo make demo" in done.stdout


@needs_setpriv
def test_as_json_there_is_one_object_a_line_and_each_says_it_is_a_rehearsal() -> None:
    done = _rehearsed("en", "--json")
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one.get("held") for one in objects] == [True] * _steps() + [_steps()]
    assert all(one["rehearsal"] for one in objects)
    assert [(one["what"]["en"], one["what"]["zh"]) for one in objects[:-1]] == [
        (en(step.title), zh(step.title)) for step in _all_steps()
    ]
    assert all({"en", "zh"} <= one["detail"].keys() for one in objects[:-1])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_columns_line_up_whatever_script_they_are_in(language: Language) -> None:
    out = io.StringIO()
    with rehearsing() as site:
        assert perform(STORY, site, Printer(out, language, STORY)) == 0
    lines = out.getvalue().splitlines()
    steps = [step for step in _all_steps() if not _only_real(step)]
    found = [line for line in lines if line.startswith(("  ✓ held", "  ✓ 相符"))]
    assert len(found) == len(steps)
    places = set()
    for line, step in zip(found, steps, strict=True):
        expected = line.index(localized(step.expected.text, language))
        seen = line.index(localized(step.expected.text, language), expected + 1)
        places.add(
            (width(line[: line.index(localized(step.title, language))]), width(line[:expected]), width(line[:seen]))
        )
    assert len(places) == 1


def test_a_wrong_expectation_is_a_line_that_failed() -> None:
    [scene] = [scene for scene in STORY if scene.steps[0].expected.code == "deny scope"]
    wrong = replace(scene, steps=(replace(scene.steps[0], expected=ALLOWED),))
    out = io.StringIO()
    with rehearsing() as site:
        printer = Printer(out, "en", (wrong,))
        assert perform((wrong,), site, printer) == 1
        printer.end((wrong,), 0)
    assert "✗ FAILED" in out.getvalue()
    assert "0 of 1 line held" in out.getvalue()


def test_a_step_that_goes_wrong_is_a_line_that_failed_and_the_story_goes_on() -> None:
    first, second = STORY[0], STORY[1]

    def broken(_site: object) -> None:
        raise OSError(5, "Input/output error")

    story = (Scene(first.title, (replace(first.steps[0], do=broken),)), second)
    with rehearsing() as site:
        assert perform(story, site, Printer(io.StringIO(), "en", story)) == 1


def test_no_entry_of_a_rehearsal_can_be_taken_for_a_real_access() -> None:
    with rehearsing() as site:
        perform(STORY, site, Printer(io.StringIO(), "en", STORY))
        entries = site.entries()
    accesses = [entry for entry in entries if entry["kind"] == "access"]
    assert accesses
    assert all(entry["rehearsal"] and entry["mode"] == "observe" and not entry["enforced"] for entry in accesses)
    assert all(later["seq"] > earlier["seq"] for earlier, later in pairwise(entries))


def test_every_door_of_a_rehearsal_says_that_it_is_one() -> None:
    with rehearsing() as site:
        perform(STORY, site, Printer(io.StringIO(), "en", STORY))
        entries = [entry for entry in site.entries() if entry["kind"].startswith("door")]
    assert {"door", "door-released", "door-alarm", "door-event"} <= {entry["kind"] for entry in entries}
    assert all(entry["rehearsal"] for entry in entries)


def test_loading_the_demo_needs_no_terminal_toolkit() -> None:
    code = "import sys, agent.demo.play; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _all_steps() -> list[SceneStep]:
    return [step for scene in STORY for step in scene.steps]


def _only_real(step: SceneStep) -> bool:
    """Whether a step needs the kernel: it mounts something, or waits for what only a kernel does."""
    return step.expected in ONLY_REAL or en(step.title).startswith("unmounted")


def _steps() -> int:
    return len(_all_steps())
