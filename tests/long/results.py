"""The results of the long tests: one JSON line a run, and the table that closing notes quote."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests import ROOT
from tests.bench import machine
from tests.long.rounds import State

FILE = ROOT / "build" / "test-long.jsonl"


def commit() -> tuple[str, bool]:
    """Return the commit of this checkout, and whether files differ from it. No repository: ``unknown``."""
    try:
        found = _git("rev-parse", "--short=12", "HEAD").strip()
        return found, bool(_git("status", "--porcelain", "--untracked-files=no").strip())
    except (OSError, subprocess.CalledProcessError):
        return "unknown", True


def full(name: str) -> str | None:
    """Return all digits of a commit by any of its names, ``None`` when it is none."""
    try:
        return _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    return subprocess.run(("git", *words), cwd=ROOT, check=True, capture_output=True, text=True).stdout


def add(part: str, state: State, *, dirty: bool, file: Path = FILE) -> dict[str, Any]:
    """Append the result of a run, and return it."""
    about = machine.describe()
    result = {
        "part": part,
        **asdict(state),
        "dirty": dirty,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {key: about[key] for key in ("kernel", "cores", "python", "busy")},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(result, ensure_ascii=False) + "\n")
    return result


def read(file: Path = FILE) -> list[dict[str, Any]]:
    """Return all results, oldest first."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


_COLUMNS = ("part", "commit", "form", "rounds", "seconds", "failures", "counts")


def table(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return the last result of each part and form as lines of a table, failures below it."""
    last = {(result["part"], result["short"]): result for result in results}
    shown = [_row(result) for result in last.values()]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *shown, strict=True)]
    lines = ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
             for row in (_COLUMNS, *shown)]  # fmt: skip
    for result in last.values():
        lines += [f"{result['part']}: {said}" for said in (*result["notes"], *result["failures"])]
    return lines


def _row(result: dict[str, Any]) -> tuple[str, ...]:
    counts = ", ".join(f"{name} {_short(value)}" for name, value in result["counts"].items())
    commit_ = result["commit"] + ("+" if result["dirty"] else "")
    form = "short" if result["short"] else "long"
    numbers = (str(result["rounds"]), f"{result['seconds']:.0f}", str(len(result["failures"])))
    return (result["part"], commit_, form, *numbers, counts)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
