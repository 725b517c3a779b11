"""Visit numbers: the check that a volume is the one guarded last, by a number on the area's directory and in a file.

Each time an area is brought under guard the number grows, in both places. A smaller number on the volume means an older
state of it (a snapshot, a restored image); no number means another volume. Rules of this file: it reports, and decides
nothing; the number is an extended attribute that only the administrator of the initial namespace can write, like a
label. On a read-only volume the number stays unchanged.
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
    """The numbers by area, in the file *path*. Belongs to the thread that guards areas."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            self._numbers = {str(area): int(number) for area, number in json.loads(path.read_text()).items()}

    def arrive(self, area: str, directory: str) -> Change:
        """Compare the numbers and increase them. Returns the change, "" for none or for a new area.

        Raises ``OSError`` when *directory* cannot be read.
        """
        on_volume, in_file = _read(directory), self._numbers.get(area)
        change: Change = ""
        if in_file is not None:
            change = "other" if on_volume is None else "older" if on_volume < in_file else ""
        number = max(on_volume or 0, in_file or 0) + (change != "other")  # the previous volume must not look older
        try:
            os.setxattr(directory, ATTRIBUTE, str(number).encode())
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.ENOSPC, errno.EDQUOT):
                raise
            number = on_volume or in_file or 0
        self._numbers[area] = number
        self._write()
        return change

    def forget(self, area: str, directory: str = "") -> None:
        """Delete the number of a removed area, and remove it from its *directory*, if given."""
        if directory:
            with contextlib.suppress(OSError):
                os.removexattr(directory, ATTRIBUTE)
        if self._numbers.pop(area, None) is not None:
            self._write()

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):  # then the change is reported again next time, which is safe
            fresh.write_text(json.dumps(self._numbers))
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
