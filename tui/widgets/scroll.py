"""Scrolling area of a dialog, which leaves room for the widgets above and below it.

Rules of this file: a prompt, its field and its error are never pushed off the screen by the content between them.
"""

from textual.containers import VerticalScroll
from textual.geometry import Size

_FRAME = 2  # lines of the border around the dialog
_LEAST = 3


class ScrollArea(VerticalScroll):
    """As high as its content, as far as its siblings leave room. Its parent has a border and may fill the screen."""

    DEFAULT_CSS = "ScrollArea { height: auto; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the height of the content, as far as there is room."""
        wanted = super().get_content_height(container, viewport, width)
        siblings_height = sum(
            sibling.get_content_height(container, viewport, width)
            + sibling.styles.gutter.height
            + sibling.styles.margin.height
            for sibling in self.siblings
            if sibling.display
        )
        return max(_LEAST, min(wanted, viewport.height - _FRAME - siblings_height))
