"""What ``doctor`` and ``status`` say of programs and logins."""

import os
from pathlib import Path

import pytest

from agent.doctor import login_checks, offline_checks
from agent.kernel import program
from agent.kernel.program import FirstNamespaces
from agent.registry.rows.services import ServiceProgram
from agent.site import program_file
from agent.site.program_file import ProgramTrouble
from tests.control.office import office_of
from tests.control.site import Site
from tests.sentences import en

TAR = os.path.realpath("/usr/bin/tar")


def row(path: str = TAR, *, lets_in: bool = False, sha256: str = "", **other: int | None) -> ServiceProgram:
    seen = program.at(TAR)
    known = {"inode": seen.inode, "changed": seen.changed, "size": seen.size} | other
    return ServiceProgram("backup", 61_590, os.fsencode(path), **known, sha256=sha256, lets_in=lets_in)


def said(**known: bool) -> list[tuple[str, str]]:
    return [(one.code, one.state) for one in login_checks.logins(**known)]


def test_a_trial_says_that_logins_are_not_asked_for_and_a_site_that_they_are() -> None:
    assert said(trial=True) == [("logins", "warning")]
    assert "logins are not required: this site is a trial" in en(next(login_checks.logins(trial=True)).text)
    assert said(trial=False) == [("logins", "good")]


def test_the_agent_that_cannot_tell_the_initial_namespace_says_so() -> None:
    first = FirstNamespaces()
    for told, ours, expected in ((False, True, "warning"), (True, False, "serious"), (True, True, None)):
        first.told, first.ours = told, ours
        found = [one.state for one in login_checks.logins(trial=False, first=first) if one.code == "namespaces"]
        assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (row(), None),
        (row(inode=None, changed=None, size=None), ProgramTrouble.UNSEEN),
        (row(changed=1), ProgramTrouble.CHANGED),
        (row(path=TAR + "-none"), ProgramTrouble.GONE),
    ],
)
def test_each_state_of_a_program_is_told_with_the_command_that_mends_it(
    known: ServiceProgram, expected: ProgramTrouble | None
) -> None:
    assert program_file.trouble(known) is expected
    found = list(login_checks.services([known], program_file.trouble))
    assert [one.code for one in found] == (["service-program"] if expected else [])
    assert all(one.hint and en(one.hint) == "shoumi service renew backup" for one in found)


def test_a_program_that_others_can_write_is_told(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(b"x")
    copy.chmod(0o777)
    seen = program.at(str(copy))
    known = row(str(copy), inode=seen.inode, changed=seen.changed, size=seen.size)
    assert program_file.trouble(known) is ProgramTrouble.WRITABLE
    [loose] = login_checks.services([known], program_file.trouble)
    copy.chmod(0o755)
    [changed] = login_checks.services([known], program_file.trouble)
    assert loose.hint
    assert changed.hint
    assert en(loose.hint) == f"chown root {copy} && chmod go-w {copy}"
    assert en(changed.hint) == "shoumi service renew backup"


def test_interpreters_and_programs_that_let_people_in_are_named() -> None:
    names = ["python3.11", "bash", "sh", "perl", "node", "gawk", "busybox"]
    assert all(program_file.is_interpreter(f"/usr/bin/{name}") for name in names)
    assert not any(program_file.is_interpreter(f"/usr/bin/{name}") for name in ("tar", "smbd", "pythonic", "shred"))
    shell = row("/usr/bin/bash")
    assert [one.code for one in login_checks.services([shell], lambda _: None)] == ["service-interpreter"]
    assert [one.code for one in login_checks.services([row(lets_in=True)], lambda _: None)] == ["lets-in"]


def test_both_forms_of_doctor_and_the_status_say_it(fresh: Site) -> None:
    with office_of(fresh) as office:
        status = office.do("status", None)
        assert (status["trial"], status["logins"]) == (True, "not-asked")
        assert "logins" in [one["code"] for one in office.do("doctor", None)]
    assert "logins" in [one.code for one in offline_checks.files(fresh.home)]
