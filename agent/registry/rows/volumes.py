"""Rows of the volumes that the agent was asked to mount or release.

Rules of this file: standard library only; the caller holds the read transaction.
"""

import sqlite3
from datetime import datetime
from typing import Literal, NamedTuple

from agent.registry.columns import moment, path_text

WantedState = Literal["attached", "published", "hidden"]


class VolumeRow(NamedTuple):
    """A volume and its wanted state, by whom and since when. ``key_file`` names the key of a LUKS container.

    ``device`` is a block device or an image; ``uuid`` is the number of its filesystem or container, "" if not given.
    """

    point: str
    device: str
    uuid: str
    options: str
    key_file: str
    wanted: WantedState
    by: str
    at: datetime


def volumes(connection: sqlite3.Connection) -> tuple[VolumeRow, ...]:
    """Return every volume, ordered by mount point."""
    rows = connection.execute(
        "SELECT point, device, uuid, options, key_file, wanted, by, at FROM volumes ORDER BY point"
    )
    return tuple(
        VolumeRow(path_text(point), path_text(device), uuid, options, path_text(key), wanted, by, moment(at))
        for point, device, uuid, options, key, wanted, by, at in rows
    )
