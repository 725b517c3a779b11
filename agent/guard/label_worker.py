"""The label worker: a process beside the decider that reads and writes labels and looks up places (contract C13).

The loop that answers waits for its log only. Every access to a guarded filesystem goes to this process, with the
event's own descriptor; a frozen or hung disk then stops one of its threads and no answer. So does the inspection of a
server process, whose number of descriptors is unbounded.

Rules of this file: the decider forks it before it opens anything that must not outlive it (the log and its lock), and
gives it no fanotify group, so that a worker stuck in the kernel keeps nothing but its own memory. The decider limits
the questions about one filesystem at a time (``parked``), so that threads are left for the others. Messages are one
packet each over a SOCK_SEQPACKET pair; a packet with number 0 asks whether it lives.
"""

import contextlib
import ctypes
import errno
import json
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from queue import Full, Queue
from threading import Thread

from agent.confinement import process_rights
from agent.confinement.confine import confine
from agent.guard import server_looks
from agent.guard import worker_packets as packets
from agent.guard.openers import Inode, ServerLook
from agent.guard.placing import AreaPlace, Placement, Places
from agent.guard.worker_packets import Closed, Kind, Reply
from agent.kernel import newborn
from agent.runtime.saying import say

_THREADS = 32  # each takes one question at a time
_DISCARDS = 64  # that wait; the files of further ones are not removed
_PR_SET_PDEATHSIG = 1


class LabelWorkerClient:
    """The decider's end. Nothing here waits."""

    def __init__(self, end: socket.socket, pid: int) -> None:
        end.setblocking(False)
        self._end = end
        self.pid = pid

    def fileno(self) -> int:
        """The descriptor to wait on for answers."""
        return self._end.fileno()

    def ask(self, number: int, fd: int, tid: int, kind: Kind = Kind.PLACE) -> bool:
        """Ask for the place of *fd*, or its openers in the process of thread *tid*; return whether it was sent."""
        return self._send(packets.question(number, kind, tid), fd)

    def sweep(self, number: int, pid: int, files: Sequence[Inode]) -> bool:
        """Ask which of *files* process *pid* has closed; return whether the question was sent."""
        return self._send_page(packets.question(number, Kind.SWEEP, pid), packets.inodes(files))

    def close_there(self, fd: int) -> None:
        """Have a copy of *fd* closed in the worker: the last close of a deleted file takes time by its size."""
        self._send(packets.question(packets.CLOSE, Kind.PLACE, 0), fd)

    def discard(self, fd: int, owner: int) -> None:
        """Have the empty file *fd* removed that a refused open of *owner* created (:mod:`agent.kernel.newborn`)."""
        self._send(packets.question(packets.DISCARD, Kind.PLACE, owner), fd)

    def ping(self) -> bool:
        """Ask whether it lives; the answer comes with number :data:`agent.guard.worker_packets.ALIVE`."""
        return self._send(packets.question(packets.ALIVE, Kind.PLACE, 0))

    def replace(self, areas: Iterator[AreaPlace] | list[AreaPlace]) -> bool:
        """Send the places of the areas. Answers to earlier questions may rely on earlier areas."""
        page = json.dumps([list(area) for area in areas]).encode()
        return self._send_page(packets.question(packets.AREAS, Kind.PLACE, 0), page)

    def answers(self) -> Iterator[tuple[int, Reply]]:
        """Yield the replies received by now. Raises :class:`EOFError` when the worker is gone."""
        while True:
            try:
                packet = self._end.recv(packets.LONGEST)
            except BlockingIOError:
                return
            except OSError as error:
                raise EOFError from error
            if not packet:
                raise EOFError
            yield packets.parse_answer(packet)

    def kill(self) -> None:
        """Kill it; one that sleeps in the kernel ends when it wakes."""
        self._end.close()
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, os.WNOHANG)
        except OSError:
            pass

    def _send_page(self, packet: bytes, page: bytes) -> bool:
        """Send a question with a page that may be longer than a packet."""
        memory = os.memfd_create("shoumi-question", os.MFD_CLOEXEC)
        try:
            os.write(memory, page)
            return self._send(packet, memory)
        finally:
            os.close(memory)

    def _send(self, packet: bytes, fd: int = -1) -> bool:
        try:
            if fd < 0:
                self._end.send(packet)
            else:
                socket.send_fds(self._end, [packet], [fd])
        except OSError:
            return False
        return True


def fork(keep_out: tuple[int, ...]) -> LabelWorkerClient:
    """Start the worker and return the decider's end. The worker closes the descriptors *keep_out* first.

    Call it while the process has one thread, no lock that others wait for, and every capability the worker needs.
    """
    decider_end, worker_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    for end in (decider_end, worker_end):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    pid = os.fork()
    if pid:
        worker_end.close()
        return LabelWorkerClient(decider_end, pid)
    code = 1
    try:
        for fd in keep_out:
            os.close(fd)
        decider_end.close()
        confine(process_rights.LABEL_WORKER, say)
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # a broken lease (fcntl(2)) would end this process
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _serve(worker_end)
        code = 0
    finally:
        os._exit(code)  # threads that sleep in the kernel are not waited for


def _serve(end: socket.socket) -> None:
    """Answer questions in every thread; return when the decider is gone."""
    places = Places()
    discards: Queue[tuple[int, int]] = Queue(_DISCARDS)
    Thread(target=_discard, args=(discards,), name="discards", daemon=True).start()
    for _ in range(_THREADS - 1):
        Thread(target=_answer_questions, args=(end, places, discards), name="labels", daemon=True).start()
    _answer_questions(end, places, discards)


def _answer_questions(end: socket.socket, places: Places, discards: "Queue[tuple[int, int]]") -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the decider has gone
        while _answer_one(end, places, discards):
            pass


def _discard(discards: "Queue[tuple[int, int]]") -> None:
    """Remove files one by one under their owners' identities, which no other thread takes on."""
    while True:
        fd, owner = discards.get()
        try:
            newborn.discard(fd, owner)
        finally:
            os.close(fd)


def _answer_one(end: socket.socket, places: Places, discards: "Queue[tuple[int, int]]") -> bool:
    packet, fds, flags, _ = socket.recv_fds(end, packets.LONGEST, 2)
    if not packet:
        return False
    number, kind, task = packets.parse_question(packet)
    fd = fds[0] if fds and not flags & socket.MSG_CTRUNC else -1
    try:
        if number == packets.ALIVE:
            end.send(packets.answer(number, Placement()))
        elif number == packets.AREAS:
            places.replace(AreaPlace(*area) for area in json.loads(_page(fd)))
        elif number == packets.DISCARD:
            _put(discards, fd, task)
        elif number != packets.CLOSE:
            end.send(packets.answer(number, _reply(kind, fd, task, places)))
    finally:
        for descriptor in fds:
            os.close(descriptor)
    return True


def _put(discards: "Queue[tuple[int, int]]", fd: int, owner: int) -> None:
    copy = os.dup(fd)
    try:
        discards.put_nowait((copy, owner))
    except Full:
        os.close(copy)


def _reply(kind: Kind, fd: int, task: int, places: Places) -> Reply:
    if kind is Kind.PLACE:
        return places.settle(fd, task) if fd >= 0 else Placement(errno.EMFILE)
    if kind is Kind.LOOK:
        return server_looks.inspect_server(task, fd) if fd >= 0 else ServerLook()
    return Closed(server_looks.closed(task, packets.parse_inodes(_page(fd))) if fd >= 0 else ())


def _page(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)
