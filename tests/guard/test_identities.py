"""Who was let in: looked up once a second, in a time that each uid has for itself."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agent.demo.actors import ActorIdentity, become
from agent.guard import identities
from agent.guard.identities import BUDGET_NS, Identities
from agent.guard.policy import PolicySnapshot
from agent.guard.programs import RegisteredPrograms
from agent.kernel import program
from agent.kernel.program import FirstNamespaces
from agent.kernel.samba_program import SambaPrograms
from agent.kernel.subject import Tasks
from agent.registry.rows.services import ServiceProgram
from agent.runtime.home import Home
from tests.enforcement.programs import Programs, programs
from tests.enforcement.scene import NO_LOGIN

pytestmark = [pytest.mark.kernel]

ONE, OTHER = 61_597, 61_598


@pytest.fixture
def folder() -> Iterator[Programs]:
    with programs() as made:
        yield made


def made(tasks: Tasks, door: str, samba: tuple[str, ...] = (), most_ns: int = BUDGET_NS) -> Identities:
    policy, seen = PolicySnapshot(Home(Path("/nonexistent"))), program.at(door)
    row = ServiceProgram("door", 0, os.fsencode(door), seen.inode, seen.changed, seen.size, "", lets_in=True)
    policy.programs = RegisteredPrograms([] if samba else [row], asks_logins=True)
    return Identities(tasks, policy, SambaPrograms(samba), FirstNamespaces(), most_ns=most_ns)


@contextmanager
def below(door: str, uid: int) -> Iterator[int]:
    """Yield a process of *uid* that was started below the program *door*."""
    words = f"setpriv --reuid={uid} --regid={uid} --clear-groups sh -c 'echo $$; read line'; :"
    with subprocess.Popen(
        [door, "-c", words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: become(ActorIdentity(0, NO_LOGIN)),
    ) as shell:
        assert shell.stdout is not None
        try:
            yield int(shell.stdout.readline())
        finally:
            shell.communicate(b"\n", 20)


def test_what_a_registered_program_starts_was_let_in_and_what_a_copy_starts_was_not(folder: Programs) -> None:
    door, copy = folder.copy("dash", "door"), folder.copy("dash", "copy")
    with below(door, ONE) as inside, below(copy, ONE) as outside, closing(Tasks()) as tasks:
        who = made(tasks, door)
        assert (who.of(inside).let_in, who.of(outside).let_in) == (True, False)
        assert who.of(inside).fsuid == ONE


def test_samba_is_known_without_a_registration_also_after_an_upgrade(folder: Programs) -> None:
    smbd = folder.copy("dash", "smbd")
    with below(smbd, ONE) as inside, closing(Tasks()) as tasks:
        who = made(tasks, smbd, (smbd,))
        assert who.of(inside).let_in
        os.replace(folder.copy("cat", "new"), smbd)
        who.forget()
        assert who.of(inside).let_in


def test_one_who_makes_more_work_than_a_second_has_for_them_is_refused_and_nobody_else(
    folder: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "_AGAIN", 1 << 60)
    door = folder.copy("dash", "door")
    with below(door, ONE) as first, below(door, OTHER) as second, closing(Tasks()) as tasks:
        who = made(tasks, door, most_ns=1)
        assert who.of(first).let_in
        assert who.of(first).let_in  # known
        who.forget()  # as a new thread would be
        assert not who.of(first).let_in
        assert who.of(second).let_in
