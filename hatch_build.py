"""Compiles the catalogues: ``agent/language/en/*.po`` into ``en.mo``, and the Chinese ones into ``zh.mo``.

Rules of this file: it runs when the program is installed (as a hook of Hatch), and by hand: ``python hatch_build.py``.
A code that two files of a language have, or that is left empty, ends it: half a catalogue is none. Babel reads and
writes the formats of GNU gettext; the program itself reads the result with the standard library.
"""

import io
import os
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path(__file__).parent / "agent" / "language"


def merged(folder: Path) -> Catalog:
    """Return all messages of one language, whose files are in *folder*."""
    catalogue = Catalog(locale=folder.name)
    for source in sorted(folder.glob("*.po")):
        for message in read_po(io.BytesIO(source.read_bytes()), locale=folder.name, abort_invalid=True):
            if not message.id:
                continue
            code = message.id if isinstance(message.id, str) else message.id[0]
            if code in catalogue or source.stem not in ("argparse", code.partition(".")[0]):
                raise SystemExit(f"{source}: `{code}` stands twice, or in the wrong file")
            if not message.string or not all(message.string):
                raise SystemExit(f"{source}: `{code}` says nothing")
            catalogue[code] = message
    return catalogue


def compile_catalogues(folder: Path = FOLDER) -> None:
    """Write ``en.mo`` and ``zh.mo``, each at once."""
    for language in ("en", "zh"):
        compiled = io.BytesIO()
        write_mo(compiled, merged(folder / language))
        target = folder / f"{language}.mo"
        beside = target.with_suffix(f".{os.getpid()}")
        beside.write_bytes(compiled.getvalue())
        beside.replace(target)


def stale(folder: Path = FOLDER) -> bool:
    """Return whether a source has changed since the catalogues were compiled, or they are not there."""
    compiled = [folder / f"{language}.mo" for language in ("en", "zh")]
    if not all(file.exists() for file in compiled):
        return True
    oldest = min(file.stat().st_mtime_ns for file in compiled)
    return any(source.stat().st_mtime_ns > oldest for source in folder.glob("*/*.po"))


class CatalogueHook(BuildHookInterface[Any]):
    """The hook Hatch calls before it builds or installs."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, whatever is built."""
        compile_catalogues()


if __name__ == "__main__":
    compile_catalogues()
