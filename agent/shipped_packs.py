"""The shipped rule packs, as text.

Rules of this file: ``rules`` does no I/O, so shipped packs are read here. A shipped pack is only a source to copy from:
a site enforces its own ``pack.toml``, which an upgrade of the program never changes.
"""

from importlib import resources

from agent.errors import RefusedError
from rules.text import Message
from rules.visible import visible

_SUFFIX = ".toml"


def names() -> tuple[str, ...]:
    """Return the names of the shipped packs, in alphabetical order."""
    files = resources.files("rules").joinpath("packs").iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def text(name: str) -> str:
    """Return the TOML text of the shipped pack *name*; raise :class:`RefusedError` if there is none."""
    if name not in names():
        pack_name = visible(name)
        available = ", ".join(names())
        raise RefusedError(
            Message("site.pack-not-shipped", pack=pack_name),
            Message("site.choose-pack", packs=available),
        )
    return resources.files("rules").joinpath("packs", name + _SUFFIX).read_text(encoding="utf-8")
