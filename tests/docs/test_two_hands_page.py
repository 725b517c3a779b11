"""What docs/two-hands.md shows of a proposal is what an officer sees of a real one, but for times and codes."""

import re

from agent.api.proposed import ProposedError
from agent.cli import proposal
from tests.control.test_two_hands import SECURITY, SYSTEM, Desk, alone, desk  # noqa: F401 - fixtures
from tests.docs.reference import DOCS
from tests.docs.shown import blocks, shown

_MASKED = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}|(?<=--seen )[0-9a-f]{8}|(?<=`number` )`\d+`")


def test_what_the_page_shows_of_a_grant_is_what_two_officers_see(desk: Desk) -> None:  # noqa: F811
    pages = (DOCS / "two-hands.md").read_text(encoding="utf-8")
    add, show, confirm, *_ = [one for block in blocks(pages) if block.kind == "console" for one in shown(block.text)]
    assert [one.command.split()[1:3] for one in (add, show, confirm)] == [
        ["grant", "add"], ["proposal", "show"], ["proposal", "confirm"],
    ]  # fmt: skip
    answer = desk.call("grant.add", SECURITY, person="E2", area="plans", reason="项目甲")
    _same(add.said, [text.en for text in ProposedError(answer).said()])
    found = desk.call("proposal.show", SYSTEM, proposal=answer["proposal"])
    _same(show.said, [text.en for text in proposal.lines(found)])
    done = desk.call("proposal.confirm", SYSTEM, proposal=answer["proposal"], seen=found["seen"])
    _same(confirm.said, [proposal.confirmed(done).en])


def _same(page: tuple[str, ...], seen: list[str]) -> None:
    """Compare line by line; a line of the page that ends with ``…`` shows the beginning of one."""
    assert len(page) == len(seen), (page, seen)
    for line, real in zip(page, seen, strict=True):
        said, meant = _MASKED.sub("·", line), _MASKED.sub("·", re.sub(r"\bE2\b", "E2001", real))
        if said.endswith("…"):
            meant = meant[: len(said) - 1] + "…"
        assert meant == said
