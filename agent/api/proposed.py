"""An act that has become a proposal: nothing went wrong, and nothing of it is done until a second officer confirms.

Rules of this file: whoever calls an act must not take the answer for the act's own, so it is raised. Words of both the
command line and the terminal.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent.api.operations import TABLE
from agent.api.timestamps import local
from agent.errors import ShoumiError
from agent.presentation import gains
from rules.text import Text
from rules.visible import visible


class ProposedError(ShoumiError):
    """The act waits for a second officer. ``answer`` is the agent's."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer
        self.number = number = visible(answer["proposal"])
        act, until = visible(answer["act"]), local(answer["lapses"])
        super().__init__(
            Text(
                f"proposal {number}: `{act}` waits for a second officer until {until}",
                f"提议 {number}：`{act}` 待第二人确认，{until} 过期",
            ),
            Text(
                f"another officer runs: shoumi proposal show {number}",
                f"请另一名管理员运行：shoumi proposal show {number}",
            ),
        )

    def said(self) -> Iterator[Text]:
        """Yield what to tell: what it would give, and what comes next."""
        yield self.text
        for line in gains.sentences(self.answer["would"]):
            yield Text(f"then {line.en}", f"届时：{line.zh}")
        assert self.hint
        yield self.hint


def is_proposed(answer: object) -> bool:
    """Whether the *answer* to an act says that it waits for a second officer."""
    return isinstance(answer, dict) and answer.get("waiting") is True and "proposal" in answer


def is_asked(row: Mapping[str, Any]) -> bool:
    """Whether a proposal is what somebody asks for, which no officer has taken up yet."""
    return bool(row["role"] == "person")


def whose(row: Mapping[str, Any]) -> str:
    """Return who stands behind a proposal now: the officer, or who asks for it."""
    return visible(row["requested_by"] if is_asked(row) else row["proposed_by"])


def about(row: Mapping[str, Any]) -> str:
    """Return whom and what a proposal is about, in a few words: what its command names without an option."""
    operation = TABLE.get(row["act"])
    named = [param.name for param in operation.params if param.positional] if operation else []
    return " ".join(visible(str(row["given"][name])) for name in named if isinstance(row["given"].get(name), str | int))
