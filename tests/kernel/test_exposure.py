"""What must be covered, from mount tables alone: an area is closed until it is proven guarded."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.kernel import mounting
from agent.kernel.cover import GuardedPlace
from agent.kernel.exposure import Exposure, exposures
from agent.kernel.mountinfo import Device, Mount, MountTree, prefixes, resolve

ROOT = Mount(1, 0, (8, 1), "/", "/", frozenset({"rw"}), (), "ext4", "/dev/sda1", frozenset({"rw"}))
VOLUME: Device = (8, 2)
OTHER: Device = (8, 3)
PLANS = GuardedPlace("plans", "/srv/vol/plans", "/srv/vol", alone=True, doors=("/srv/vol",))
SHARED = GuardedPlace("drafts", "/home/drafts", "/home/drafts", alone=False, doors=("/home/drafts",))


def row(
    number: int, point: str, parent: int = 1, device: Device = VOLUME, root: str = "/", kind: str = "ext4"
) -> Mount:
    return replace(ROOT, id=number, parent=parent, point=point, root=root, device=device, fstype=kind)


def cover(number: int, point: str, parent: int = 1) -> Mount:
    return replace(row(number, point, parent, (0, 50), kind="tmpfs"), source=mounting.HIDDEN)


def exposed(
    *rows: Mount, place: GuardedPlace = PLANS, guarded: tuple[Device, ...] = (VOLUME,)
) -> list[tuple[str, str]]:
    return [(found.path, found.why) for found in exposures((ROOT, *rows), (place,), guarded)]


def test_a_guarded_volume_is_not_covered() -> None:
    assert exposed(row(2, "/srv/vol")) == []


def test_the_same_volume_without_a_mark_is_covered_whole() -> None:
    assert exposed(row(2, "/srv/vol"), guarded=()) == [("/srv/vol", "unguarded")]


def test_another_filesystem_in_its_place_is_covered_whole() -> None:
    assert exposed(row(2, "/srv/vol", device=OTHER)) == [("/srv/vol", "unguarded")]


def test_what_is_mounted_over_the_area_is_covered() -> None:
    assert exposed(row(2, "/srv/vol"), row(3, "/srv/vol/plans", 2, OTHER)) == [("/srv/vol/plans", "unguarded")]


def test_what_is_mounted_in_the_area_is_covered() -> None:
    assert exposed(row(2, "/srv/vol"), row(3, "/srv/vol/plans/x", 2, OTHER)) == [("/srv/vol/plans/x", "inside")]


def test_a_guarded_volume_bound_into_the_area_is_not_covered() -> None:
    assert exposed(row(2, "/srv/vol"), row(3, "/srv/vol/plans/x", 2, VOLUME)) == []


def test_a_cover_is_not_covered_again() -> None:
    assert exposed(row(2, "/srv/vol"), cover(3, "/srv/vol", 2), guarded=()) == []
    assert exposed(row(2, "/srv/vol"), row(3, "/srv/vol/plans/x", 2, OTHER), cover(4, "/srv/vol/plans/x", 3)) == []


def test_a_filesystem_mounted_over_our_cover_is_covered() -> None:
    rows = row(2, "/srv/vol"), cover(3, "/srv/vol", 2), row(4, "/srv/vol", 3, OTHER)
    assert exposed(*rows, guarded=()) == [("/srv/vol", "unguarded")]


def test_where_the_volume_is_not_mounted_only_a_directory_of_that_name_is_looked_for() -> None:
    assert exposed() == [("/srv/vol/plans", "beneath")]


def test_an_automount_point_is_left_alone() -> None:
    assert exposed(row(2, "/srv/vol", kind="autofs", device=OTHER)) == []


def test_a_shared_area_that_lost_its_border_is_covered() -> None:
    home = row(2, "/home")
    assert exposed(home, row(3, "/home/drafts", 2, root="/drafts"), place=SHARED) == []
    assert exposed(home, place=SHARED) == [("/home/drafts", "unbound")]


POINTS = st.sampled_from(["/srv", "/srv/vol", "/srv/vol/plans", "/srv/vol/plans/a", "/srv/vol/other", "/mnt"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[Mount, ...]:
    """Mount on mount, as mount(2) would: each sits on the one a lookup of its point ends on."""
    rows = [ROOT]
    for number in range(2, 2 + draw(st.integers(0, 6))):
        point, device = draw(POINTS), draw(st.sampled_from([VOLUME, OTHER, (8, 4)]))
        below = resolve(point, rows)
        assert below is not None
        rows.append(row(number, point, below.id, device))
    return tuple(rows)


@given(tables(), st.sets(st.sampled_from([VOLUME, OTHER])))
def test_after_covering_nothing_unguarded_is_left_at_the_area_or_in_it(
    rows: tuple[Mount, ...], guarded: set[Device]
) -> None:
    done = list(rows)
    for found in exposures(rows, (PLANS,), guarded):
        top = resolve(found.path, done)
        assert top is not None
        done.append(cover(len(done) + 100, found.path, top.id))
    again = exposures(done, (PLANS,), guarded)
    assert again == ()
    top = resolve(PLANS.path, done)
    assert top is not None
    assert mounting.is_cover(top) or top.device in guarded


@given(tables(), st.sampled_from(["/", "/srv/vol/plans/a/b", "/srv/volume", "/mnt/x"]))
def test_the_tree_resolves_like_walking_every_row(rows: tuple[Mount, ...], path: str) -> None:
    here: Mount | None = ROOT
    while here is not None:
        crossed = [r for r in rows if r.parent == here.id != r.id and r.point in prefixes(path)]
        if not crossed:
            break
        here = min(crossed, key=lambda r: len(r.point))
    assert MountTree(rows).resolve(path) == here


def test_exposures_are_named_once() -> None:
    twice = (PLANS, PLANS._replace(area="more", path="/srv/vol/more"))
    found = exposures((ROOT, row(2, "/srv/vol")), twice, ())
    assert found == (Exposure("/srv/vol", "plans", VOLUME, "unguarded"),)
