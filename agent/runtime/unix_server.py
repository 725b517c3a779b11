"""An asyncio server on a listening socket that is there already, the same on every Python.

Rules of this file: the name of the socket belongs to whoever bound it. Since 3.13 asyncio looks for it and removes it
(``cleanup_socket``): by a path through ``/proc/self/fd``, as a long home needs, it finds nothing and gives up.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def serve_unix(accept: Accept, listening: socket.socket, limit: int) -> asyncio.Server:
    """Hand every connection to *accept*; a line longer than *limit* bytes is an error of its reader."""
    if sys.version_info >= (3, 13):
        server = await asyncio.start_unix_server(accept, sock=listening, limit=limit, cleanup_socket=False)
    else:
        server = await asyncio.start_unix_server(accept, sock=listening, limit=limit)
    return server
