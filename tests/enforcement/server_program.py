"""A file server for tests, as a process: ``python -m tests.enforcement.server_program``, JSON lines in and out.

Rules of this file: a request names the thread that does it and the identity it takes first; without one it stays who it
is, as a pool thread of smbd does. It is root without a login, as servers are. It ends with its input.
"""

import contextlib
import ctypes
import json
import os
import queue
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from tests.enforcement import syscalls
from tests.enforcement.uring import ASYNC, Ring

_SETRESUID = {"x86_64": 117, "aarch64": 147}.get(os.uname().machine, -1)
_libc = ctypes.CDLL(None, use_errno=True)
_rings = threading.local()


def _ring() -> Ring:
    if not hasattr(_rings, "made"):
        _rings.made = Ring()
    return _rings.made


def as_smbd(uid: int) -> None:
    """Take *uid* as smbd does: real and effective, of this thread alone, root's saved one behind it."""
    _libc.syscall(_SETRESUID, 0, 0, 0)
    if _libc.syscall(_SETRESUID, uid, uid, -1):
        raise PermissionError(1, "setresuid")


def by_fsuid(uid: int) -> None:
    """Take *uid* for files alone, as an NFS server in user space does."""
    syscalls.set_fs_ids(uid)


_HOW = {"smbd": as_smbd, "setfsuid": by_fsuid}


def _do(asked: dict[str, Any]) -> Any:
    if asked.get("uid") is not None:
        _HOW[asked["how"]](asked["uid"])
    match asked["do"]:
        case "open":
            flags = asked.get("flags", 0)
            return os.open(asked["path"], flags if flags & os.O_DIRECTORY else flags | os.O_RDWR, 0o666)
        case "ring-open":
            return _ring().open(asked["path"], flags=ASYNC)
        case "ring-open-as":  # with the credentials of `other`, by a thread that is `uid` when it asks
            _HOW[asked["how"]](asked["other"])
            number = _ring().personality()
            _HOW[asked["how"]](asked["uid"])
            return _ring().open(asked["path"], personality=number)
        case "read":
            return len(os.pread(asked["fd"], 512, 0))
        case "ring-read":
            return len(_ring().read(asked["fd"], 512, flags=ASYNC))
        case "list":
            return sorted(os.listdir(asked["fd"]))
        case "write":
            return os.pwrite(asked["fd"], b"x", 0)
        case "close":
            return os.close(asked["fd"])
        case "pass":  # to whoever listens there
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
                end.connect(asked["at"])
                socket.send_fds(end, [b"."], [asked["fd"]])
            return None
        case "take":
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
                listener.bind(asked["at"])
                os.chmod(asked["at"], 0o777)
                listener.listen()
                print(json.dumps({"value": "listens"}), flush=True)
                end, _ = listener.accept()
                with end:
                    return socket.recv_fds(end, 1, 1)[1][0]
        case "exec":  # another program in the same process, which keeps the descriptor
            os.set_inheritable(asked["fd"], True)
            os.execv(sys.executable, [sys.executable, "-c", asked["program"], str(asked["fd"])])
    raise ValueError(asked["do"])


def _serve(requests: "queue.Queue[dict[str, Any]]", lock: threading.Lock) -> None:
    while True:
        asked = requests.get()
        try:
            answer = {"value": _do(asked)}
        except OSError as error:
            answer = {"error": __import__("errno").errorcode.get(error.errno or 0, str(error))}
        with lock:
            print(json.dumps(answer), flush=True)


def main() -> None:
    with contextlib.suppress(OSError):
        if Path("/proc/self/loginuid").read_text() != "4294967295":
            Path("/proc/self/loginuid").write_text("4294967295")
    os.umask(0)
    threads: dict[str, queue.Queue[dict[str, Any]]] = {}
    lock = threading.Lock()
    for line in sys.stdin:
        asked = json.loads(line)
        name = asked["thread"]
        if name not in threads:
            threads[name] = queue.Queue()
            threading.Thread(target=_serve, args=(threads[name], lock), daemon=True).start()
        threads[name].put(asked)


if __name__ == "__main__":
    main()
