"""An asyncio server on an existing listening socket, the same on every Python version.

Rules of this file: the name of the socket belongs to the code that bound it. Since 3.13 asyncio looks up and removes it
(``cleanup_socket``): with a path through ``/proc/self/fd``, as a long home needs, it finds nothing and fails.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def serve_unix(accept: Accept, listening: socket.socket, limit: int) -> asyncio.Server:
    """Pass every connection to *accept*; a line longer than *limit* bytes is an error for its reader."""
    if sys.version_info >= (3, 13):
        server = await asyncio.start_unix_server(accept, sock=listening, limit=limit, cleanup_socket=False)
    else:
        server = await asyncio.start_unix_server(accept, sock=listening, limit=limit)
    return server
