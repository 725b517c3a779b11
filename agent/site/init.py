"""Making a site: its registry, its pack and its settings.

Rules of this file: nothing is written over. The settings are written last, so a site that has them is whole. What was
begun and failed is taken away again.
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
from rules.text import Text
from rules.visible import visible


def make(home: Home, pack_text: str) -> Pack:
    """Make the site at *home* with this pack in force.

    Raises :class:`RefusedError` when there is one, or it cannot be.
    """
    pack = checked(pack_text)
    root = visible(str(home.root))
    for path in (home.config, home.registry, home.pack):
        if path.exists():
            raise RefusedError(
                Text(f"there is a site at `{root}` already", f"`{root}` 已有站点"),
                Text(
                    f"see: shoumi --home {root} doctor; or name another --home",
                    f"请运行 shoumi --home {root} doctor，或改用其他 --home",
                ),
            )
    made: list[Path] = []
    before = os.umask(UMASK)
    try:
        home.create()
        made += [home.registry]
        _registry(home, pack)
        for path, text in ((home.pack, pack_text), (home.config, DEFAULT_TEXT)):
            made.append(path)
            _write(path, text)
    except OSError as error:
        _undo(made)
        why = visible(error.strerror or str(error))
        raise RefusedError(
            Text(f"the site cannot be made at `{root}`: {why}", f"无法在 `{root}` 建立站点：{why}"),
            Text("run as root, or name another --home", "请以 root 运行，或改用其他 --home"),
        ) from error
    except BaseException:
        _undo(made)
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


def _undo(made: list[Path]) -> None:
    for path in made:
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
