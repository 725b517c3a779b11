"""What a command line said, and the shape of what runs one."""

from collections.abc import Callable
from typing import NamedTuple


class Said(NamedTuple):
    code: int
    out: str
    err: str


Shoumi = Callable[..., Said]
