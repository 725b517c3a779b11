"""What a check found. ``doctor``, ``status`` and ``area show`` speak in these."""

from collections.abc import Mapping
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

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "state": self.state,
            "code": self.code,
            "text": self.text.to_json(),
            "hint": self.hint.to_json() if self.hint else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Finding":
        """Read what :meth:`to_json` wrote."""
        hint = value.get("hint")
        return cls(value["state"], value["code"], Text.from_json(value["text"]), Text.from_json(hint) if hint else None)
