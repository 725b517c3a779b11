"""What docs/two-hands.md and its Chinese page show of a proposal is what officers see, but for times and codes."""

import re
from collections.abc import Callable

import pytest

from agent.api.proposed import ProposedError
from agent.cli import proposal
from tests.control.test_two_hands import SECURITY, SYSTEM, Desk, alone, desk  # noqa: F401 - fixtures
from tests.docs.reference import DOCS
from tests.docs.shown import blocks, shown
from tests.sentences import en, zh

_MASKED = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}|(?<=--seen )[0-9a-f]{8}|(?<=number )`\d+`|(?<=编号 )`\d+`")


@pytest.mark.parametrize(("page", "say"), [("two-hands.md", en), ("two-hands.zh.md", zh)], ids=["en", "zh"])
def test_what_the_page_shows_of_a_grant_is_what_two_officers_see(
    desk: Desk,  # noqa: F811
    page: str,
    say: Callable[..., str],
) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    add, show, confirm, *_ = [one for block in blocks(text) if block.kind == "console" for one in shown(block.text)]
    assert [one.command.split()[1:3] for one in (add, show, confirm)] == [
        ["grant", "add"], ["proposal", "show"], ["proposal", "confirm"],
    ]  # fmt: skip
    answer = desk.call("grant.add", SECURITY, person="E2", area="plans", reason="项目甲")
    _same(add.said, [say(text) for text in ProposedError(answer).said()])
    found = desk.call("proposal.show", SYSTEM, proposal=answer["proposal"])
    _same(show.said, [say(text) for text in proposal.lines(found)])
    done = desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"], seen=found["seen"])
    _same(confirm.said, [say(proposal.confirmed(done))])


def _same(page: tuple[str, ...], seen: list[str]) -> None:
    """Compare line by line; a line of the page that ends with ``…`` shows the beginning of one."""
    assert len(page) == len(seen), (page, seen)
    for line, real in zip(page, seen, strict=True):
        said, meant = _MASKED.sub("·", line), _MASKED.sub("·", re.sub(r"\bE2\b", "E2001", real))
        if said.endswith("…"):
            meant = meant[: len(said) - 1] + "…"
        assert meant == said
