"""Simulated serial ports: a name under ``/dev`` that links to a pseudo-terminal while it is simulated.

Rules of this file: only names that no hardware has (:data:`PREFIX`) are created, so that no real port is replaced or
removed. A link that a killed simulator left is replaced; any other file of such a name is left alone.
"""

from contextlib import suppress
from pathlib import Path

from agent.errors import RefusedError
from rules.text import Message
from rules.visible import visible

PREFIX = "/dev/shoumi-"


def possible(device: str) -> bool:
    """Return whether a port of this name can be simulated."""
    return device.startswith(PREFIX) and "/" not in device.removeprefix(PREFIX)


class Port:
    """A port named *device* that links to *terminal* (``/dev/pts/N``)."""

    def __init__(self, device: str, terminal: str) -> None:
        self._device = Path(device)
        self._terminal = terminal

    def make(self) -> None:
        """Create the link, usable by any account: the doors process has its own.

        Raises :class:`RefusedError`.
        """
        device = visible(str(self._device))
        if not possible(str(self._device)):
            raise RefusedError(Message("simulator.not-a-simulated-port", device=device))
        try:
            if self._device.is_symlink():
                self._device.unlink()
            self._device.symlink_to(self._terminal)
            Path(self._terminal).chmod(0o666)  # like a loopback port, which any account can use too
        except OSError as error:
            error_text = visible(error.strerror or "")
            raise RefusedError(
                Message("simulator.port-not-created", device=device, error=error_text),
                Message("simulator.run-simulator-as-root"),
            ) from None

    def remove(self) -> None:
        """Remove the link, if it still leads to this terminal."""
        with suppress(OSError):
            if str(self._device.readlink()) == self._terminal:
                self._device.unlink()
