"""All parsers in one table."""

from tests.fuzz import from_disk, from_kernel, from_network
from tests.fuzz.parser import Parser

PARSERS: dict[str, Parser] = {
    one.name: one for one in (*from_network.PARSERS, *from_kernel.PARSERS, *from_disk.PARSERS)
}
