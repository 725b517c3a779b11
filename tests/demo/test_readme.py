"""What the READMEs show is what happens: their commands are run for real, and both say the same."""

import io
import re
from pathlib import Path

import pytest

from agent.demo.narrate import Printer
from agent.demo.rehearsal import rehearsing
from agent.demo.rights import lacking
from agent.demo.scene import perform
from agent.demo.shared import wait_until
from agent.demo.story import STORY
from rules.text import Language
from tests import ROOT, needs
from tests.demo.readme_run import blocks, host, plain
from tests.demo.run import temporary, used
from tests.sentences import en

READMES: dict[Language, Path] = {"en": ROOT / "README.md", "zh": ROOT / "README.zh.md"}
LANGUAGES: list[Language] = ["en", "zh"]


def _text(language: Language) -> str:
    return READMES[language].read_text(encoding="utf-8")


def _exact(line: str) -> str:
    """Return a line of the demo without the numbers of entries, which differ; the number of a scene counts."""
    return line if line[:1].isdigit() else plain(line)


@pytest.mark.kernel
@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.long)])
def test_every_command_prints_what_the_readme_says(language: Language) -> None:
    if lacks := lacking():
        needs.skip_or_fail("; ".join(en(lack.text) for lack in lacks))
    with temporary() as folder:
        with host(folder, language) as site:
            for shown in (one for block in blocks(_text(language)) for one in block):
                assert plain(site.run(shown.command)) == plain(shown.output), shown.command
        assert wait_until(lambda: not used(folder), 60), used(folder)


def test_both_readmes_show_the_same_commands() -> None:
    english, chinese = ([[shown.command for shown in block] for block in blocks(_text(one))] for one in LANGUAGES)
    assert english == chinese
    assert sum(command.startswith("shoumi ") for block in english for command in block) >= 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_excerpt_is_what_the_demo_prints(language: Language) -> None:
    out = io.StringIO()
    with rehearsing() as site:
        perform(STORY, site, Printer(out, language, STORY))
    printed = {_exact(line) for line in out.getvalue().splitlines()}
    [excerpt] = re.findall(r"^```text\n(.*?)^```", _text(language), re.MULTILINE | re.DOTALL)
    assert {_exact(line) for line in excerpt.splitlines()} <= printed


@pytest.mark.parametrize("language", LANGUAGES)
def test_links_lead_somewhere_and_the_page_is_short(language: Language) -> None:
    text = _text(language)
    assert len(text.splitlines()) <= 150
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_two_sentences_say_what_it_is_and_what_it_never_does(language: Language) -> None:
    _title, _blank, what, never, *_ = _text(language).splitlines()
    assert "Linux" in what
    assert {"en": "never", "zh": "从不"}[language] in never
