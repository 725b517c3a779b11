"""What starts or logs in for a person is moved aside and kept, whatever they have put in its place."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.context import Account, RevocationContext, RevocationSubject
from agent.offboard.steps import at, cron, keys, places, tickets, timers
from agent.offboard.steps.seizing import seize
from agent.offboard.steps.step import RevocationStep, StepState
from tests import needs
from tests.offboard.host import context, furnish, leaver, picture

pytestmark = needs.root

MEMORY = Path("/dev/shm")


@pytest.fixture
def home(tmp_path: Path, uid: int) -> Path:
    furnish(tmp_path, uid)
    return tmp_path


@pytest.fixture(params=["same filesystem", "another filesystem"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Where things are kept: beside them, or where a rename cannot go."""
    if request.param == "same filesystem":
        yield tmp_path / "kept"
        return
    other = MEMORY / f"shoumi-test-{os.getpid()}"
    other.mkdir()
    assert other.stat().st_dev != tmp_path.stat().st_dev
    yield other
    for path in sorted(other.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    other.rmdir()


# --- moving one thing -----------------------------------------------------------------------------


def test_what_is_moved_keeps_owner_mode_times_and_bytes(tmp_path: Path, kept: Path, uid: int) -> None:
    folder = tmp_path / "home" / ".config"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a").write_bytes(b"\x00\xff")
    (folder / "link").symlink_to("/etc/shadow")
    os.mkfifo(folder / "fifo", 0o600)
    for path in (folder / "deep" / "a", folder / "deep", folder):
        path.chmod(0o751)
        os.chown(path, uid, 7)
        os.utime(path, ns=(1_000_000_007, 2_000_000_009))
    before = picture(folder)
    at_now = seize(tmp_path, "home/.config", kept)
    assert at_now == kept / str(folder).lstrip("/")
    assert not folder.exists()
    assert picture(at_now) == before
    for path in (at_now, at_now / "deep" / "a"):
        assert path.stat().st_mtime_ns == 2_000_000_009
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700 or kept.parent == MEMORY


def test_nothing_there_is_nothing_moved(tmp_path: Path, kept: Path) -> None:
    assert seize(tmp_path, "absent/deep", kept) is None
    assert seize(tmp_path / "absent", "x", kept) is None
    assert not (kept / str(tmp_path).lstrip("/")).exists()


@pytest.mark.parametrize("below", ["../etc", "a/../../b", "/etc/passwd"])
def test_a_name_that_climbs_out_is_refused(tmp_path: Path, kept: Path, below: str) -> None:
    with pytest.raises(OSError, match="not a place below"):
        seize(tmp_path, below, kept)


def test_a_link_where_a_directory_should_be_is_itself_what_moves(tmp_path: Path, kept: Path) -> None:
    outside = tmp_path / "root-owned"
    outside.mkdir()
    (outside / "authorized_keys").write_text("root's")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".ssh").symlink_to(outside)
    moved = seize(home, ".ssh/authorized_keys", kept)
    assert moved is not None
    assert moved.is_symlink()
    assert not (home / ".ssh").is_symlink()
    assert (outside / "authorized_keys").read_text() == "root's"


def test_a_link_is_never_followed_to_the_file_it_names(tmp_path: Path, kept: Path) -> None:
    (tmp_path / "shadow").write_text("hashes")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "keys").symlink_to(tmp_path / "shadow")
    moved = seize(tmp_path / "home", "keys", kept)
    assert moved is not None
    assert moved.is_symlink()
    assert (tmp_path / "shadow").read_text() == "hashes"


def test_somebody_else_s_home_is_left_alone(tmp_path: Path, kept: Path, uid: int) -> None:
    (tmp_path / "keys").write_text("x")
    assert seize(tmp_path, "keys", kept, owner=uid) is None
    assert (tmp_path / "keys").exists()


def test_a_second_thing_of_that_name_is_kept_beside_the_first(tmp_path: Path, kept: Path) -> None:
    (tmp_path / "tab").write_text("one")
    first = seize(tmp_path, "tab", kept)
    (tmp_path / "tab").write_text("two")
    second = seize(tmp_path, "tab", kept)
    assert first is not None
    assert second is not None
    assert (first.read_text(), second.read_text()) == ("one", "two")
    assert second.name == "tab.1"


def test_a_move_cut_short_after_the_copy_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    source = tmp_path / "tab"
    source.write_text("one")
    copy = tmp_path / "kept" / str(source).lstrip("/")
    copy.parent.mkdir(parents=True)
    copy.write_text("one")
    os.utime(copy, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
    assert seize(tmp_path, "tab", tmp_path / "kept") == copy
    assert not source.exists()
    assert [path.name for path in copy.parent.iterdir()] == ["tab"]


def test_a_directory_moved_in_part_is_finished_in_the_same_place(tmp_path: Path, kept: Path) -> None:
    folder = tmp_path / "units"
    folder.mkdir()
    (folder / "b.timer").write_text("b")
    there = kept / str(folder).lstrip("/")
    there.mkdir(parents=True)
    (there / "a.timer").write_text("a")
    assert seize(tmp_path, "units", kept) == there
    assert sorted(path.name for path in there.iterdir()) == ["a.timer", "b.timer"]
    assert not folder.exists()


# --- the steps on a made-up host ------------------------------------------------------------------


def test_the_accounts_of_a_host_are_found_with_all_their_names(home: Path, uid: int) -> None:
    with (home / "host/etc/passwd").open("a") as file:
        file.write(f"broken line\nzhang2:x:{uid}:0::/home/zhang:/bin/sh\n")
    assert places.accounts([uid, 999999], home / "host") == (
        Account(uid, ("zhang", "zhang2"), "/home/zhang"),
        Account(999999),
    )


@pytest.mark.parametrize(
    ("step", "gone"),
    [
        (cron.STEP, ["var/spool/cron/crontabs/zhang"]),
        (at.STEP, ["var/spool/cron/atjobs/a0000101"]),
        (
            timers.STEP,
            ["var/lib/systemd/linger/zhang", "home/zhang/.config/systemd/user", "home/zhang/.config/autostart"],
        ),
        (tickets.STEP, ["run/sudo/ts/zhang", "tmp/krb5cc_UID"]),
        (keys.STEP, ["home/zhang/.ssh/authorized_keys"]),
    ],
    ids=lambda value: getattr(value, "id", ""),
)
def test_only_the_person_s_own_is_moved_and_a_second_run_changes_nothing(
    home: Path, uid: int, step: RevocationStep, gone: list[str]
) -> None:
    gone = [path.replace("UID", str(uid)) for path in gone]
    host, who, here = home / "host", leaver(home, uid), context(home)
    before = picture(host)
    assert step.probe(who, here) is None
    assert len(step.find_targets(who, here)) == len(gone)
    assert picture(host) == before
    result = step.run(who, here, "C1")
    assert result.state is StepState.CONFIRMED
    left = picture(host)
    taken = {path for path in before if path not in left}
    assert taken == {path for path in before if any(path == top or path.startswith(f"{top}/") for top in gone)}
    seized = home / "seized" / "C1" / str(host).lstrip("/")
    assert {path: found for path, found in picture(seized).items() if path in before and path in taken} == {
        path: before[path] for path in taken
    }
    first = picture(home)
    assert step.run(who, here, "C1").state is StepState.CONFIRMED
    assert picture(home) == first
    assert step.find_targets(who, here) == ()


@pytest.mark.parametrize("step", [cron.STEP, at.STEP, timers.STEP, tickets.STEP, keys.STEP], ids=lambda step: step.id)
def test_a_host_without_it_skips_the_step_and_says_why(tmp_path: Path, uid: int, step: RevocationStep) -> None:
    assert (
        step.probe(RevocationSubject("E1001", (Account(uid, ("zhang",), "/home/zhang"),)), context(tmp_path))
        is not None
    )


def test_a_login_named_like_a_spool_moves_no_spool(home: Path, uid: int) -> None:
    who = RevocationSubject("E1001", (Account(uid, ("crontabs", "../../etc", "."), "/home/zhang"),))
    assert cron.run(who, context(home), "C1").facts["moved"] == []
    assert (home / "host/var/spool/cron/crontabs/li").exists()
    assert (home / "host/etc/passwd").exists()


def test_a_system_table_that_runs_as_them_is_named_and_left(home: Path, uid: int) -> None:
    table = home / "host/etc/cron.d/backup"
    table.parent.mkdir()
    table.write_text(
        "MAILTO=zhang\n# * * * * * zhang x\n* * * * * root cp zhang\n@daily zhang /bin/x\n1 2 3 4 5 zhang y\n"
    )
    result = cron.run(leaver(home, uid), context(home), "C1")
    assert result.state is StepState.PENDING
    assert result.facts["by_hand"] == [f"{table}:4", f"{table}:5"]
    assert "zhang y" in table.read_text()


@given(st.text(), st.frozensets(st.text(min_size=1), max_size=3))
def test_no_system_table_is_too_strange_to_read(table: str, names: frozenset[str]) -> None:
    list(cron.runs_as(table, names))


def test_what_cannot_be_moved_leaves_the_step_pending(home: Path, uid: int) -> None:
    here = context(home)
    (home / "seized").write_text("a file where the directory should be")
    result = cron.run(leaver(home, uid), here, "C1")
    assert result.state is StepState.PENDING
    assert (home / "host/var/spool/cron/crontabs/zhang").exists()


# --- SSH keys -------------------------------------------------------------------------------------


def test_the_patterns_of_sshd_config_add_to_the_usual_ones() -> None:
    config = "AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u\nMatch User x\n authorizedkeysfile=none\n#A b\n"
    assert keys.patterns(config) == (".ssh/authorized_keys", ".ssh/authorized_keys2", "/etc/ssh/keys/%u")
    assert keys.expand("%h/%u-%U%%", "zhang", 7, "/home/zhang") == "/home/zhang/zhang-7%"


def test_keys_outside_the_home_are_moved_and_files_shared_by_all_are_not(home: Path, uid: int) -> None:
    host = home / "host"
    for path, text in {
        "etc/ssh/sshd_config.d/a.conf": "AuthorizedKeysFile /etc/ssh/keys/%u /etc/ssh/everybody %h/.keys\n",
        "etc/ssh/keys/zhang": "ssh-rsa AAAAB3Nza\n",
        "etc/ssh/keys/li": "ssh-rsa AAAAB3other\n",
        "etc/ssh/everybody": "ssh-rsa AAAAB3all\n",
        "home/zhang/.keys": "x",
    }.items():
        (host / path).parent.mkdir(parents=True, exist_ok=True)
        (host / path).write_text(text)
    result = keys.run(leaver(home, uid), context(home), "C1")
    assert result.state is StepState.CONFIRMED
    for path in ("etc/ssh/keys/zhang", "home/zhang/.ssh/authorized_keys", "home/zhang/.keys"):
        assert not (host / path).exists()
    for path in ("etc/ssh/keys/li", "etc/ssh/everybody", "home/li/.ssh/authorized_keys"):
        assert (host / path).exists()


def test_the_same_key_in_another_account_is_named_and_left_pending(home: Path, uid: int) -> None:
    other = home / "host/home/li/.ssh/authorized_keys"
    other.write_text('from="10.0.0.1",no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIabc somebody\n')
    who, here = leaver(home, uid), context(home)
    assert any(target.affected for target in keys.find_targets(who, here))
    for _ in range(2):  # by the second time the keys are only in what was moved aside
        result = keys.run(who, here, "C1")
        assert result.state is StepState.PENDING
        assert result.facts["by_hand"] == [f"li: {other}"]
    other.unlink()
    assert keys.run(who, here, "C1").state is StepState.CONFIRMED


def test_a_commented_key_is_no_key() -> None:
    assert keys.key_blobs("# ssh-rsa AAAAB3Nza\nssh-rsa AAAAB3Nzb c\nsk-ssh-ed25519@openssh.com AAAAG c\n") == {
        "AAAAB3Nzb",
        "AAAAG",
    }


def test_a_fifo_in_place_of_the_keys_blocks_nobody(home: Path, uid: int) -> None:
    path = home / "host/home/zhang/.ssh/authorized_keys"
    path.unlink()
    os.mkfifo(path)
    who, here = leaver(home, uid), context(home)
    keys.find_targets(who, here)
    assert keys.run(who, here, "C1").state is StepState.CONFIRMED
    assert not path.exists()


def test_a_home_that_is_not_theirs_is_left(home: Path, uid: int) -> None:
    os.chown(home / "host/home/zhang", 0, 0)
    who: RevocationSubject = leaver(home, uid)
    here: RevocationContext = context(home)
    assert keys.run(who, here, "C1").facts["moved"] == []
    assert (home / "host/home/zhang/.ssh/authorized_keys").exists()
