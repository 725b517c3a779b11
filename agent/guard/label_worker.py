"""The label worker: a process beside the decider that reads and writes labels and looks places up (contract C13).

The loop that answers waits for its log and for nothing else. Whatever touches a guarded filesystem goes to this
process, with the event's own descriptor; a frozen or hung disk then stops one of its threads and nobody's answer.

Rules of this file: the decider forks it before it opens anything that must not outlive it (the log and its lock), and
gives it no fanotify group, so that a worker that sleeps in the kernel for ever keeps nothing but its own memory. The
decider asks only so many questions about one filesystem at a time (``parked``) that a thread is left for the others.
Messages are one packet each over a SOCK_SEQPACKET pair; a packet with number 0 asks whether it lives.
"""

import contextlib
import ctypes
import errno
import json
import os
import signal
import socket
import struct
from collections.abc import Iterator
from threading import Thread

from agent.guard.placing import AreaPlace, Placement, Places

_QUESTION = struct.Struct("=Qi")  # number, thread that waits
_ANSWER = struct.Struct("=QiQQq????H")  # number, errno, device, inode, changed, four flags, length of the label
ALIVE, AREAS, CLOSE = 0, 1, 2  # numbers that are no questions
FIRST = 16
_THREADS = 32  # each takes one question at a time
_LONGEST = 4096
_PR_SET_PDEATHSIG = 1


class LabelWorkerClient:
    """The decider's side. Nothing here waits."""

    def __init__(self, end: socket.socket, pid: int) -> None:
        end.setblocking(False)
        self._end = end
        self.pid = pid

    def fileno(self) -> int:
        """The descriptor to wait on for answers."""
        return self._end.fileno()

    def ask(self, number: int, fd: int, tid: int) -> bool:
        """Ask where *fd* lies; whether the question was taken."""
        return self._send(_QUESTION.pack(number, tid), fd)

    def close_there(self, fd: int) -> None:
        """Have a copy of *fd* closed in the worker: the last close of a deleted file takes as long as it is large."""
        self._send(_QUESTION.pack(CLOSE, 0), fd)

    def ping(self) -> bool:
        """Ask whether it lives; the answer comes with number :data:`ALIVE`."""
        return self._send(_QUESTION.pack(ALIVE, 0))

    def replace(self, areas: Iterator[AreaPlace] | list[AreaPlace]) -> bool:
        """Tell it where the areas are. Answers to earlier questions may rest on earlier areas."""
        page = os.memfd_create("shoumi-areas", os.MFD_CLOEXEC)
        try:
            os.write(page, json.dumps([list(area) for area in areas]).encode())
            return self._send(_QUESTION.pack(AREAS, 0), page)
        finally:
            os.close(page)

    def answers(self) -> Iterator[tuple[int, Placement]]:
        """Yield what has come by now. Raises :class:`EOFError` when the worker is gone."""
        while True:
            try:
                data = self._end.recv(_LONGEST)
            except BlockingIOError:
                return
            except OSError as error:
                raise EOFError from error
            if not data:
                raise EOFError
            yield _placement(data)

    def kill(self) -> None:
        """End it; one that sleeps in the kernel ends when it wakes."""
        self._end.close()
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, os.WNOHANG)
        except OSError:
            pass

    def _send(self, data: bytes, fd: int = -1) -> bool:
        try:
            if fd < 0:
                self._end.send(data)
            else:
                socket.send_fds(self._end, [data], [fd])
        except OSError:
            return False
        return True


def fork(keep_out: tuple[int, ...]) -> LabelWorkerClient:
    """Start the worker and return our end of it. It closes the descriptors *keep_out* before it does anything.

    Call it while the process has one thread and no lock that others wait for.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    pid = os.fork()
    if pid:
        theirs.close()
        return LabelWorkerClient(ours, pid)
    code = 1
    try:
        for fd in keep_out:
            os.close(fd)
        ours.close()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _serve(theirs)
        code = 0
    finally:
        os._exit(code)  # threads that sleep in the kernel are not waited for


def _serve(end: socket.socket) -> None:
    """Have every thread take questions; return when the decider is gone."""
    places = Places()
    for _ in range(_THREADS - 1):
        Thread(target=_answer_questions, args=(end, places), name="labels", daemon=True).start()
    _answer_questions(end, places)


def _answer_questions(end: socket.socket, places: Places) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the decider has gone
        while _answer_one(end, places):
            pass


def _answer_one(end: socket.socket, places: Places) -> bool:
    data, fds, flags, _ = socket.recv_fds(end, _LONGEST, 2)
    if not data:
        return False
    number, tid = _QUESTION.unpack(data)
    fd = fds[0] if fds else -1
    try:
        if number == ALIVE:
            end.send(_answer(ALIVE, Placement()))
        elif number == AREAS:
            places.replace(AreaPlace(*area) for area in json.loads(os.pread(fd, os.fstat(fd).st_size, 0)))
        elif number == CLOSE:
            pass
        elif fd < 0 or flags & socket.MSG_CTRUNC:
            end.send(_answer(number, Placement(errno.EMFILE)))
        else:
            end.send(_answer(number, places.settle(fd, tid)))
    finally:
        if fd >= 0:
            os.close(fd)
    return True


def _answer(number: int, found: Placement) -> bytes:
    labelled, inside = (
        found.labelled.encode("utf-8", "surrogateescape"),
        found.inside.encode("utf-8", "surrogateescape"),
    )
    head = _ANSWER.pack(number, found.error, found.device, found.inode, found.changed, found.fresh, found.directory,
                        found.stripped, found.top, len(labelled))  # fmt: skip
    return head + labelled + inside


def _placement(data: bytes) -> tuple[int, Placement]:
    number, error, device, inode, changed, fresh, directory, stripped, top, length = _ANSWER.unpack_from(data)
    names = data[_ANSWER.size :]
    labelled, inside = (name.decode("utf-8", "surrogateescape") for name in (names[:length], names[length:]))
    return number, Placement(error, labelled, inside, fresh, device, inode, changed, directory, stripped, top)
