"""Errors of the agent: codes with parameters, and how the process continues after each.

    Exception
    ├── ShoumiError          a request failed; the process continues
    │   ├── RefusedError     understood, and refused or found invalid             exit 1
    │   ├── UsageError       not understood                                       exit 2
    │   ├── ForbiddenError   the caller's role may not do this                    exit 3
    │   │   └── FactorNeededError  until they have given their second factor
    │   └── UnreachableError the agent does not answer                            exit 4
    └── FatalError           the state of this process is unknown: it must stop, and recovery runs at the next start

Rules of this file: the sentence of an error is rendered where it is shown (``agent.language``): one sentence in lower
case, without a full stop, with foreign values in backticks; its hint says what to do next, with the command.
"""

from collections.abc import Mapping
from typing import ClassVar

from rules.text import Sentence, from_json


class ShoumiError(Exception):
    """A request failed, and the caller can act on it."""

    kind: ClassVar[str] = "refused"
    exit_code: ClassVar[int] = 1

    def __init__(self, text: Sentence, hint: Sentence | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint

    def to_json(self) -> dict[str, object]:
        """Return it as it crosses a socket: ``{"kind", "code", "parameters", "hint": {code, parameters} | null}``."""
        return {"kind": self.kind, **self.text.to_json(), "hint": self.hint.to_json() if self.hint else None}

    @staticmethod
    def from_json(encoded: Mapping[str, object]) -> "ShoumiError":
        """Rebuild the error that :meth:`to_json` wrote; an unknown kind becomes a refusal."""
        kinds = {
            cls.kind: cls for cls in (RefusedError, UsageError, ForbiddenError, FactorNeededError, UnreachableError)
        }
        hint = encoded.get("hint")
        return kinds.get(str(encoded.get("kind")), RefusedError)(from_json(encoded), from_json(hint) if hint else None)


class RefusedError(ShoumiError):
    """The request was understood and is refused, or a check failed."""


class UsageError(ShoumiError):
    """The request was not understood."""

    kind = "usage"
    exit_code = 2


class ForbiddenError(ShoumiError):
    """The caller's role may not do this."""

    kind = "forbidden"
    exit_code = 3


class FactorNeededError(ForbiddenError):
    """The caller must give their second factor first; then the act is performed."""

    kind = "factor"


class UnreachableError(ShoumiError):
    """The agent, or one of its processes, does not answer."""

    kind = "unreachable"
    exit_code = 4


class FatalError(Exception):
    """The state of this process is unknown. It must not answer any more."""

    def __init__(self, text: Sentence) -> None:
        super().__init__(text)
        self.text = text
