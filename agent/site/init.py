"""Creation of a site: its registry, pack and settings.

Rules of this file: nothing is overwritten. The settings are written last, so a site that has them is complete. After a
failure the created files are removed.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import RefusedError
from agent.registry.migrations import create
from agent.registry.store import Registry
from agent.runtime.config import DEFAULT_TEXT
from agent.runtime.home import UMASK, Home
from agent.site.pack_file import SETTING, checked
from rules.pack.reader import Pack
from rules.text import Message
from rules.visible import visible


def make(home: Home, pack_text: str) -> Pack:
    """Create the site at *home* with this pack in force.

    Raises :class:`RefusedError` when there is already a site, or it cannot be created.
    """
    pack = checked(pack_text)
    root = visible(str(home.root))
    for path in (home.config, home.registry, home.pack):
        if path.exists():
            raise RefusedError(
                Message("site.site-exists", root=root),
                Message("site.check-existing-site", root=root),
            )
    created: list[Path] = []
    before = os.umask(UMASK)
    try:
        home.create()
        created += [home.registry]
        _registry(home, pack)
        for path, text in ((home.pack, pack_text), (home.config, DEFAULT_TEXT)):
            created.append(path)
            _write(path, text)
    except OSError as error:
        _undo(created)
        reason = visible(error.strerror or str(error))
        raise RefusedError(
            Message("site.site-not-created", root=root, reason=reason),
            Message("site.run-as-root-or-other-home"),
        ) from error
    except BaseException:
        _undo(created)
        raise
    finally:
        os.umask(before)
    return pack


def _registry(home: Home, pack: Pack) -> None:
    create(home.registry)
    with Registry(home.registry) as registry, registry.change(datetime.now(UTC)) as change:
        change.settings.set(SETTING, pack.digest)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:
        os.fchmod(descriptor, 0o644)  # whatever the umask
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _undo(created: list[Path]) -> None:
    for path in created:
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
