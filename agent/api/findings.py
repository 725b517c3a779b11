"""What a check found. ``doctor``, ``status`` and ``area show`` speak in these."""

from dataclasses import dataclass
from typing import Any, Literal

from rules.text import Text

State = Literal["good", "warning", "serious"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: how bad it is, a word for programs, a sentence, and the command or step that closes it."""

    state: State
    code: str
    text: Text
    hint: Text | None = None

    def wire(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "state": self.state,
            "code": self.code,
            "text": self.text._asdict(),
            "hint": self.hint._asdict() if self.hint else None,
        }


def from_wire(found: dict[str, Any]) -> Finding:
    """Read what :meth:`Finding.wire` wrote."""
    hint = found.get("hint")
    return Finding(found["state"], found["code"], Text(**found["text"]), Text(**hint) if hint else None)
