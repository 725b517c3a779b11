"""A volume the agent mounts is guarded before anybody sees it; its disk is free once it is hidden (contract C11)."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.demo.actors import acting, attempt, reading
from agent.disks import holders
from agent.kernel import loop_device, mountinfo, mounting, volume_lock
from agent.simulator import volume_image
from tests.enforcement.killing import holder_killed
from tests.enforcement.scene import CLEARED, SECRET, TOO_LOW, UNKNOWN, Scene, alive, scene, until, write
from tests.enforcement.test_volumes import area, guarded, mount, mount_volume, nobody_gets_in, trying, umount

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-volumes")]

SIZES = {"ext4": 64, "xfs": 320}


@pytest.fixture(params=["ext4", pytest.param("xfs", marks=pytest.mark.long)])
def site(able: None, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with scene(volume=request.param, size=SIZES[request.param] << 20) as made:
        yield made


@pytest.fixture
def one(able: None) -> Iterator[Scene]:
    with scene() as made:
        yield made


def point(site: Scene) -> str:
    return str(site.site.root)


def image(site: Scene) -> Path:
    assert site.site.volume is not None
    return site.site.volume.folder / "image"


def volume(site: Scene) -> dict[str, Any]:
    [found] = site.ask("volume.list")
    return dict(found)


def hide(site: Scene, *words: str, code: int = 0) -> dict[str, Any]:
    done = site.site.shoumi("volume", "hide", point(site), "--yes", "--json", *words, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def check_filesystem(site: Scene) -> None:
    """Have the filesystem's own tool look at it: it refuses, or finds trouble, while somebody has it mounted."""
    assert site.site.volume is not None
    tool = {"ext4": ("fsck.ext4", "-f", "-n"), "xfs": ("xfs_repair", "-n")}[site.site.volume.fstype]
    done = subprocess.run([*tool, str(image(site))], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nobody_without_a_verdict_reads_between_attach_and_publish(site: Scene) -> None:
    hide(site, "--forget")
    with trying(site.plans / "doc.txt") as outcomes:
        attached = site.site.ask("volume", "attach", str(image(site)), "--at", point(site))
        assert attached["state"] == volume(site)["state"] == "attached"
        assert not any(row.point == point(site) and row.fstype != "tmpfs" for row in mountinfo.table())
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).error in ("ENOENT", "EACCES")
        assert site.site.ask("volume", "publish", str(image(site)))["state"] == "guarded"
        assert attempt(CLEARED, reading(site.plans / "doc.txt")).allowed
        outcomes.until("EPERM")
    assert "opened" not in outcomes
    guarded(site)
    assert area(site)["tier"] == "A"


def test_a_hidden_volume_is_free_for_its_tools_and_comes_back(site: Scene) -> None:
    for _ in range(2):
        number = os.stat(site.site.root).st_dev
        device = os.major(number), os.minor(number)
        assert volume_lock.owner(device) == str(site.site.home.root)
        with trying(site.plans / "doc.txt") as outcomes:
            found = hide(site)
            assert (found["free"], found["holders"]) == (True, [])
            assert loop_device.of_image(str(image(site))) is None
            assert volume_lock.owner(device) != str(site.site.home.root)
            check_filesystem(site)
            assert area(site)["hidden"]
            assert volume(site)["state"] == "hidden"
            assert site.site.ask("volume", "publish", point(site))["state"] == "guarded"
        assert "opened" not in outcomes
        guarded(site)


def test_who_still_holds_a_hidden_volume_is_named_and_ended_if_asked(one: Scene) -> None:
    def holding(say: Any) -> None:
        kept = os.open(one.plans / "doc.txt", os.O_RDONLY)
        say("holding")
        signal.pause()
        os.close(kept)

    with acting(CLEARED, holding) as holder:
        assert holder.next().value == "holding"
        planned = one.site.shoumi("volume", "hide", point(one), "--json", check=False)
        assert planned.returncode == 1
        assert str(holder.pid) in planned.stdout
        guarded(one)
        found = hide(one, code=1)
        assert not found["free"]
        assert ("open", holder.pid) in [(who["how"], who["pid"]) for who in found["holders"]]
        nobody_gets_in(one)
        said = one.site.shoumi("doctor", check=False).stdout
        assert f"({holder.pid})" in said
        assert hide(one, "--end")["free"]
        until(lambda: not alive(holder.pid))  # its descriptors go before it does
    ended = [entry for entry in one.site.entries() if entry.get("state") == "ending"]
    assert holder.pid in [who["pid"] for who in ended[-1]["holders"]]
    check_filesystem(one)
    assert "nothing holds" in one.site.shoumi("doctor", check=False).stdout
    assert one.site.ask("volume", "publish", point(one))["state"] == "guarded"
    guarded(one)


def test_what_others_keep_of_a_hidden_volume_is_guarded_still(one: Scene) -> None:
    """A working directory inside, and a mount namespace of its own: the marks last as long as the filesystem."""

    def staying(say: Any) -> None:
        os.chdir(one.public)
        say("inside")
        for name in iter(lambda: (signal.sigwait([signal.SIGUSR1]), "../plans/doc.txt")[1], None):
            try:
                os.close(os.open(name, os.O_RDONLY))
                say("opened")
            except OSError as error:
                say(error.strerror)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        with acting(UNKNOWN, staying) as inside:
            assert inside.next().value == "inside"
            found = hide(one, code=1)
            assert ("inside", inside.pid) in [(who["how"], who["pid"]) for who in found["holders"]]
            os.kill(inside.pid, signal.SIGUSR1)
            assert inside.next().value == os.strerror(1)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    until(lambda: not holders.taken(loop.node) if (loop := loop_device.of_image(str(image(one)))) else True)
    check_filesystem(one)


def test_a_mount_in_another_namespace_is_named(one: Scene) -> None:
    # It has a copy of everything that is mounted on this machine; what is not ours it lets go of at once.
    others = f"awk '{{print $2}}' /proc/mounts | grep shoumi | grep -v {point(one)} | xargs -r umount -l"
    script = f"{others}; echo there; exec sleep 60"
    other = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script], stdout=subprocess.PIPE
    )
    try:
        assert other.stdout
        assert other.stdout.readline() == b"there\n"
        found = hide(one, code=1)
        assert ("mount", point(one), other.pid) in [(who["how"], who["what"], who["pid"]) for who in found["holders"]]
    finally:
        other.kill()
        other.communicate()
    until(lambda: loop_device.of_image(str(image(one))) is None)
    check_filesystem(one)


def test_a_hidden_volume_that_somebody_mounts_is_covered_and_stays_so(one: Scene) -> None:
    hide(one)
    mount_volume(one)
    until(lambda: mounting.hidden(str(one.plans)))
    nobody_gets_in(one)
    time.sleep(0.5)  # the span itself: longer than bringing it under guard takes
    assert attempt(CLEARED, reading(one.plans / "doc.txt")).error in ("ENOENT", "EACCES")
    one.site.stop()
    one.site.start()
    nobody_gets_in(one)
    assert volume(one)["state"] == "hidden"
    assert one.site.ask("volume", "publish", point(one))["state"] == "guarded"
    guarded(one)


@pytest.mark.parametrize("how", ["stop", "kill control", "kill all"])
def test_each_state_outlives_the_agent(one: Scene, how: str) -> None:
    def again() -> None:
        if how == "kill control":
            before = one.site.process("control")
            os.kill(before, signal.SIGKILL)
            until(lambda: _another(one, before))
            until(one.answers)
            return
        if how == "kill all":
            holder_killed(one)
        one.site.stop()
        one.site.start()

    with trying(one.plans / "doc.txt") as outcomes:
        hide(one)
        again()
        assert (volume(one)["state"], area(one)["hidden"]) == ("hidden", True)
        check_filesystem(one)
        assert one.site.ask("volume", "attach", str(image(one)), "--at", point(one))["state"] == "attached"
        again()
        until(lambda: volume(one)["state"] == "attached")
        assert one.site.ask("volume", "publish", point(one))["state"] == "guarded"
        again()
        until(lambda: volume(one)["state"] == "guarded")
    assert "opened" not in outcomes
    guarded(one)


def test_a_published_volume_comes_back_with_the_agent_though_nobody_mounts_it(one: Scene) -> None:
    hide(one)
    one.site.ask("volume", "publish", point(one))
    one.site.stop()
    mounting.unmount_below(point(one))
    with trying(one.plans / "doc.txt") as outcomes:
        one.site.start()
        until(lambda: volume(one)["state"] == "guarded")
    assert "opened" not in outcomes
    guarded(one)


def killed_while_publishing(site: Scene, delays: Sequence[float]) -> None:
    """Kill the control process so many seconds after it was told to publish; look what comes of it each time."""
    with trying(site.plans / "doc.txt") as outcomes:
        for delay in delays:
            with site.asking() as agent:
                at = agent.call("volume.hide", point=point(site))["at"]
                [found] = agent.stream("volume.outcome", point=point(site), at=at)
                assert found["free"]
                control = site.site.process("control")
                agent.call("volume.publish", volume=point(site))
            time.sleep(delay)  # the very thing: at any moment
            os.kill(control, signal.SIGKILL)
            assert attempt(TOO_LOW, reading(site.plans / "doc.txt")).error in ("EPERM", "EACCES", "ENOENT")
            until(lambda before=control: _another(site, before))  # type: ignore[misc]
            until(site.answers)
            until(lambda: volume(site)["state"] == "guarded")
    assert "opened" not in outcomes
    guarded(site)


def test_control_killed_while_it_publishes_leaves_a_volume_closed_or_guarded(one: Scene) -> None:
    killed_while_publishing(one, (0.1,))


@pytest.mark.long
def test_control_killed_at_any_moment_leaves_a_volume_closed_or_guarded(one: Scene) -> None:
    killed_while_publishing(one, [step * 0.05 for step in range(20)])


def test_a_new_volume_is_made_attached_published_and_gets_its_area(one: Scene) -> None:
    assert one.site.volume is not None
    folder = one.site.volume.folder
    file, there, key = folder / "new", folder / "there", folder / "key"
    there.mkdir()
    key.write_text("x")
    refused = one.site.shoumi("volume", "create", str(file), "--fstype", "ext4", "--size", "32", check=False)
    assert (refused.returncode, file.exists()) == (1, False)
    made = one.site.ask("volume", "create", str(file), "--fstype", "ext4", "--size", "32", "--yes")
    assert made["fstype"] == "ext4"
    again = one.site.shoumi("volume", "create", str(file), "--fstype", "xfs", "--yes", check=False)
    assert again.returncode == 1
    assert "not empty" in again.stderr
    one.site.shoumi("volume", "attach", str(file), "--at", str(there))
    try:
        assert one.site.ask("volume", "publish", str(there))["state"] == "published"
        (there / "new").mkdir()
        (there / "new").chmod(0o777)
        until(lambda: write(there / "new" / "doc.txt", SECRET))
        added = one.site.ask(
            "area", "add", str(there / "new"), "--name", "new", "--level", "secret", "--domain", "state"
        )
        assert added["tier"] == "A"
        assert attempt(UNKNOWN, reading(there / "new" / "doc.txt")).error == "EPERM"
        done = one.site.shoumi("volume", "hide", str(there), "--yes", "--json", check=False)
        assert done.returncode == 0, done.stdout
        guarded(one)
    finally:
        mounting.unmount_below(str(there))


def test_what_cannot_be_attached_says_why_and_nothing_is_seen(one: Scene) -> None:
    assert one.site.volume is not None
    folder = one.site.volume.folder
    nothing, there = folder / "nothing", folder / "there"
    nothing.write_bytes(bytes(4 << 20))
    there.mkdir()

    def refused(*words: object) -> str:
        done = one.site.shoumi("volume", *map(str, words), check=False)
        assert done.returncode == 1, done.stdout
        return done.stderr

    assert "no ext4 or xfs" in refused("attach", nothing, "--at", there)
    assert not mounting.hidden(str(there))
    assert "is mounted" in refused("attach", image(one), "--at", there)
    assert "is not a directory" in refused("attach", nothing, "--at", folder / "absent")
    assert attempt(CLEARED, lambda: os.mkdir(one.plans / "inside")).allowed
    assert "is inside the area" in refused("attach", nothing, "--at", one.plans / "inside")
    assert "there is no volume" in refused("publish", folder)
    assert "no dedicated volume with areas" in refused("hide", folder, "--yes")
    guarded(one)


def test_another_disk_under_the_name_of_a_volume_is_refused(one: Scene) -> None:
    hide(one)
    one.site.ask("volume", "attach", str(image(one)), "--at", point(one))
    hide(one)
    with volume_image.volume() as other:
        assert one.site.volume is not None
        image(one).rename(image(one).with_name("aside"))
        umount(other.point)
        (other.folder / "image").rename(image(one))
        try:
            refused = one.site.shoumi("volume", "publish", point(one), check=False)
            assert refused.returncode == 1
            assert "is not the expected volume" in refused.stderr
            nobody_gets_in(one)
        finally:
            image(one).with_name("aside").rename(image(one))
    until(lambda: one.site.shoumi("volume", "publish", point(one), check=False).returncode == 0)
    guarded(one)


def test_bad_options_are_refused_with_what_the_kernel_says(one: Scene) -> None:
    hide(one)
    refused = one.site.shoumi(
        "volume", "attach", str(image(one)), "--at", point(one), "--options", "nonsense=1", check=False
    )
    assert refused.returncode == 1
    assert "nonsense" in refused.stderr
    nobody_gets_in(one)
    options = ("--options", "defaults,nofail,noatime,data=ordered")
    one.site.shoumi("volume", "attach", str(image(one)), "--at", point(one), *options)
    assert one.site.ask("volume", "publish", point(one))["state"] == "guarded"
    [row] = [row for row in mounting.uncovered(mountinfo.table()) if row.point == point(one)]
    assert {"noatime", "nosuid", "nodev"} <= row.options
    guarded(one)


def _another(site: Scene, before: int) -> bool:
    with contextlib.suppress(LookupError, OSError):
        return site.site.process("control") != before
    return False


def test_hidden_while_it_is_being_published_it_is_hidden(one: Scene) -> None:
    """The later wish counts, though the earlier one was on its way: nobody gets in."""
    where = point(one)
    hide(one)
    with one.asking() as agent:
        for wait in (0.0, 0.02, 0.05, 0.1):
            agent.call("volume.publish", volume=where)
            time.sleep(wait)  # the span itself: the hide meets another part of the way each time
            done = agent.call("volume.hide", point=where)
            [came] = agent.stream("volume.outcome", point=where, at=done["at"])
            assert (came["state"], came["free"]) == ("hidden", True)
            assert attempt(CLEARED, reading(one.plans / "doc.txt")).error in ("ENOENT", "EACCES")
            assert agent.call("area.show", area="plans")["tier"] == "none"
        agent.call("volume.publish", volume=where)
    guarded(one)


def test_the_disk_of_a_volume_that_was_unmounted_by_hand_can_be_had(one: Scene) -> None:
    umount(one.site.root)
    until(lambda: area(one)["tier"] == "none")
    assert [row["point"] for row in one.ask("volume.list")] == []
    assert hide(one, "--forget")["free"]
    check_filesystem(one)
    mount_volume(one)
    guarded(one)


def test_somebody_elses_filesystem_at_the_place_of_a_hidden_volume_is_left_where_else_it_stands(one: Scene) -> None:
    """Neither an act nor a start of the agent unmounts it, or ends who holds something of it."""
    where, other = point(one), one.site.home.root.parent / "elsewhere"
    hide(one)
    other.mkdir()
    mount("-t", "tmpfs", "tmpfs", other)
    try:
        (other / "theirs").touch()
        mount("--bind", other, where)
        with (other / "theirs").open():
            hide(one, "--end")
            one.site.stop()
            one.site.start()
            hide(one, "--end")
            assert (other / "theirs").exists()
    finally:
        umount("-l", other)
