"""Serial ports made of software: a name under ``/dev`` that leads to a pseudo-terminal, for as long as it is simulated.

Rules of this file: only names that no hardware has (:data:`PREFIX`) are made, so that no real port is ever in the way
or taken away. A link that a killed simulator left is replaced, anything else under such a name is left alone.
"""

from contextlib import suppress
from pathlib import Path

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

PREFIX = "/dev/shoumi-"


def possible(device: str) -> bool:
    """Whether a port of this name can be made of software."""
    return device.startswith(PREFIX) and "/" not in device.removeprefix(PREFIX)


class Port:
    """A port named *device* in the place of the *terminal* (``/dev/pts/N``)."""

    def __init__(self, device: str, terminal: str) -> None:
        self._device = Path(device)
        self._terminal = terminal

    def make(self) -> None:
        """Let the name lead there, for any account: the doors process has one of its own.

        Raises :class:`RefusedError`.
        """
        shown = visible(str(self._device))
        if not possible(str(self._device)):
            raise RefusedError(Text(f"`{shown}` is no simulated port", f"`{shown}` 不是模拟串口"))
        try:
            if self._device.is_symlink():
                self._device.unlink()
            self._device.symlink_to(self._terminal)
            Path(self._terminal).chmod(0o666)  # as a port of loopback, which is anybody's too
        except OSError as error:
            said = visible(error.strerror or "")
            raise RefusedError(
                Text(f"the port `{shown}` cannot be made: {said}", f"无法创建串口 `{shown}`：{said}"),
                Text("run the simulator as root", "请以 root 身份运行模拟器"),
            ) from None

    def remove(self) -> None:
        """Take the name away, if it is still ours."""
        with suppress(OSError):
            if str(self._device.readlink()) == self._terminal:
                self._device.unlink()
