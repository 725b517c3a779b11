"""Which mounts may be ignored: never one through which a file of an area is reached."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.kernel import fanotify, mountinfo
from agent.kernel.mountinfo import Mount
from agent.volumes import marks
from agent.volumes.planning import AreaPlan, plan_area
from rules.tiers import ORDER, Use, cuts
from tests.volumes.machine import DATA, GOOD, ROOT

ALL = marks.accesses("A")
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
    wanted = marks.marks(plan, rows, access=ALL)
    added = {request.mount for request in wanted if request.mount and not request.removes}
    removed = {request.mount for request in wanted if request.removes}
    assert (added, removed) == ({2, 5}, {3, 4})


def test_a_second_area_takes_back_the_exemption_of_a_mount_that_reaches_it() -> None:
    bound = replace(DATA, id=3, parent=2, point="/srv/data/plans", root="/plans")
    plan = AreaPlan("/srv/data/plans", "/plans", (8, 2), 2050, "ext4", "shared")
    other = replace(plan, path="/srv/data/drawings", inner="/drawings")
    wanted = marks.marks(plan, (ROOT, DATA, bound), [other], access=ALL)
    assert {request.mount for request in wanted if request.removes} == {2, 3}


def test_marks_of_a_filesystem_stay_while_another_area_lies_on_it() -> None:
    plan = plan_area(GOOD)
    other = replace(plan, path="/srv/data/drawings", inner="/drawings")
    assert marks.unmarks(plan, GOOD.mounts, [other], access=ALL) == ()
    assert all(request.removes for request in marks.unmarks(plan, GOOD.mounts, access=ALL))


def test_protection_is_never_a_mount_mark() -> None:
    for sharing in ("dedicated", "shared"):
        plan = AreaPlan("/srv/data/plans", "/plans", (8, 2), 2050, "ext4", sharing)  # type: ignore[arg-type]
        for request in marks.marks(plan, (ROOT, DATA), access=ALL):
            on_mount = bool(request.flags & fanotify.FAN_MARK_MOUNT)
            assert on_mount == bool(request.flags & fanotify.FAN_MARK_IGNORED_MASK)
            assert on_mount != bool(request.flags & fanotify.FAN_MARK_FILESYSTEM)


def test_a_tier_asks_for_what_it_cuts_and_for_nothing_a_kernel_without_it_would_refuse() -> None:
    plan = plan_area(GOOD)
    for tier in ORDER:
        wanted = marks.marks(plan, GOOD.mounts, access=marks.accesses(tier))
        asked = [request.mask for request in wanted if request.group == "access"]
        shown = marks.tier_of(sum(asked), "dedicated" if tier.startswith("A") else "shared")
        assert shown == (tier if cuts(tier, Use.READ) else "C")
        assert len(wanted) == 1 + len(asked)
