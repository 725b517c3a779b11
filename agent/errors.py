"""The errors of the agent, each a sentence for its reader in both languages, and what may go on after each.

    Exception
    ├── ShoumiError          a request failed; the process goes on
    │   ├── RefusedError     asked for properly, and refused or found wrong       exit 1
    │   ├── UsageError       not understood                                       exit 2
    │   ├── ForbiddenError   the caller's role may not do this                    exit 3
    │   │   └── FactorNeededError  before they have given their second factor
    │   └── UnreachableError the agent does not answer                            exit 4
    └── FatalError           the state of this process is unknown: it must stop, and recovery runs at the next start

Rules of this file: a text is one lower-case sentence without a full stop; foreign values stand in backticks and have
gone through ``visible``; a hint says what to do next, with the command where there is one.
"""

from collections.abc import Mapping
from typing import ClassVar

from rules.text import Language, Text


class ShoumiError(Exception):
    """A request failed in a way the caller can do something about."""

    kind: ClassVar[str] = "refused"
    exit_code: ClassVar[int] = 1

    def __init__(self, text: Text, hint: Text | None = None) -> None:
        super().__init__(text.en)
        self.text = text
        self.hint = hint

    def lines(self, language: Language) -> list[str]:
        """Return the error and its hint as printed, without a program name."""
        said = [self.text.say(language)]
        if self.hint:
            said.append(f"{Text('hint', '提示').say(language)}: {self.hint.say(language)}")
        return said

    def to_json(self) -> dict[str, object]:
        """Return it as it crosses a socket: ``{"kind", "text": {en, zh}, "hint": {en, zh} | null}``."""
        hint = self.hint.to_json() if self.hint else None
        return {"kind": self.kind, "text": self.text.to_json(), "hint": hint}

    @staticmethod
    def from_json(value: Mapping[str, object]) -> "ShoumiError":
        """Rebuild what :meth:`to_json` wrote, as far as it goes: a kind that is not known is a refusal."""
        kinds = {
            cls.kind: cls for cls in (RefusedError, UsageError, ForbiddenError, FactorNeededError, UnreachableError)
        }
        text, hint = value.get("text"), value.get("hint")
        return kinds.get(str(value.get("kind")), RefusedError)(_text(text), _text(hint) if hint else None)


class RefusedError(ShoumiError):
    """The request was understood and is refused, or a check found something wrong."""


class UsageError(ShoumiError):
    """The request was not understood."""

    kind = "usage"
    exit_code = 2


class ForbiddenError(ShoumiError):
    """The caller's role may not do this."""

    kind = "forbidden"
    exit_code = 3


class FactorNeededError(ForbiddenError):
    """The caller has to give their second factor first; then the same is done."""

    kind = "factor"


class UnreachableError(ShoumiError):
    """The agent, or one of its processes, does not answer."""

    kind = "unreachable"
    exit_code = 4


class FatalError(Exception):
    """The state of this process is unknown. Nothing may be answered from it any more."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def _text(value: object) -> Text:
    return Text(str(value["en"]), str(value["zh"])) if isinstance(value, dict) else Text(str(value), str(value))
