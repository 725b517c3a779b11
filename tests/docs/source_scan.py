"""What the program starts, read from its source: processes and threads, and whether a dotted name leads somewhere.

Rules of this file: it finds calls, whatever they stand in; what it finds is compared with ``processes.py``, so that a
start nobody described is noticed. A name is looked up by import, as Python itself would.
"""

import ast
import functools
import importlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.lint import modules

FORK = "fork"  # in place of a module: the child goes on with the code of who forked it
TOOL = "tool"  # … a program of the host
UNNAMED = "(no name)"
DEFAULT = "asyncio"  # the event loop's own executor, whose threads asyncio names

_product = functools.cache(modules)
_LAUNCHER = "agent.runtime.supervisor"  # starts what others have put together with its `python`
_PROGRAM = re.compile(
    r"(subprocess\.)?Popen|subprocess\.(run|call|check_call|check_output|getoutput)"
    r"|(asyncio\.)?create_subprocess_\w+|os\.(system|popen|posix_spawnp?)"
)
_FORK = re.compile(r"os\.fork(pty)?|multiprocessing\.\w+|ProcessPoolExecutor|pty\.(fork|spawn)")
# Where a thread's name stands in the call that makes it: by position, by keyword.
_THREADS = {
    "Thread": (2, "name"),
    "ThreadPoolExecutor": (1, "thread_name_prefix"),
    "Timer": (9, ""),
    "BaseObserver": (9, ""),
}


class FoundStart(NamedTuple):
    """A module starts a process that runs *what*: a module, :data:`FORK` or :data:`TOOL`."""

    module: str
    what: str


class FoundThread(NamedTuple):
    """A module makes threads of this name."""

    module: str
    name: str


def starts() -> set[FoundStart]:
    """Return every start of a process in the product."""
    return {FoundStart(name, what) for name, found in _product().items() for what in started(name, found.tree)}


def threads() -> set[FoundThread]:
    """Return every kind of thread that the product makes."""
    return {FoundThread(name, thread) for name, found in _product().items() for thread in threads_made(found.tree)}


def resolve(name: str) -> object:
    """Return what *name* means, ``module``, ``module.member`` or ``module:member``; raise when it means nothing."""
    parts = name.replace(":", ".").split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = _member(found, part)
        return found
    raise ModuleNotFoundError(name)


def _member(owner: object, name: str) -> object:
    """Return an attribute, or the annotation of a field that has no value on its class."""
    fields = getattr(owner, "__annotations__", {})
    return fields[name] if name in fields and not hasattr(owner, name) else getattr(owner, name)


def started(module: str, tree: ast.Module) -> Iterator[str]:
    """Yield what the source *tree* of *module* starts; a name of ours wins over the call that runs it."""
    ours = list(_modules_run(tree))
    yield from ours
    for call in _calls(tree):
        called = _dotted(call.func)
        if _FORK.fullmatch(called):
            yield FORK
        elif _PROGRAM.fullmatch(called) and not ours and module != _LAUNCHER:
            yield TOOL


def _modules_run(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of ours that are run: ``python(MODULE, …)`` and ``[sys.executable, …, module.__file__]``."""
    known = {**dict(_constants(tree)), **dict(_imports(tree))}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="python"), args=[ast.Constant(value=str(name)), *_]):
                yield name
            case ast.Call(func=ast.Name(id="python"), args=[ast.Name(id=name), *_]):
                yield known[name]
            case ast.List(elts=[ast.Attribute(value=ast.Name(id="sys"), attr="executable"), *words]):
                for word in words:
                    if isinstance(word, ast.Attribute) and word.attr == "__file__":
                        yield known[ast.unparse(word.value)]


def threads_made(tree: ast.Module) -> Iterator[str]:
    """Yield the names of the threads that the source *tree* makes, in the order of a walk."""
    for call in _calls(tree):
        name = _dotted(call.func).rpartition(".")[2]
        if name in _THREADS:
            place, keyword = _THREADS[name]
            given = [one.value for one in call.keywords if one.arg == keyword] or call.args[place : place + 1]
            yield str(ast.literal_eval(given[0])) if given else UNNAMED
        elif name == "to_thread" or (name == "run_in_executor" and ast.unparse(call.args[0]) == "None"):
            yield DEFAULT


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _dotted(node: ast.expr) -> str:
    """Return ``name`` or ``owner.name``; of what has a longer way to it the last name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(value=ast.Attribute() | ast.Call() | ast.Subscript(), attr=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
    return ""


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(value))):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(value))):
                yield name, value


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
