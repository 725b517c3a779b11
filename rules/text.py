"""Every sentence a person reads exists in English and in Chinese, side by side, from the first commit.

Rules of this file: a :class:`Text` holds finished sentences. Foreign values (names, paths, fields from other systems)
enter it only through :func:`rules.visible.visible`; the caller does that while building the text.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]


class Text(NamedTuple):
    """One sentence in both languages."""

    en: str
    zh: str

    def say(self, language: Language) -> str:
        """Return the sentence in *language*."""
        return self.zh if language == "zh" else self.en

    def to_json(self) -> dict[str, str]:
        """Return it as JSON; :meth:`from_json` reads it back."""
        return {"en": self.en, "zh": self.zh}

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> "Text":
        """Read what :meth:`to_json` wrote. Raises ``TypeError`` for other members."""
        return cls(**value)
