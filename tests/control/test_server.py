"""Nothing a caller sends, or fails to send, stops the server or another caller."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress

import pytest

from agent.api import sockets
from agent.api.client import AgentClient
from agent.control.reception.budgets import BUDGETS, CallerKind
from agent.errors import ForbiddenError, RefusedError, UnreachableError, UsageError
from tests.control.offboarding.test_coordinator import until
from tests.control.site import Site
from tests.sentences import en


@pytest.fixture
def raw(site: Site) -> Iterator[socket.socket]:
    with closing(sockets.connect(site.home)) as end:
        end.settimeout(10)
        yield end
    with site.client() as other:
        assert other.call("role.list")["bootstrap"], "the server does not answer any more"


def answer(end: socket.socket) -> dict[str, object]:
    with end.makefile("rb") as lines:
        found: dict[str, object] = json.loads(lines.readline())
        return found


@pytest.mark.parametrize("line", [b"\xff\xfe\x00", b"hello", b'{"op":"x","op":"y"}', b"[" * 50_000, b'{"op":"frob"}'])
def test_garbage_gets_usage_and_the_conversation_goes_on(raw: socket.socket, line: bytes) -> None:
    raw.sendall(line + b"\n" + b'{"op":"role.list","id":"2"}\n')
    with raw.makefile("rb") as lines:
        first, second = json.loads(lines.readline()), json.loads(lines.readline())
    assert first["error"]["kind"] == "usage"
    assert (second["id"], second["ok"]) == ("2", True)


def test_a_line_beyond_the_limit_gets_usage_and_the_end(raw: socket.socket) -> None:
    with pytest.raises(OSError):  # noqa: PT012 - either send may be the one that meets the closed end
        for _ in range(64):
            raw.sendall(b"x" * (1 << 18))
        while raw.recv(1 << 16):
            pass
        raise ConnectionResetError


def test_half_a_line_does_not_keep_others_waiting(raw: socket.socket, site: Site) -> None:
    raw.sendall(b'{"op":"role')
    with site.client() as other:
        assert other.call("role.list")
    raw.sendall(b'.list"}\n')
    assert answer(raw)["ok"]


def test_hanging_up_in_the_middle_of_a_stream_is_no_harm(site: Site) -> None:
    with closing(sockets.connect(site.home)) as end:
        end.sendall(b'{"op":"log.follow","id":"1","args":{"after":0}}\n')
        assert answer(end)["item"]
    with site.client() as other:
        assert other.call("role.list")


def test_a_caller_who_never_reads_keeps_nobody_waiting(raw: socket.socket, site: Site) -> None:
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.sendall(b'{"op":"pack.show","id":"1"}\n' * 200)
    with site.client() as other:
        assert other.call("role.list")


def test_one_uid_cannot_take_all_connections(site: Site) -> None:
    with ExitStack() as stack:
        ends = [
            stack.enter_context(closing(sockets.connect(site.home)))
            for _ in range(BUDGETS[CallerKind.ROOT].places_each + 5)
        ]
        for end in ends[:-5]:
            end.sendall(b'{"op":"role.list"}\n')
        ends[-1].settimeout(10)
        error = answer(ends[-1])["error"]
        assert isinstance(error, dict)
        assert en(error) == "too many connections"
    until(lambda: served(site))  # once it has noticed that they are gone there is room again


def served(site: Site) -> bool:
    with suppress(RefusedError, UnreachableError), site.client() as caller:
        return bool(caller.call("role.list"))
    return False


def test_an_act_that_waits_says_for_how_long(site: Site) -> None:
    """The decider is stopped under the first act, so that the second one waits for its turn."""
    with site.client() as other, ExitStack() as stack:
        other.call("person.add", person="E7")
        ends = [stack.enter_context(closing(sockets.connect(site.home))) for _ in range(2)]
        os.kill(site.peer.pid, signal.SIGSTOP)
        try:
            for end in ends:
                end.settimeout(30)
                end.sendall(b'{"op":"hold.add","args":{"person":"E7","reason":"x"}}\n')
            assert other.call("role.list")  # what was sent before has come by now
            began = time.monotonic()
            time.sleep(0.2)
            stopped = (time.monotonic() - began) * 1000
        finally:
            os.kill(site.peer.pid, signal.SIGCONT)
        answers = [answer(end)["result"] for end in ends]
    one, two = sorted(answers, key=lambda found: found["seq"])  # type: ignore[index]
    assert stopped <= two["waited_milliseconds"] <= two["milliseconds"]  # type: ignore[index]
    assert one["milliseconds"] >= stopped > one["waited_milliseconds"]  # type: ignore[index]


def test_an_unknown_operation_names_the_near_ones(site: Site) -> None:
    with site.client() as caller, pytest.raises(UsageError) as caught:
        caller.call("grant.ad")
    assert caught.value.hint
    assert "grant.add" in en(caught.value.hint)


def test_whoever_has_no_role_is_told_so_and_it_is_an_entry(site: Site) -> None:
    def stranger() -> str:
        with site.client() as caller:
            assert caller.call("role.list")["yours"] is None
            for op, args in (("status", {}), ("log.list", {}), ("hold.add", {"person": "E1", "reason": "x"})):
                try:
                    list(caller.stream(op, **args)) if op == "log.list" else caller.call(op, **args)
                except ForbiddenError:
                    continue
                return f"{op} was allowed"
        return "all forbidden"

    assert as_user(61_999, stranger) == "all forbidden"
    entries = site.entries(outcome="forbidden")
    assert [entry["act"] for entry in entries] == ["log.list", "hold.add"]
    assert entries[-1]["actor"]["uid"] == 61_999  # type: ignore[index]


def test_a_stranger_cannot_fill_the_log_with_refusals(site: Site) -> None:
    def stranger() -> str:
        with ExitStack() as stack:
            callers = [stack.enter_context(site.client()) for _ in range(10)]  # each rests after an answer
            for caller in callers * 4:
                try:
                    caller.call("hold.add", person="E1", reason="x")
                except ForbiddenError:
                    continue
                return "allowed"
        return "forbidden"

    assert as_user(61_998, stranger) == "forbidden"
    actors = [entry["actor"] for entry in site.entries(outcome="forbidden")]
    assert sum(actor["uid"] == 61_998 for actor in actors) == 20  # type: ignore[index]


def test_a_long_home_is_no_obstacle(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.control.site import running

    with running(tmp_path_factory.mktemp("x" * 120) / ("y" * 120)) as far, far.client() as caller:
        assert caller.call("role.list")


def test_no_agent_is_unreachable_with_the_command_that_starts_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    from agent.runtime.home import Home

    with AgentClient(Home(tmp_path_factory.mktemp("none"))) as caller, pytest.raises(UnreachableError) as caught:
        caller.call("status")
    assert caught.value.hint
    assert " run" in en(caught.value.hint)


def test_a_fault_of_ours_refuses_one_request_only(site: Site) -> None:
    with site.client() as caller:
        with pytest.raises(RefusedError):
            caller.call("log.show", seq=10**12)
        assert caller.call("role.list")


def as_user(uid: int, work: Callable[[], str]) -> str:
    """Run *work* in a child process with this uid and no other group; return what it returns."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.write(writing, work().encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as said:
        found = said.read()
    os.waitpid(child, 0)
    return found


def test_a_zero_is_an_argument(site: Site) -> None:
    with site.client() as caller, pytest.raises(RefusedError) as caught:
        caller.call("account.add", person="E1", uid=0)
    assert "uid 0" in en(caught.value.text) or "E1" in en(caught.value.text)
