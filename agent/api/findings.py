"""Findings of checks, as ``doctor``, ``status`` and ``area show`` report them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rules.text import Sentence, from_json

State = Literal["good", "warning", "serious"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: severity, code for programs, sentence, and the command or step that resolves it."""

    state: State
    code: str
    text: Sentence
    hint: Sentence | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "state": self.state,
            "code": self.code,
            "text": self.text.to_json(),
            "hint": self.hint.to_json() if self.hint else None,
        }

    @classmethod
    def from_json(cls, encoded: Mapping[str, Any]) -> "Finding":
        """Read what :meth:`to_json` wrote."""
        hint = encoded.get("hint")
        return cls(encoded["state"], encoded["code"], from_json(encoded["text"]), from_json(hint) if hint else None)
