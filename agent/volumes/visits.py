"""Whether a volume is the one we last guarded, as it was then: a number on the area's own directory, and in a file.

Each time an area is brought under guard the number grows, on both. A smaller one on the volume is an older state of it
(a snapshot, a restored image); none is another volume. Rules of this file: it tells, and decides nothing; the number
is an extended attribute only the administrator of the initial namespace can write, like a label. On a volume that
cannot be written the number stays as it is.
"""

import contextlib
import errno
import json
import os
from pathlib import Path
from typing import Literal

ATTRIBUTE = "trusted.shoumi.visit"

Change = Literal["", "older", "other"]


class VisitNumbers:
    """The numbers by area, in the file *path*. Belongs to whoever brings areas under guard."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            self._known = {str(area): int(number) for area, number in json.loads(path.read_text()).items()}

    def arrive(self, area: str, directory: str) -> Change:
        """Compare and count on. Returns what has changed; "" when nothing has, or nothing was known.

        Raises ``OSError`` when *directory* cannot be read.
        """
        found, known = _read(directory), self._known.get(area)
        change: Change = ""
        if known is not None:
            change = "other" if found is None else "older" if found < known else ""
        number = max(found or 0, known or 0) + (change != "other")  # … so that the one before it is no older state
        try:
            os.setxattr(directory, ATTRIBUTE, str(number).encode())
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.ENOSPC, errno.EDQUOT):
                raise
            number = found or known or 0
        self._known[area] = number
        self._write()
        return change

    def forget(self, area: str, directory: str = "") -> None:
        """Forget a removed area; take the number off its *directory*, if that can be reached."""
        if directory:
            with contextlib.suppress(OSError):
                os.removexattr(directory, ATTRIBUTE)
        if self._known.pop(area, None) is not None:
            self._write()

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):  # next time it is told again, which is the safe side
            fresh.write_text(json.dumps(self._known))
            fresh.replace(self._path)


def _read(directory: str) -> int | None:
    try:
        return int(os.getxattr(directory, ATTRIBUTE))
    except OSError as error:
        if error.errno == errno.ENODATA:
            return None
        raise
    except ValueError:
        return None
