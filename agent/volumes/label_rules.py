"""Label rules: the new label of one inode, by its state. Pure.

Rules of this file: on a dedicated volume every inode carries a label, of an area or the public one. The label of an
existing area is never changed. An inode with content and no label gets one only before the volume is sealed (``seal``),
or by order of an officer (``mend``); afterwards (``scan``) it stays without label, and closed. An inode without content
may be labelled at any time, and an inode in an area may get the label of that area in place of the public one: both
reduce access, or change nothing.
"""

from collections.abc import Collection
from typing import Literal, NamedTuple

from agent.kernel.labels import PUBLIC, area_of

Tour = Literal["seal", "scan", "mend"]
Kind = Literal["kept", "new", "entered", "unlabelled", "foreign"]


class LabelSeen(NamedTuple):
    """The state of one inode: its label, the area it is in, and the area of the nearest labelled directory above it.

    ``place`` and ``above`` are "" for none. ``empty``: a directory, a special file, or a file without content.
    """

    label: str | None
    place: str
    above: str
    empty: bool


class LabelStep(NamedTuple):
    """The kind of an inode, and the label to write, ``None`` for none.

    ``kept``: correctly labelled. ``new``: no content and no label. ``entered``: in an area, with the public label.
    ``unlabelled``: content and no label. ``foreign``: the label of an area that does not exist, or a damaged label;
    access is denied.
    """

    kind: Kind
    write: str | None = None


def judge(inode: LabelSeen, areas: Collection[str], tour: Tour) -> LabelStep:
    """Return the kind of an inode, and the label it gets on a *tour*. *areas* are the existing areas."""
    above = (
        inode.above if tour != "mend" or inode.above in areas else ""
    )  # the label of a missing area is never passed on
    due = inode.place or above or PUBLIC
    if inode.label is None:
        if inode.empty:
            return LabelStep("new", due)
        return LabelStep("unlabelled", None if tour == "scan" else due)
    if area := area_of(inode.label):
        return LabelStep("kept") if area in areas else LabelStep("foreign", due if tour == "mend" else None)
    return LabelStep("entered", inode.place) if inode.place else LabelStep("kept")
