"""Planning the protection of a directory: facts in, a plan or a refusal out. Pure.

Two shapes of plan:

* **dedicated**: the filesystem holds documents only. One filesystem mark covers it; other filesystems have no overhead
  (tiers A, A-read and C).
* **shared**: people also work on the filesystem (``/home``). The directory is bound onto itself, so that its border is
a
  mount border that no link or rename crosses, and every mount that cannot reach an area is exempt (tiers B, B-read and
  C).

Rules of this file: a reason to refuse outweighs every reason to accept (``unprotectable``). Existing links, open
descriptors and foreign labels do not prevent protection; they are reported as notices.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from agent.kernel.mountinfo import Device, Mount, self_bind, siblings, within
from agent.volumes.facts import UnprotectableError, VolumeFacts
from agent.volumes.refusals import refusal
from rules.text import Message, Sentence
from rules.visible import visible

Sharing = Literal["dedicated", "shared"]


@dataclass(frozen=True, slots=True)
class PlanNotice:
    """A notice to the officer about a directory that can be protected. ``code`` is a word for programs."""

    code: str
    text: Sentence
    hint: Sentence | None = None


@dataclass(frozen=True, slots=True)
class AreaPlan:
    """The plan for protecting one directory.

    ``inner`` is its path inside its filesystem, whose device is ``device`` in mountinfo and ``st_dev`` in stat(2).
    """

    path: str
    inner: str
    device: Device
    st_dev: int
    fstype: str
    sharing: Sharing
    notices: tuple[PlanNotice, ...] = ()

    @property
    def dedicated(self) -> bool:
        """Whether the filesystem holds documents only."""
        return self.sharing == "dedicated"


def plan_area(facts: VolumeFacts, *, sharing: Sharing | None = None, accept_links: bool = False) -> AreaPlan:
    """Return the plan for protecting the directory of *facts*.

    Raises :class:`UnprotectableError` with the reason when that cannot be.

    *sharing* overrides the detected sharing. *accept_links*: protect a directory on a shared filesystem although files
    of it have hard links outside; they stay reachable there.
    """
    if reason := refusal(facts):
        raise reason
    assert facts.mount is not None, "refusal() has seen to it"
    chosen = sharing or sharing_of(facts)
    if chosen == "shared" and facts.survey.link_count and not accept_links:
        raise _leaking_links(facts)
    return AreaPlan(
        path=facts.path,
        inner=facts.mount.inner(facts.path) or "/",
        device=facts.mount.device,
        st_dev=facts.st_dev,
        fstype=facts.mount.fstype,
        sharing=chosen,
        notices=tuple(_notices(facts, chosen)),
    )


def doors(plan: AreaPlan, rows: Iterable[Mount]) -> tuple[str, ...]:
    """Return every path that must be covered to make the area unreachable, through every mount of its filesystem.

    A dedicated volume is covered whole: a file moved out of the area is still a file of the area.
    """
    views = [row for row in rows if row.device == plan.device]
    if plan.dedicated:
        return tuple(dict.fromkeys(row.point for row in views))
    paths = [row.outer(plan.inner) or (row.point if within(row.root, plan.inner) else None) for row in views]
    return tuple(dict.fromkeys(path for path in paths if path))


def sharing_of(facts: VolumeFacts) -> Sharing:
    """Return the sharing of the filesystem: shared when people work on it, or when an area on it already is."""
    assert facts.mount is not None
    device = facts.mount.device
    busy = any(place.device == device for place in facts.busy)
    points = {row.point for row in siblings(facts.mount, facts.mounts)}
    bound = points.intersection((facts.path, *(path for _, path in facts.areas)))
    tops = (self_bind(path, facts.mounts) for path in bound)
    return "shared" if busy or any(top and top.device == device for top in tops) else "dedicated"


def _leaking_links(facts: VolumeFacts) -> UnprotectableError:
    count, first = facts.survey.link_count, visible(facts.survey.links[0].path)
    return UnprotectableError(
        "links",
        Message("volumes.links-outside-shared-area", count=count, first=first),
        Message("volumes.copy-files-or-accept-links"),
    )


def _notices(facts: VolumeFacts, sharing: Sharing) -> Iterator[PlanNotice]:
    assert facts.mount is not None
    if facts.holders:
        first = facts.holders[0]
        process = f"{first.pid} `{visible(first.comm)}`"
        yield PlanNotice(
            "held",
            Message("volumes.files-already-in-use", count=len(facts.holders), process=process),
            Message("volumes.end-holder-processes"),
        )
    if facts.unseen:
        yield PlanNotice(
            "unseen",
            Message("volumes.processes-not-inspected", count=facts.unseen),
        )
    if facts.survey.link_count:
        first_link = visible(facts.survey.links[0].path)
        yield PlanNotice(
            "links",
            Message("volumes.links-outside-area", count=facts.survey.link_count, first_link=first_link),
        )
    if facts.survey.strange_count:
        path, area = facts.survey.strange[0]
        yield PlanNotice(
            "strange-labels",
            Message(
                "volumes.labels-of-another-area",
                count=facts.survey.strange_count,
                path=path,
                area=area,
            ),
        )
    for path, exporter in facts.exports:
        if within(path, facts.mount.point):
            yield PlanNotice(
                "exported-beside",
                Message("volumes.same-filesystem-exported", path=path, exporter=exporter),
            )
    aliases = [mount for mount in siblings(facts.mount, facts.mounts) if mount.point != facts.path]
    if len(aliases) > 1:
        points = ", ".join(f"`{visible(mount.point)}`" for mount in aliases[:5])
        yield PlanNotice("aliases", Message("volumes.filesystem-mounted-several-times", points=points))
    if sharing == "shared":
        yield PlanNotice(
            "shared",
            Message("volumes.filesystem-shared"),
            Message("volumes.use-dedicated-volume"),
        )
    if facts.mount.fstype == "tmpfs":
        yield PlanNotice("volatile", Message("volumes.content-lost-at-restart"))
