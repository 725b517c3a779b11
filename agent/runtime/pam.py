"""PAM check of one secret, in a process of its own.

    python -m agent.runtime.pam SERVICE USER
    stdin: the secret, at most a kilobyte    exit 0: correct    1: wrong, or the account may not act    2: no PAM here

Rules of this file: standard library only. Modules of PAM run as root and may do anything, hang or die, so no other part
of the agent runs in the process, and its starter ends it after some seconds. Each prompt with hidden input is answered
with the secret, every other one with an empty text (pam_conv(3), pam_start(3), pam_authenticate(3)).
"""

import ctypes
import ctypes.util
import os
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_void_p, cast, sizeof

_HIDDEN = 1  # PAM_PROMPT_ECHO_OFF
_FLAGS = 0x8000 | 0x0001  # PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK
_LONGEST = 1024
_MOST = 32  # PAM_MAX_NUM_MSG


class _Message(Structure):
    _fields_ = (("style", c_int), ("text", c_char_p))


class _Response(Structure):
    _fields_ = (("text", c_void_p), ("retcode", c_int))


_Conversation = CFUNCTYPE(c_int, c_int, POINTER(POINTER(_Message)), POINTER(POINTER(_Response)), c_void_p)


class _Conv(Structure):
    _fields_ = (("conversation", _Conversation), ("data", c_void_p))


def main(argv: list[str]) -> int:
    """Ask, and return the exit code."""
    service, user = argv
    return ask(service, user, sys.stdin.buffer.read(_LONGEST))


def ask(service: str, user: str, secret: bytes) -> int:
    """Return 0 when PAM takes *secret* for *user*. *service* is a name, or the path of a file in another folder."""
    name = ctypes.util.find_library("pam")
    if name is None:
        return 2
    pam, libc = ctypes.CDLL(name), ctypes.CDLL(None)
    libc.calloc.restype = libc.strdup.restype = c_void_p

    def answer(count: int, messages: object, responses: object, _appdata: object) -> int:
        if not 0 < count <= _MOST:
            return 19  # PAM_CONV_ERR
        room = cast(libc.calloc(count, sizeof(_Response)), POINTER(_Response))
        for place in range(count):
            hidden = messages[place].contents.style == _HIDDEN  # type: ignore[index]
            room[place].text = libc.strdup(secret if hidden else b"")
        responses[0] = room  # type: ignore[index]
        return 0

    conversation = _Conv(_Conversation(answer), None)
    folder, _, plain = service.rpartition("/")
    handle = c_void_p()
    args = (plain.encode(), user.encode(), byref(conversation))
    if folder:
        failed = pam.pam_start_confdir(*args, folder.encode(), byref(handle))
    else:
        failed = pam.pam_start(*args, byref(handle))
    if failed:
        return 2
    failed = pam.pam_authenticate(handle, _FLAGS) or pam.pam_acct_mgmt(handle, _FLAGS)
    pam.pam_end(handle, failed)
    return 1 if failed else 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(sys.argv[1:]))
