"""Readers of the registry: one a thread, and none that outlives its owner."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.site.thread_readers import ThreadReaders


class Reader:
    """What is opened, and whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def in_a_thread(work):
    """Run *work* in a thread that has ended when this returns."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_each_thread_has_one_of_its_own():
    readers = ThreadReaders(Reader)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(readers.of_this_thread).result()
        assert readers.of_this_thread() is readers.of_this_thread() is not first
        assert other.submit(readers.of_this_thread).result() is first
    readers.close()


def test_the_end_closes_those_of_threads_that_have_ended_and_ones_own():
    readers = ThreadReaders(Reader)
    opened = [readers.of_this_thread(), in_a_thread(readers.of_this_thread)]
    readers.close()
    assert [one.closed for one in opened] == [True, True]
    with pytest.raises(RuntimeError):
        readers.of_this_thread()


def test_a_thread_that_ended_leaves_nothing_open_once_another_one_asks():
    readers = ThreadReaders(Reader)
    left = in_a_thread(readers.of_this_thread)
    assert not left.closed
    kept = in_a_thread(readers.of_this_thread)
    assert (left.closed, kept.closed) == (True, False)
    readers.close()


def test_whoever_is_in_the_middle_of_reading_keeps_it():
    readers = ThreadReaders(Reader)
    with ThreadPoolExecutor(1) as other:
        busy = other.submit(readers.of_this_thread).result()
        readers.close()
        assert not busy.closed
