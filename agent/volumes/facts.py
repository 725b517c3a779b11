"""What a plan for a directory may know: frozen data between the rim that looks (``gather``) and the rules that decide.

Rules of this file: data only. What could not be found out stands in the data as such; nothing is left out silently.
"""

from dataclasses import dataclass, field

from agent.errors import RefusedError
from agent.kernel.labels import LabelReport
from agent.kernel.mountinfo import Device, Mount
from agent.volumes.samba_shares import SambaSeen
from rules.text import Text


@dataclass(frozen=True, slots=True)
class MachinePath:
    """A path the machine needs, the filesystem it lies on, and what it is: ``home``, ``python``, ``system`` …"""

    path: str
    device: Device | None
    role: str


@dataclass(frozen=True, slots=True)
class PathHolder:
    """A process that holds something of the tree. ``how``: ``open``, ``mapped`` or ``inside`` (working directory)."""

    pid: int
    comm: str
    how: str
    path: str


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """A directory and the machine around it.

    ``path`` is ``asked`` with every symbolic link resolved. ``error`` is an ``errno`` when it could not be looked up
    (ENOTDIR: it is no directory), else 0. ``mount`` is the one a lookup ends on and ``st_dev`` what stat(2) says there;
    our own covers (``mounting.hide``) are left out of both ``mount`` and ``mounts``. ``vital`` places must never wait
    for a verdict; ``busy`` ones make a filesystem shared. ``exports``: (path, exporter). ``samba``: what smbd serves.
    ``areas``: the other areas of this agent, (name, path). ``known``: it was an area before, and was looked into then.

    ``unseen`` counts processes that could not be looked into for ``holders``.
    """

    asked: str
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
    known: bool = False
    holders: tuple[PathHolder, ...] = ()
    unseen: int = 0
    survey: LabelReport = field(default_factory=LabelReport)


class UnprotectableError(RefusedError):
    """This directory cannot be protected soundly. ``reason`` is a word for programs."""

    def __init__(self, reason: str, text: Text, hint: Text | None = None) -> None:
        super().__init__(text, hint)
        self.reason = reason
