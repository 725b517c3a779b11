"""Real volumes are gathered, planned and marked, and the kernel asks about what it must and no more."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.kernel import fanotify, labels, mountinfo, mounting
from agent.simulator import volume_image
from agent.volumes import marks, planning, survey
from agent.volumes.facts import UnprotectableError, VolumeFacts
from agent.volumes.planning import AreaPlan, plan_area

pytest_plugins = ("tests.volumes.fixture",)


def look(path: Path, home: str = "/var/lib/shoumi", **known: object) -> VolumeFacts:
    return survey.survey_directory(path, home, **known)  # type: ignore[arg-type]


@pytest.mark.kernel
def test_a_real_directory_is_gathered_and_planned(volume: volume_image.Volume) -> None:
    area = volume.point / "计划"
    area.mkdir()
    os.link(_written(area / "a"), volume.point / "alias")
    (area / "b").touch()
    with (
        (area / "b").open("w") as output,
        subprocess.Popen(["cat"], cwd=area, stdin=subprocess.PIPE, stdout=output) as holder,
    ):
        facts = look(area)
        assert holder.stdin is not None
        holder.stdin.close()
    assert facts.mount is not None
    assert (facts.mount.fstype, facts.mount.point) == (volume.fstype, str(volume.point))
    assert {(held.pid, held.how) for held in facts.holders} >= {(holder.pid, "open"), (holder.pid, "inside")}
    plan = plan_area(facts)
    assert (plan.path, plan.inner, plan.sharing) == (str(area), "/计划", "dedicated")
    assert plan.st_dev == area.stat().st_dev
    assert {"held", "links"} <= {notice.code for notice in plan.notices}


@pytest.mark.kernel
def test_real_places_that_cannot_be_protected(ext4: volume_image.Volume, tmpfs: Path) -> None:
    area, file, link = ext4.point / "area", _written(ext4.point / "file"), ext4.point / "link"
    area.mkdir()
    link.symlink_to(area)
    for path, reason in (
        (ext4.point / "missing", "missing"),
        (file, "not-a-directory"),
        (link, "link"),
        (Path("/proc/self"), "link"),
        (Path("/proc"), "vital-path"),
        (Path(sys.prefix), "vital-path"),
        (Path("/srv"), "vital-filesystem"),
        (ext4.point, "mounted-inside"),
    ):
        with pytest.raises(UnprotectableError) as refused:
            plan_area(look(path))
        assert refused.value.reason == reason
    with pytest.raises(UnprotectableError) as own:
        plan_area(look(area, home=str(ext4.point / "agent")))
    assert own.value.reason == "vital-filesystem"
    assert [notice.code for notice in plan_area(look(tmpfs)).notices if notice.code == "volatile"]


@pytest.mark.kernel
def test_a_hidden_area_is_planned_below_its_cover(ext4: volume_image.Volume) -> None:
    area = ext4.point / "area"
    area.mkdir()
    _written(area / "a")
    before = plan_area(look(area))
    mounting.hide(str(ext4.point))
    facts = look(area)
    assert facts.survey.files == 1
    assert plan_area(facts) == before


ALL = marks.accesses("A")


class Groups:
    """An open and an access group, read in one thread-less way: who opens is a child process, we answer ALLOW."""

    def __init__(self) -> None:
        self.open, self.access = fanotify.init(), fanotify.init()

    def seen(self, command: list[str | Path]) -> set[tuple[str, str]]:
        """Run *command* to its end and return (group, path) of what was asked meanwhile."""
        asked = set()
        groups = {self.open: "open", self.access: "access"}
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as child:
            ended = os.pidfd_open(child.pid)
            try:
                while ended not in (ready := select.select([ended, *groups], [], [], 10)[0]):
                    assert ready, "nothing happened for ten seconds"
                    for group in groups.keys() & set(ready):
                        for fd, _ in fanotify.events(os.read(group, 4096)):
                            asked.add((groups[group], os.readlink(f"/proc/self/fd/{fd}")))
                            fanotify.respond(group, fd, fanotify.FAN_ALLOW)
                            os.close(fd)
            finally:
                child.kill()
                os.close(ended)
        assert child.returncode == 0
        return asked

    def close(self) -> None:
        os.close(self.open)
        os.close(self.access)


@contextmanager
def protected(plan: AreaPlan, access: int = ALL) -> Iterator[Groups]:
    groups = Groups()
    try:
        marks.prepare(plan)
        marks.place(groups.open, groups.access, marks.marks(plan, mountinfo.table(), access=access))
        yield groups
    finally:
        groups.close()
        mounting.unbind(plan.path)


@pytest.mark.kernel
def test_on_a_dedicated_volume_everything_is_asked_about(volume: volume_image.Volume) -> None:
    area = volume.point / "area"
    area.mkdir()
    file, beside = _written(area / "a"), _written(volume.point / "beside")
    alias = volume.point / "alias"
    os.link(file, alias)
    with protected(plan_area(look(area))) as groups:
        assert groups.seen(["cat", file]) == {("open", str(file)), ("access", str(file))}
        assert ("open", str(area)) in groups.seen(["ls", area])
        assert ("open", str(beside)) in groups.seen(["cat", beside])
        assert ("open", str(alias)) in groups.seen(["cat", alias])


@pytest.mark.kernel
def test_on_a_shared_filesystem_bystanders_cost_nothing_and_no_way_in_is_missed(volume: volume_image.Volume) -> None:
    area, other = volume.point / "area", volume.point / "other"
    area.mkdir()
    other.mkdir()
    file, bystander = _written(area / "a"), _written(other / "b")
    early = volume.folder / "early"
    early.mkdir()
    subprocess.run(["mount", "--bind", volume.point, early], check=True)
    with protected(plan_area(look(area), sharing="shared")) as groups:
        assert groups.seen(["cat", bystander]) == set()
        assert groups.seen(["ls", other]) == set()
        assert ("access", str(file)) in groups.seen(["cat", file])
        assert ("open", str(early / "area" / "a")) in groups.seen(["cat", early / "area" / "a"])
        for trick in (
            ["unshare", "-Urm", "cat", file],
            ["unshare", "-m", "sh", "-c", 'umount "$1" && cat "$1/a"', "sh", area],
            ["unshare", "-m", "sh", "-c", 'mount --bind "$1" "$2" && cat "$2/area/a"', "sh", volume.point, other],
        ):
            assert {group for group, _ in groups.seen(trick)} == {"open", "access"}, trick


@pytest.mark.kernel
def test_an_exemption_for_a_mount_that_is_no_longer_on_top_is_left_out(ext4: volume_image.Volume) -> None:
    area = ext4.point / "area"
    area.mkdir()
    bystander = _written(ext4.point / "bystander")
    plan = plan_area(look(area), sharing="shared")
    groups = Groups()
    try:
        marks.prepare(plan)
        requests = marks.marks(plan, mountinfo.table(), access=ALL)
        stale = [replace(request, mount=request.mount and request.mount + 100_000) for request in requests]
        marks.place(groups.open, groups.access, stale)
        assert ("open", str(bystander)) in groups.seen(["cat", bystander])
    finally:
        groups.close()


@pytest.mark.kernel
def test_a_hidden_area_is_marked_before_it_is_shown(ext4: volume_image.Volume) -> None:
    area = ext4.point / "area"
    area.mkdir()
    file = _written(area / "a")
    plan = plan_area(look(area))
    for door in planning.doors(plan, mountinfo.table()):
        mounting.hide(door)
    with protected(plan) as groups:
        assert mounting.unhide(str(area))
        assert ("open", str(file)) in groups.seen(["cat", file])


@pytest.mark.kernel
def test_removed_marks_ask_nobody(ext4: volume_image.Volume) -> None:
    area = ext4.point / "area"
    area.mkdir()
    file = _written(area / "a")
    plan = plan_area(look(area), sharing="shared")
    with protected(plan) as groups:
        for _ in range(2):  # removing what is gone is done, too
            marks.place(groups.open, groups.access, marks.unmarks(plan, mountinfo.table(), access=ALL))
        assert groups.seen(["cat", file]) == set()


@pytest.mark.kernel
def test_a_plan_that_no_longer_fits_the_filesystem_is_refused(ext4: volume_image.Volume) -> None:
    area = ext4.point / "area"
    area.mkdir()
    plan = plan_area(look(area))
    mounting.mount("shoumi-test", str(area), "tmpfs", 0, "size=1m")
    groups = Groups()
    try:
        with pytest.raises(marks.RefusedError):
            marks.place(groups.open, groups.access, marks.marks(plan, mountinfo.table(), access=ALL))
    finally:
        groups.close()


@pytest.mark.kernel
def test_opens_alone_are_asked_about_where_nothing_else_can_be(tmpfs: Path) -> None:
    file = _written(tmpfs / "a")
    with protected(plan_area(look(tmpfs)), marks.accesses("C")) as groups:
        assert groups.seen(["cat", file]) == {("open", str(file))}


@pytest.mark.kernel
def test_reads_of_files_and_of_directories_are_asked_about_where_writes_cannot_be(tmpfs: Path) -> None:
    file = _written(tmpfs / "a")
    with protected(plan_area(look(tmpfs)), marks.accesses("A-read")) as groups:
        assert groups.seen(["cat", file]) == {("open", str(file)), ("access", str(file))}
        assert ("access", str(tmpfs)) in groups.seen(["ls", tmpfs])
        assert groups.seen(["dd", "if=/dev/zero", f"of={file}", "count=1", "conv=notrunc"]) == {("open", str(file))}


@pytest.mark.kernel
def test_on_a_shared_filesystem_bystanders_cost_nothing_where_only_reads_are_asked_about(
    ext4: volume_image.Volume,
) -> None:
    area, other = ext4.point / "area", ext4.point / "other"
    area.mkdir()
    other.mkdir()
    file, bystander = _written(area / "a"), _written(other / "b")
    with protected(plan_area(look(area), sharing="shared"), marks.accesses("B-read")) as groups:
        assert groups.seen(["cat", bystander]) == set()
        assert groups.seen(["ls", other]) == set()
        assert groups.seen(["cat", file]) == {("open", str(file)), ("access", str(file))}
        for trick in (
            ["unshare", "-Urm", "cat", file],
            ["unshare", "-m", "sh", "-c", 'umount "$1" && cat "$1/a"', "sh", area],
        ):
            assert {group for group, _ in groups.seen(trick)} == {"open", "access"}, trick


@pytest.mark.kernel
def test_gathering_again_at_a_start_does_not_walk_and_plans_the_same(ext4: volume_image.Volume) -> None:
    area = ext4.point / "area"
    area.mkdir()
    _written(area / "a")
    machine = survey.look_around("/var/lib/shoumi")
    again = look(area, inside=False, machine=machine)
    assert again.survey == labels.LabelReport()
    assert plan_area(again) == replace(plan_area(look(area)), notices=())


def _written(path: Path) -> Path:
    path.write_text("content")
    return path
