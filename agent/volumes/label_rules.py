"""What becomes of the label of one inode, by what is seen of it. Pure.

Rules of this file: on a dedicated volume every inode carries a label, an area's or the public one. The label of an area
that exists is never changed. What has content and no label gets one only while nothing was sealed yet (``seal``), or by
the word of an officer (``mend``); afterwards (``scan``) it stays without, and closed. What has no content yet may be
labelled whenever it is met, and what lies in an area may get that area's label instead of the public one: both take
away, or change nothing.
"""

from collections.abc import Collection
from typing import Literal, NamedTuple

from agent.kernel.labels import PUBLIC, area_of

Tour = Literal["seal", "scan", "mend"]
Kind = Literal["kept", "new", "entered", "unlabelled", "foreign"]


class LabelSeen(NamedTuple):
    """One inode: its label, the area it lies in, and the area that labels the nearest labelled folder above it.

    ``place`` and ``above`` are "" for none. ``empty``: a directory, a special file, or a file without content.
    """

    label: str | None
    place: str
    above: str
    empty: bool


class LabelStep(NamedTuple):
    """What it is, and the label to write, ``None`` for nothing.

    ``kept``: labelled as it should be. ``new``: nothing in it yet, and no label. ``entered``: it came into an area with
    the public label. ``unlabelled``: content and no label. ``foreign``: the label of no area that exists, or a damaged
    one; nobody is let in.
    """

    kind: Kind
    write: str | None = None


def judge(seen: LabelSeen, areas: Collection[str], tour: Tour) -> LabelStep:
    """Return what an inode is, and which label it gets on a *tour*. *areas* are those that exist."""
    above = seen.above if tour != "mend" or seen.above in areas else ""  # an officer never hands on a label of nobody
    due = seen.place or above or PUBLIC
    if seen.label is None:
        if seen.empty:
            return LabelStep("new", due)
        return LabelStep("unlabelled", None if tour == "scan" else due)
    if area := area_of(seen.label):
        return LabelStep("kept") if area in areas else LabelStep("foreign", due if tour == "mend" else None)
    return LabelStep("entered", seen.place) if seen.place else LabelStep("kept")
