"""Handlers: the rule pack in force.

Rules of this file: the new text is durable beside the old one before the act is recorded, and takes its place by a
rename right after the commit. The registry remembers its digest, so a start knows whether that rename is still due, and
an edit that nobody recorded is found.
"""

import os
from contextlib import suppress
from pathlib import Path

from agent.control.dispatch import HandlerRequest, HandlerResult, Json, act, read
from agent.errors import RefusedError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.runtime.home import Home
from rules.pack.reader import Pack, PackError, load
from rules.text import Text

SETTING = "pack"  # name of the registry setting that holds the digest of the pack in force


@read("pack.show")
def _show(ask: HandlerRequest) -> Json:
    pack = ask.desk.pack()
    return described(pack) | {"text": ask.desk.home.pack.read_text(encoding="utf-8")}


@act("pack.use")
def _use(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    text = ask.args.text("pack")
    pack = checked(text)
    write(ask.desk.home, text)
    change.settings.set(SETTING, pack.digest)
    return HandlerResult(
        {"pack": pack.id}, ask.digest("pack") | {"id": pack.id}, committed=lambda: install(ask.desk.home)
    )


def described(pack: Pack) -> dict[str, Json]:
    """Return what a pack switches on, as JSON."""
    return {
        "id": pack.id,
        "name": pack.name,
        "version": pack.version,
        "title": pack.title._asdict(),
        "rules": [{"id": rule.id, "title": rule.title._asdict(), "clauses": list(rule.clauses)} for rule in pack.rules],
        "records": {kind: record.title._asdict() for kind, record in pack.records.items()},
        "domains": {domain: text._asdict() for domain, text in pack.domains.items()},
        "hours": list(pack.hours),
    }


def checked(text: str) -> Pack:
    """Return the pack; raise :class:`RefusedError` with every problem, by line."""
    try:
        return load(text)
    except PackError as error:
        en = "; ".join(f"line {problem.line}: {problem.text.en}" for problem in error.problems)
        zh = ";".join(f"第 {problem.line} 行：{problem.text.zh}" for problem in error.problems)
        first = error.problems[0].hint if error.problems else None
        raise RefusedError(Text(f"the pack cannot be used: {en}", f"规则包不可用：{zh}"), first) from error


def write(home: Home, text: str) -> None:
    """Put the text of a pack durably beside the one in force."""
    with _waiting(home).open("wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    _waiting(home).chmod(0o644)


def install(home: Home) -> None:
    """Put the waiting pack in force."""
    _waiting(home).replace(home.pack)
    folder = os.open(home.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def settle(home: Home, digest: str) -> bool:
    """Finish a ``pack use`` that was killed between commit and rename; return whether the pack is the recorded one."""
    with suppress(OSError, ValueError, PackError):
        if load(_waiting(home).read_text(encoding="utf-8")).digest == digest:
            install(home)
    try:
        return load(home.pack.read_text(encoding="utf-8")).digest == digest
    except (OSError, ValueError, PackError):
        return False


def _waiting(home: Home) -> Path:
    return home.pack.with_suffix(".toml.new")
