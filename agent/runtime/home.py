"""The home: one directory for all files of an agent, so that a site, a test and the demo differ by one option.

Rules of this file: paths only. Nothing here is created except by :meth:`Home.create`, which ``init`` calls.
"""

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT = Path("/var/lib/shoumi")
UMASK = 0o022  # of every process of the agent, whatever it inherited: secret files are created with mode 0600


@dataclass(frozen=True, slots=True)
class Home:
    """The directory named by ``--home``."""

    root: Path

    @classmethod
    def at(cls, directory: str | os.PathLike[str] | None) -> "Home":
        """Return the home at ``--home``, else ``SHOUMI_HOME``, else ``/var/lib/shoumi``; absolute and without links."""
        return cls(Path(directory or os.environ.get("SHOUMI_HOME") or DEFAULT).resolve())

    @property
    def config(self) -> Path:
        """Settings of this host (TOML)."""
        return self.root / "config.toml"

    @property
    def pack(self) -> Path:
        """The rule pack in force: a copy, so that an upgrade of the program never changes the rules of a site."""
        return self.root / "pack.toml"

    @property
    def registry(self) -> Path:
        """People, areas, grants … (SQLite)."""
        return self.root / "registry.db"

    @property
    def log(self) -> Path:
        """Stage 1 of the access log: the record itself."""
        return self.root / "log"

    @property
    def index(self) -> Path:
        """Stage 2: monthly search databases, rebuildable from stage 1."""
        return self.root / "index"

    @property
    def clock(self) -> Path:
        """The timeline of judged time, as last written by the decider (:mod:`agent.runtime.clock_file`)."""
        return self.root / "clock.json"

    @property
    def run(self) -> Path:
        """Sockets, and other state that is valid only while the agent runs."""
        return self.root / "run"

    @property
    def intent(self) -> Path:
        """The act in progress (:mod:`agent.registry.intent`)."""
        return self.run / "intent"

    @property
    def logged_areas(self) -> Path:
        """Areas enforced by the log while the registry is older than it: JSON, name to path."""
        return self.run / "logged-areas"

    @property
    def trial_over(self) -> Path:
        """Exists once the trial of the site has ended, whatever the registry says (:mod:`agent.site.trial`)."""
        return self.run / "trial-over"

    @property
    def covers(self) -> Path:
        """The areas to hide when nothing guards them, one a line (:mod:`agent.kernel.cover`)."""
        return self.run / "areas"

    @property
    def socket(self) -> Path:
        """The control socket."""
        return self.run / "control.sock"

    @property
    def doors(self) -> Path:
        """The socket for a doors process that is a service of its own (:mod:`agent.rooms.field.unit`)."""
        return self.run / "doors.sock"

    def create(self) -> None:
        """Create the directories; only the owner may enter, except the socket's, which all role holders must reach."""
        for directory, mode in ((self.root, 0o711), (self.log, 0o700), (self.index, 0o700), (self.run, 0o711)):
            directory.mkdir(mode=mode, parents=True, exist_ok=True)
            directory.chmod(mode)  # whatever the umask
