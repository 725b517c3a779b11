"""Errors are for the reader.

    Exception
    ├── ShoumiError          a request failed; the process goes on
    │   ├── RefusedError     asked for properly, and refused or found wrong       exit 1
    │   ├── UsageError       not understood                                       exit 2
    │   ├── ForbiddenError   the caller's role may not do this                    exit 3
    │   └── UnreachableError the agent does not answer                            exit 4
    └── FatalError           the state of this process is unknown: it must stop, and recovery runs at the next start

Rules of this file: a text is one lower-case sentence without a full stop; foreign values stand in backticks and have
gone through ``visible``; a hint says what to do next, with the command where there is one.
"""

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


class UnreachableError(ShoumiError):
    """The agent, or one of its processes, does not answer."""

    kind = "unreachable"
    exit_code = 4


class FatalError(Exception):
    """The state of this process is unknown. Nothing may be answered from it any more."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def from_wire(error: dict[str, object]) -> ShoumiError:
    """Rebuild an error that crossed the control socket as ``{"kind", "text": {en, zh}, "hint": {en, zh} | null}``."""
    kinds = {cls.kind: cls for cls in (RefusedError, UsageError, ForbiddenError, UnreachableError)}
    text, hint = error.get("text"), error.get("hint")
    return kinds.get(str(error.get("kind")), RefusedError)(_text(text), _text(hint) if hint else None)


def to_wire(error: ShoumiError) -> dict[str, object]:
    """Return *error* in the shape :func:`from_wire` reads."""
    return {
        "kind": error.kind,
        "text": error.text._asdict(),
        "hint": error.hint._asdict() if error.hint else None,
    }


def _text(wire: object) -> Text:
    return Text(str(wire["en"]), str(wire["zh"])) if isinstance(wire, dict) else Text(str(wire), str(wire))
