"""The rule packs that come with the program, as text.

Rules of this file: ``rules`` does no I/O, so whoever wants a shipped pack reads it here. A shipped pack is only ever a
source to copy from: what a site enforces is its own ``pack.toml``, which an upgrade of the program never touches.
"""

from importlib import resources

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

_SUFFIX = ".toml"


def names() -> tuple[str, ...]:
    """Return the names of the shipped packs, in alphabetical order."""
    files = resources.files("rules").joinpath("packs").iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def text(name: str) -> str:
    """Return the TOML text of the shipped pack *name*; raise :class:`RefusedError` if there is none."""
    if name not in names():
        said = visible(name)
        known = ", ".join(names())
        raise RefusedError(
            Text(f"no pack called `{said}` is shipped", f"没有名为 `{said}` 的内置规则包"),
            Text(f"one of: {known}; or the path of a TOML file", f"可选：{known}；或一个 TOML 文件的路径"),
        )
    return resources.files("rules").joinpath("packs", name + _SUFFIX).read_text(encoding="utf-8")
