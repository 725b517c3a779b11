"""Checks of programs and logins: whether each service is as registered, and whether people need a login.

Rules of this file: reading only, and good states are reported too.
"""

import os
from collections.abc import Callable, Iterable, Iterator

from agent.api.findings import Finding
from agent.kernel.program import FirstNamespaces
from agent.registry.rows.services import ServiceProgram
from agent.site import program_file
from agent.site.program_file import TROUBLE, ProgramTrouble
from rules.text import Message, Text
from rules.visible import visible


def services(
    rows: Iterable[ServiceProgram], trouble: Callable[[ServiceProgram], ProgramTrouble | None]
) -> Iterator[Finding]:
    """Yield the services that are denied because their program is not the registered file."""
    for row in rows:
        name, path = visible(row.service), visible(os.fsdecode(row.path))
        if (program_trouble := trouble(row)) is not None:
            loose = program_trouble is ProgramTrouble.WRITABLE
            mend = f"chown root {path} && chmod go-w {path}" if loose else f"shoumi service renew {name}"
            reason = TROUBLE[program_trouble]
            text = (
                Message("doctor.service-trouble", name=name, reason=reason)
                if loose
                else Message("doctor.service-refused", name=name, reason=reason)
            )
            yield Finding("serious", "service-program", text, Text(mend, mend))
        elif row.lets_in:
            text = Message("doctor.lets-people-in", path=path)
            yield Finding("good", "lets-in", text)
        elif program_file.is_interpreter(os.fsdecode(row.path)):
            yield Finding(
                "warning",
                "service-interpreter",
                Message("doctor.service-interpreter", uid=row.uid, path=path, name=name),
                Message("doctor.dedicate-uid"),
            )


def logins(*, trial: bool, first: FirstNamespaces | None = None) -> Iterator[Finding]:
    """Yield whether people need a login uid, and whether this process can identify the initial namespaces."""
    if trial:
        yield Finding(
            "warning",
            "logins",
            Message("common.trial-no-logins"),
            Message("doctor.set-role-groups"),
        )
    else:
        text = Message("doctor.login-required")
        yield Finding("good", "logins", text)
    if first is None:
        return
    if not first.told:
        yield Finding(
            "warning",
            "namespaces",
            Message("doctor.pid-1-unreadable"),
            Message("doctor.run-with-ptrace"),
        )
    elif not first.ours:
        yield Finding(
            "serious",
            "namespaces",
            Message("doctor.agent-in-own-namespace"),
            Message("doctor.start-without-namespace"),
        )
