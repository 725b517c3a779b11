"""Proposed acts: an act that gives access waits as a proposal until a second officer confirms it.

Rules of this file: a caller must not mistake the proposal for the result of the act, so it is raised. Used by both the
command line and the terminal.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent.api.operations import TABLE
from agent.api.timestamps import local
from agent.errors import ShoumiError
from agent.presentation import gains
from rules.text import Message, Sentence
from rules.visible import visible


class ProposedError(ShoumiError):
    """The act waits for a second officer. ``answer`` is the agent's."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer
        self.number = number = visible(answer["proposal"])
        act, until = answer["act"], local(answer["lapses"])
        super().__init__(
            Message("api.proposal-waiting", number=number, act=act, until=until),
            Message("api.ask-second-officer", number=number),
        )

    def said(self) -> Iterator[Sentence]:
        """Yield the lines to print: the proposal, the access it would give, and the next step."""
        yield self.text
        for line in gains.sentences(self.answer["would"]):
            yield Message("presentation.gain", gain=line)
        assert self.hint
        yield self.hint


def is_proposed(answer: object) -> bool:
    """Whether the *answer* to an act says that it waits for a second officer."""
    return isinstance(answer, dict) and answer.get("waiting") is True and "proposal" in answer


def is_asked(row: Mapping[str, Any]) -> bool:
    """Whether a proposal is a request that no officer has taken up yet."""
    return bool(row["role"] == "person")


def whose(row: Mapping[str, Any]) -> str:
    """Return the person behind a proposal: the officer, or the applicant."""
    return visible(row["requested_by"] if is_asked(row) else row["proposed_by"])


def about(row: Mapping[str, Any]) -> str:
    """Return the subject of a proposal: the positional arguments of its command."""
    operation = TABLE.get(row["act"])
    named = [param.name for param in operation.params if param.positional] if operation else []
    return " ".join(visible(str(row["given"][name])) for name in named if isinstance(row["given"].get(name), str | int))
