"""What is taken as a rule pack, and what is read in it: any difference may be a rule that is not there."""

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping

from rules.pack.reader import check, load
from tests.mutants.asking import Question
from tests.rules.pack.test_problems import PACK, WRONG, changed
from tests.rules.strategies import EVERYTHING, PACKS
from tests.rules.vector_files import FOLDER


def questions() -> Iterator[Question]:
    """Yield the questions."""
    texts = [path.read_text(encoding="utf-8") for folder in (PACKS, FOLDER) for path in sorted(folder.glob("*.toml"))]
    for text in (*texts, EVERYTHING, PACK):
        yield read, (text,)
        for cut in range(0, len(text), max(1, len(text) // 40)):
            yield taken, (text[:cut],)
    for wrong in WRONG:
        yield taken, (changed(wrong["replace"], "\n".join(wrong["by"])),)


def taken(text: str) -> Collection[str]:
    """Whether *text* is a pack, and which sorts of problems are not seen."""
    seen = {problem.severity for problem in check(text)}
    found = [f"no {severity}" for severity in ("error", "warning", "note") if severity not in seen]
    try:
        return [*found, *read(text)]
    except Exception:
        return found


def read(text: str) -> Collection[str]:
    """Every setting as it is read."""
    return list(_settings("", load(text)))


def _settings(name: str, value: object) -> Iterator[str]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _settings(f"{name}.{field.name}", getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _settings(f"{name}[{key}]", inner)
    else:
        yield f"{name} = {json.dumps(value, default=_plain, sort_keys=True)}"


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    return repr(value)
