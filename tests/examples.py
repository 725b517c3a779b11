"""How many examples a law is tried on: a number for each law, and ten times as many where new ones are looked for.

``@settings(max_examples=…)`` alone would mean the same number under every profile.
"""

from typing import Any

from hypothesis import settings

_USUAL = 100


def examples(number: int, **more: Any) -> settings:
    """Return the settings of a law that ``make test`` tries on *number* examples, and ``make laws`` on more."""
    return settings(max_examples=max(1, number * settings.default.max_examples // _USUAL), **more)
