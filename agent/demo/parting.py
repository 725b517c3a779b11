"""End of a child with its parent.

Source: PR_SET_PDEATHSIG(2const). The kernel clears the setting when credentials change, so it is made after that.
"""

import ctypes

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def end_with_parent(number: int) -> None:
    """Have the kernel send signal *number* to this process when the thread that started it ends."""
    _prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
