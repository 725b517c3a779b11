"""What can be protected soundly is protected; everything else is refused with its reason and a way out."""

import errno
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kernel import fanotify, labels, mountinfo, mounting
from agent.kernel.labels import HardLink, LabelReport
from agent.kernel.mountinfo import Mount
from agent.kernel.walk import WalkFailure
from agent.simulator import volume_image
from agent.volumes import marks, planning, survey
from agent.volumes.facts import MachinePath, PathHolder, UnprotectableError, VolumeFacts
from agent.volumes.planning import AreaPlan, plan_area
from agent.volumes.refusals import RULES

pytest_plugins = ("tests.volumes.fixture",)

RW = frozenset({"rw"})
ROOT = Mount(1, 0, (8, 1), "/", "/", RW, (), "ext4", "/dev/sda1", RW)
DATA = Mount(2, 1, (8, 2), "/", "/srv/data", RW, (), "ext4", "/dev/sdb1", RW)
GOOD = VolumeFacts(
    asked="/srv/data/plans",
    path="/srv/data/plans",
    st_dev=2050,
    mount=DATA,
    mounts=(ROOT, DATA),
    labels=True,
    vital=(
        MachinePath("/var/lib/shoumi", (8, 1), "home"),
        MachinePath("/usr/lib/python3", (8, 1), "python"),
        MachinePath("/", (8, 1), "system"),
        MachinePath("/run", (0, 20), "system"),
    ),
    busy=(MachinePath("/home", (8, 3), "busy"),),
    areas=(("drawings", "/srv/data/drawings"),),
)


def on(fstype: str, device: tuple[int, int] = (8, 2), **changed: object) -> VolumeFacts:
    mount = replace(DATA, fstype=fstype, device=device, **changed)  # type: ignore[arg-type]
    return replace(GOOD, mount=mount, mounts=(ROOT, mount))


BAD = {
    "missing": replace(GOOD, error=errno.ENOENT, mount=None),
    "not-a-directory": replace(GOOD, error=errno.ENOTDIR, mount=None),
    "unreachable": replace(GOOD, error=errno.EACCES, mount=None),
    "link": replace(GOOD, asked="/srv/plans"),
    "vital-path": replace(GOOD, vital=(MachinePath("/srv/data/plans/agent", (8, 2), "home"),)),
    "vital-path (inside)": replace(GOOD, vital=(MachinePath("/srv/data", (8, 2), "program"),)),
    "vital-filesystem": replace(GOOD, vital=(MachinePath("/var/log", (8, 2), "system"),)),
    "network": on("nfs4", (0, 50)),
    "network (fuse)": on("fuse.sshfs", (0, 50)),
    "network (fuse on a disk)": on("fuseblk"),
    "network (cluster)": on("ocfs2"),
    "overlay": on("overlay", (0, 50)),
    "pseudo": on("proc", (0, 50)),
    "pseudo (unknown)": on("frobfs", (0, 50)),
    "exported": replace(GOOD, exports=(("/srv/data", "NFS"),)),
    "exported (inside)": replace(GOOD, exports=(("/srv/data/plans/a", "ksmbd"),)),
    "overlap": replace(GOOD, areas=(("all", "/srv/data"),)),
    "overlap (inside)": replace(GOOD, areas=(("part", "/srv/data/plans/part"),)),
    "mounted-inside": replace(GOOD, mounts=(ROOT, DATA, replace(DATA, id=3, parent=2, point="/srv/data/plans/usb"))),
    "read-only": on("ext4", super_options=frozenset({"ro"})),
    "no-labels": replace(GOOD, labels=False),
    "unread": replace(
        GOOD, survey=LabelReport(trouble_count=1, troubles=(WalkFailure("/srv/data/plans/x", errno.EIO),))
    ),
}


def test_a_directory_of_a_data_volume_is_planned_without_a_word() -> None:
    assert plan_area(GOOD) == AreaPlan("/srv/data/plans", "/plans", (8, 2), 2050, "ext4", "dedicated")


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_protected_is_refused_with_reason_and_hint(name: str) -> None:
    with pytest.raises(UnprotectableError) as refused:
        plan_area(BAD[name])
    assert refused.value.reason == name.partition(" ")[0]
    for text in filter(None, (refused.value.text, refused.value.hint)):
        assert text.en[0] in "`0123456789" or text.en[0].islower()
        assert not text.en.endswith(".")
        assert any("\u4e00" <= character <= "\u9fff" for character in text.zh)


def test_every_rule_has_a_case_here() -> None:
    spoken = {next(rule for rule in RULES if rule(facts)) for facts in BAD.values()}
    assert spoken == set(RULES)


@given(st.sampled_from(sorted(BAD)), st.sampled_from(["dedicated", "shared", None]), st.booleans())
def test_no_option_of_the_officer_overrides_a_refusal(name: str, sharing: planning.Sharing | None, links: bool) -> None:
    with pytest.raises(UnprotectableError):
        plan_area(BAD[name], sharing=sharing, accept_links=links)


def test_foreign_names_in_a_refusal_are_made_visible() -> None:
    with pytest.raises(UnprotectableError) as refused:
        plan_area(replace(GOOD, error=errno.ENOENT, asked="/srv/\x1b[2J\u202e"))
    assert "\\x1b[2J\\u202e" in refused.value.text.en


def test_a_filesystem_people_work_on_is_shared() -> None:
    facts = replace(GOOD, busy=(MachinePath("/home", (8, 2), "busy"),))
    plan = plan_area(facts)
    assert plan.sharing == "shared"
    assert [notice.code for notice in plan.notices] == ["shared"]
    assert plan_area(facts, sharing="dedicated").dedicated


def test_a_filesystem_with_a_bound_area_stays_shared() -> None:
    bound = replace(DATA, id=3, parent=2, point="/srv/data/drawings", root="/drawings")
    assert plan_area(replace(GOOD, mounts=(ROOT, DATA, bound))).sharing == "shared"


def test_links_leading_out_are_refused_on_a_shared_filesystem_only() -> None:
    facts = replace(GOOD, survey=LabelReport(link_count=1, links=(HardLink("/srv/data/plans/a", 1, 2),)))
    assert [notice.code for notice in plan_area(facts).notices] == ["links"]
    with pytest.raises(UnprotectableError) as refused:
        plan_area(facts, sharing="shared")
    assert refused.value.reason == "links"
    accepted = plan_area(facts, sharing="shared", accept_links=True)
    assert [notice.code for notice in accepted.notices] == ["links", "shared"]


def test_what_was_open_before_is_told() -> None:
    facts = replace(GOOD, holders=(PathHolder(42, "vi\x1b", "open", "/srv/data/plans/a"),), unseen=3)
    held, unseen = plan_area(facts).notices
    assert (held.code, unseen.code) == ("held", "unseen")
    assert "42 `vi\\x1b`" in held.text.en


def test_export_tables_are_read_with_quotes_escapes_and_comments() -> None:
    text = b'# /no\n/srv/a *(rw)\n"/srv/b c" host\n/srv/d\\040e 10.0.0.0/8(ro)\n\n/srv/f/ \\\n  host(rw)\nrubbish\n'
    assert survey.exported_paths(text) == ("/srv/a", "/srv/b c", "/srv/d e", "/srv/f")
    assert survey.ksmbd_paths(b"[x]\n\tpath = /srv/x y \n; path = /no\npath=/z\n") == ("/srv/x y", "/z")


# --- which mounts may be ignored: never one through which a file of an area is reached -------------------------------

INNER = st.lists(st.sampled_from("ab"), max_size=3).map(lambda parts: "/" + "/".join(parts))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Mount, ...]:
    """A mount tree of one filesystem: each mount shows some directory of it at some place of an earlier mount."""
    rows = [replace(DATA, id=2, parent=1, point="/m")]
    for number in range(3, 3 + draw(st.integers(0, 4))):
        parent = draw(st.sampled_from(rows))
        point = mountinfo.join(parent.point, draw(INNER).lstrip("/"))
        rows.append(replace(DATA, id=number, parent=parent.id, point=point, root=draw(INNER)))
    return tuple(rows)


def reached(mount: Mount, rows: tuple[Mount, ...], inner: str) -> bool:
    """The long way: does a lookup of *inner* or of anything below, starting at *mount*, end on *mount* itself?"""
    below = [inner, *(mountinfo.join(inner, name) for name in ("a", "b", "a/a", "a/b", "b/a", "b/b", "a/a/a"))]
    covers = [row for row in rows if row.parent == mount.id]
    paths = [path for each in below if (path := mount.outer(each)) is not None]
    return any(not any(mountinfo.within(path, cover.point) for cover in covers) for path in paths)


@given(tables(), st.lists(INNER, min_size=1, max_size=2))
def test_no_ignored_mount_reaches_an_area(rows: tuple[Mount, ...], inners: list[str]) -> None:
    for mount in rows:
        if marks.ignorable(mount, rows, inners):
            assert not any(reached(mount, rows, inner) for inner in inners)


def test_the_mount_around_a_bound_area_is_ignored_and_an_alias_of_it_is_not() -> None:
    bound = replace(DATA, id=3, parent=2, point="/srv/data/plans", root="/plans")
    alias = replace(DATA, id=4, parent=1, point="/mnt")
    beside = replace(DATA, id=5, parent=1, point="/opt/tools", root="/tools")
    rows = (ROOT, DATA, bound, alias, beside)
    assert [row.id for row in rows[1:] if marks.ignorable(row, rows, ["/plans"])] == [2, 5]
    plan = AreaPlan("/srv/data/plans", "/plans", (8, 2), 2050, "ext4", "shared")
    wanted = marks.marks(plan, rows)
    added = {request.mount for request in wanted if request.mount and not request.removes}
    removed = {request.mount for request in wanted if request.removes}
    assert (added, removed) == ({2, 5}, {3, 4})


def test_a_second_area_takes_back_the_exemption_of_a_mount_that_reaches_it() -> None:
    bound = replace(DATA, id=3, parent=2, point="/srv/data/plans", root="/plans")
    plan = AreaPlan("/srv/data/plans", "/plans", (8, 2), 2050, "ext4", "shared")
    other = replace(plan, path="/srv/data/drawings", inner="/drawings")
    wanted = marks.marks(plan, (ROOT, DATA, bound), [other])
    assert {request.mount for request in wanted if request.removes} == {2, 3}


def test_marks_of_a_filesystem_stay_while_another_area_lies_on_it() -> None:
    plan = plan_area(GOOD)
    other = replace(plan, path="/srv/data/drawings", inner="/drawings")
    assert marks.unmarks(plan, GOOD.mounts, [other]) == ()
    assert all(request.removes for request in marks.unmarks(plan, GOOD.mounts))


def test_protection_is_never_a_mount_mark() -> None:
    for sharing in ("dedicated", "shared"):
        plan = AreaPlan("/srv/data/plans", "/plans", (8, 2), 2050, "ext4", sharing)  # type: ignore[arg-type]
        for request in marks.marks(plan, (ROOT, DATA)):
            on_mount = bool(request.flags & fanotify.FAN_MARK_MOUNT)
            assert on_mount == bool(request.flags & fanotify.FAN_MARK_IGNORE)
            assert on_mount != bool(request.flags & fanotify.FAN_MARK_FILESYSTEM)


def test_every_way_to_an_area_is_a_door() -> None:
    bound = replace(DATA, id=3, parent=2, point="/srv/data/plans", root="/plans")
    alias = replace(DATA, id=4, parent=1, point="/mnt")
    part = replace(DATA, id=5, parent=1, point="/export/part", root="/plans/part")
    beside = replace(DATA, id=6, parent=1, point="/opt/tools", root="/tools")
    rows = (ROOT, DATA, bound, alias, part, beside)
    plan = AreaPlan("/srv/data/plans", "/plans", (8, 2), 2050, "ext4", "shared")
    assert planning.doors(plan, rows) == ("/srv/data/plans", "/mnt/plans", "/export/part")
    assert "/opt/tools" in planning.doors(replace(plan, sharing="dedicated"), rows)


# --- on real volumes -------------------------------------------------------------------------------------------------


def look(path: Path, home: str = "/var/lib/shoumi", **known: object) -> VolumeFacts:
    return survey.gather(path, home, **known)  # type: ignore[arg-type]


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
def protected(plan: AreaPlan) -> Iterator[Groups]:
    groups = Groups()
    try:
        marks.prepare(plan)
        marks.place(groups.open, groups.access, marks.marks(plan, mountinfo.table()))
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
        requests = marks.marks(plan, mountinfo.table())
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
            marks.place(groups.open, groups.access, marks.unmarks(plan, mountinfo.table()))
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
            marks.place(groups.open, groups.access, marks.marks(plan, mountinfo.table()))
    finally:
        groups.close()


@pytest.mark.kernel
def test_a_tmpfs_is_marked_without_an_access_group(tmpfs: Path) -> None:
    file = _written(tmpfs / "a")
    plan = plan_area(look(tmpfs))
    groups = Groups()
    try:
        marks.place(groups.open, None, marks.marks(plan, mountinfo.table()))
        assert groups.seen(["cat", file]) == {("open", str(file))}
    finally:
        groups.close()


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
