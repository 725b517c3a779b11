"""The part of a sheet that scrolls, so that what stands above and below it always has room.

Rules of this file: a question, its field and what is wrong with the answer are never pushed off the screen by what the
question is about.
"""

from textual.containers import VerticalScroll
from textual.geometry import Size

_FRAME = 2  # lines of the border around the sheet
_LEAST = 3


class ScrollArea(VerticalScroll):
    """As high as what is in it, but leaves its siblings theirs. Its parent has a border and may fill the screen."""

    DEFAULT_CSS = "ScrollArea { height: auto; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the height: what it would like, as far as there is room."""
        wanted = super().get_content_height(container, viewport, width)
        rest = sum(
            one.get_content_height(container, viewport, width) + one.styles.gutter.height + one.styles.margin.height
            for one in self.siblings
            if one.display
        )
        return max(_LEAST, min(wanted, viewport.height - _FRAME - rest))
