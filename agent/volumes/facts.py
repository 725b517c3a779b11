"""Facts for planning: frozen data about a directory, from ``survey_directory`` for the rules that decide.

Rules of this file: data only. Missing information is marked as missing; nothing is left out silently.
"""

from dataclasses import dataclass, field

from agent.errors import RefusedError
from agent.kernel.labels import LabelReport
from agent.kernel.mountinfo import Device, Mount
from agent.volumes.samba_shares import SambaSeen
from rules.text import Sentence


@dataclass(frozen=True, slots=True)
class MachinePath:
    """A path that the machine needs, its filesystem, and its role: ``home``, ``python``, ``system`` …"""

    path: str
    device: Device | None
    role: str


@dataclass(frozen=True, slots=True)
class PathHolder:
    """A process that holds a file of the tree. ``how``: ``open``, ``mapped`` or ``inside`` (working directory)."""

    pid: int
    comm: str
    how: str
    path: str


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """Facts about a directory and its machine.

    ``path`` is ``requested`` with every symbolic link resolved. ``error`` is the ``errno`` of a failed lookup (ENOTDIR:
    it is not a directory), else 0. ``mount`` is the mount of the path and ``st_dev`` its device from stat(2); our own
    covers (``mounting.hide``) are left out of both ``mount`` and ``mounts``. ``vital`` paths must never wait for a
    verdict; ``busy`` paths make a filesystem shared. ``exports``: (path, exporter). ``samba``: the shares of smbd.
    ``areas``: the other areas of this agent, (name, path). ``already_area``: it is an area, whose content was checked
    when it was added.

    ``unseen`` is the number of processes that could not be inspected for ``holders``.
    """

    requested: str
    path: str
    error: int = 0
    st_dev: int = 0
    mount: Mount | None = None
    mounts: tuple[Mount, ...] = ()
    labels: bool = False
    vital: tuple[MachinePath, ...] = ()
    busy: tuple[MachinePath, ...] = ()
    exports: tuple[tuple[str, str], ...] = ()
    samba: SambaSeen = field(default_factory=SambaSeen)
    areas: tuple[tuple[str, str], ...] = ()
    already_area: bool = False
    holders: tuple[PathHolder, ...] = ()
    unseen: int = 0
    survey: LabelReport = field(default_factory=LabelReport)


class UnprotectableError(RefusedError):
    """The refusal of a directory that cannot be protected soundly. ``reason`` is a word for programs."""

    def __init__(self, reason: str, text: Sentence, hint: Sentence | None = None) -> None:
        super().__init__(text, hint)
        self.reason = reason
