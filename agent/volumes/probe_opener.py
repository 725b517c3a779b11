"""The opener process of the probe: it opens files on command and reports the result. The probe may keep it waiting.

Run as ``python -I -S probe_opener.py PATH``: one command a line on stdin, one answer a line on stdout: ``ok`` with a
number, or an ``errno`` name. It sends a first answer when it is ready. Rules of this file: standard library only and no
import of the agent, so that it starts in a few milliseconds; it uses only PATH and its directory.
"""

import ctypes
import errno
import mmap
import os
import sys
import threading

_CLONE_NEWNS, _CLONE_NEWUSER = 0x20000, 0x10000000


class Opener:
    """The holder of descriptors of ``path`` and of its directory.

    Each public method is a command; it returns the number of the answer.
    """

    def __init__(self, path: str) -> None:
        self.folder, self.name = os.path.split(path)
        self.fd = self.directory = -1

    def open(self) -> int:
        """Open the file for reading and writing, and its directory; return the id of the opening thread."""
        for fd in (self.fd, self.directory):
            if fd >= 0:
                os.close(fd)
        self.fd = self.directory = -1
        self.fd = os.open(self.name, os.O_RDWR | os.O_CLOEXEC)
        self.directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return threading.get_native_id()

    def thread(self) -> int:
        """Open in a second thread; return that thread's id, which differs from the process id."""
        answers: list[int | OSError] = []

        def run() -> None:
            try:
                answers.append(self.open())
            except OSError as error:
                answers.append(error)

        worker = threading.Thread(target=run, name="second-opener")
        worker.start()
        worker.join()
        if isinstance(answers[0], OSError):
            raise answers[0]
        return answers[0]

    def read(self) -> int:
        """Read through the descriptor."""
        return len(os.pread(self.fd, 512, 0))

    def write(self) -> int:
        """Write through the descriptor."""
        return os.pwrite(self.fd, b"probe", 0)

    def list(self) -> int:
        """Read names through the descriptor of the directory."""
        return len(os.listdir(self.directory))

    def map(self) -> int:
        """Map through the descriptor, without touching the pages."""
        mmap.mmap(self.fd, 512, prot=mmap.PROT_READ).close()
        return 0

    def truncate(self) -> int:
        """Truncate through the descriptor."""
        os.ftruncate(self.fd, 4096)
        return 0

    def leave(self) -> int:
        """Enter a new user and mount namespace; return 1, or 0 when only a mount namespace was possible."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS) == 0:
            return 1
        if libc.unshare(_CLONE_NEWNS) == 0:
            return 0
        raise OSError(ctypes.get_errno(), "unshare")


def main() -> None:
    """Serve commands until stdin ends."""
    opener = Opener(sys.argv[1])
    os.chdir(opener.folder)  # in a new mount namespace the working directory is on the new copy of the mount
    print("ok 0", flush=True)  # ready
    for line in sys.stdin:
        try:
            answer = f"ok {getattr(opener, line.strip())()}"
        except OSError as error:
            answer = errno.errorcode.get(error.errno or 0, "EIO")
        print(answer, flush=True)


if __name__ == "__main__":
    main()
