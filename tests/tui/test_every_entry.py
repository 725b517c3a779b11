"""An entry of every kind there is, on the screen of the log: found in the list, opened, and read in both languages."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.language.catalogue import localized
from agent.presentation.terms import ENTRIES
from rules.text import Language
from tests.control.site import Site, running
from tests.log.samples import write
from tests.tui.everything import entries
from tests.tui.kit import Walk, journey
from tests.tui.site import BEGIN, furnished
from tests.tui.site import ENTRIES as BEFORE

SIZE = (160, 60)  # nothing of a page has to be scrolled to
UNWRITTEN = {"missing", "damaged"}  # what a screen says of a number without an entry


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Site, dict[str, int]]]:
    """A site whose log has an entry of each kind, and the number of each."""
    root = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
    root.chmod(0o755)
    try:
        home = furnished(root / "home")
        samples = {str(entry["kind"]): entry for entry in entries() if entry["kind"] not in UNWRITTEN}
        write(home.log, ((BEGIN + timedelta(days=1), entry) for entry in samples.values()))
        with running(home.root) as site:
            yield site, {kind: BEFORE + 1 + place for place, kind in enumerate(samples)}
    finally:
        shutil.rmtree(root)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_is_listed_and_opened_with_its_number_its_kind_and_its_reason(
    told: tuple[Site, dict[str, int]], language: Language
) -> None:
    site, numbers = told
    assert numbers.keys() | UNWRITTEN == ENTRIES.keys()
    wanted = {seq: kind for kind, seq in numbers.items()}
    reasons = {"en": "the reason", "zh": "说明原因"}
    samples = {str(entry["kind"]): entry for entry in entries()}

    async def walk(t: Walk) -> None:
        await t.settled()
        await t.press("slash")
        await t.type("own:all")  # what the agent tries itself is hidden else
        await t.press("enter")
        await t.settled()
        await t.press("g")
        await t.type(str(min(wanted)))
        await t.press("enter")
        await t.press("enter")
        for seq in sorted(wanted):
            kind = wanted[seq]
            await t.sees(f"#{seq}", localized(ENTRIES[kind], language))
            if samples[kind].get("reason"):
                await t.sees(reasons[language])
            await t.press("down")

    journey(site, walk, language, SIZE, place="log")
