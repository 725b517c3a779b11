"""What was seen in a guest: a line as it happens, everything as JSON at the end."""

import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Seen = dict[str, Any]

SLOW = 400.0  # seconds that something may take on a machine that is emulated


class Checks:
    """The checks of one kernel."""

    def __init__(self) -> None:
        self.result: Seen = {"kernel": os.uname().release, "checks": {}}
        self._began = time.monotonic()

    def check(self, name: str, *, held: bool, seen: object = "") -> None:
        """Tell how one check came out."""
        word = "ok" if held else "failed"
        self.result["checks"][name] = word
        print(f"CHECK {name} {word} [{time.monotonic() - self._began:.0f} s] {seen}", flush=True)

    @contextmanager
    def guarded(self, name: str) -> Iterator[None]:
        """Whatever goes wrong inside is a failure of the check *name*."""
        try:
            yield
        except Exception:
            self.check(name, held=False, seen=traceback.format_exc()[-1500:])
