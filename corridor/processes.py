"""Forked copies of this process, which compute some values while it goes on with others."""

from __future__ import annotations

import ctypes
import gc
import mmap
import multiprocessing
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from io import FileIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from corridor.memory import room_bytes
from corridor.threads import count_threads

_LEAST_ROOM = 1 << 29
"""Bytes: about twice what a copy took of its own on a country's roads."""

_LARGE = 1 << 16
"""Bytes of an array that is worth memory of its own."""
_MOST_APART = 64
"""Arrays of a value in memory of their own: each holds a file open as long as it is there, and a system may allow a
process a thousand of these. Values of a run on a country's roads have 14 at most."""
_PR_SET_PDEATHSIG = 1
"""The number of what is asked of ``prctl``."""
_PATIENCE_S = 15.0
"""How long a copy may use no processor time while its value is waited for."""


class Fork:
    """A copy of this process, and the values that it computes one after another while this one goes on.

    The copy has all that is in memory, so nothing is sent to it; values come back through a pipe, their arrays in
    memory that both have where there can be such. It is quiet: where it fails, for whatever reason, its values don't
    come, and who wants them computes them, and meets the reason, there.
    Where the system can't copy processes, or has no core for another one, no values come.

    Args:
        names: of the values; without any there is no copy.
        compute: gives names and values, one after another. No other thread of this process may hold a lock that it
            needs.
        meanwhile: what this process does, once and one after another, as soon as it would only wait for a value; done,
            it is taken from the list, which several may share.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        compute: Callable[[], Iterable[tuple[str, Any]]] = tuple,
        meanwhile: list[Callable[[], None]] | None = None,
    ) -> None:
        self.meanwhile = [] if meanwhile is None else meanwhile
        """What is still to be done while a value is waited for."""
        self.names: set[str] = set()
        """Of the values that are to come."""
        self._come: dict[str, Any] = {}
        self._open = ExitStack()
        wanted = set(names)
        # Elsewhere a new process would have to import and read everything again, which takes longer than it saves;
        # macOS copies processes, but its own libraries don't bear it.
        if wanted and sys.platform == "linux" and count_threads() > 1 and room_bytes() > _LEAST_ROOM:
            with suppress(OSError):  # no more processes are allowed, or there is no memory for one
                self._start(wanted, compute)
                self.names = wanted

    def _start(self, names: Iterable[str], compute: Callable[[], Iterable[tuple[str, Any]]]) -> None:
        fork = multiprocessing.get_context("fork")
        self._receiver, sender = fork.Pipe(duplex=False)
        self._open.callback(self._receiver.close)
        # Pythons that are built for many systems often can't have memory in common: pipes are all that they have.
        self._arrays = {name: _SharedArrays(self._open) for name in names if hasattr(os, "memfd_create")}
        sending = partial(_send, sender, self._arrays)
        words = (compute, sending, self._receiver, os.getpid())
        self._copy = fork.Process(target=_compute, args=words, daemon=True)
        # This end belongs to the copy alone: its death then ends the pipe.
        with closing(sender), warnings.catch_warnings():
            # Python warns of copies of processes with threads: those of this one draw progress or wait for work.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            self._copy.start()
        self._open.callback(self._copy.join)
        # Asked to end while it begins, it would answer as the first process does, and go on. It has nothing to tidy.
        self._open.callback(self._copy.kill)

    def take(self, name: str) -> tuple[Any, ...]:
        """A value, alone in a tuple, when the copy has computed it; an empty one where it hasn't and won't.

        Args:
            name: of the value; each is given once.
        """
        while name in self.names - self._come.keys():
            while self.meanwhile and not self._receiver.poll():
                self.meanwhile.pop(0)()
            try:
                came, value = self._received()
            except (EOFError, OSError):
                self.names = set(self._come)
            else:
                self._come[came] = value
        self.names.discard(name)
        return (self._come.pop(name),) if name in self._come else ()

    def _received(self) -> Any:
        # A library may believe in a copy that it has threads, or a lock, which the first process had, and wait for them
        # for ever. Whoever waits so uses no time.
        used = -1
        while not self._receiver.poll(_PATIENCE_S):
            before, used = used, _ticks(self._copy.pid)
            if used == before:
                raise EOFError
        name, pickled, places = self._receiver.recv()
        arrays = self._arrays[name].at(places) if places else []
        # as the pipe itself takes objects apart and puts them together: they are this program's own
        return name, pickle.loads(pickled, buffers=arrays)  # noqa: S301

    def __enter__(self) -> Fork:
        return self

    def __exit__(self, *_: object) -> None:
        """End the copy, whatever it is at."""
        self._open.close()


class _SharedArrays:
    """Arrays of one value in memory that a process and its copy have in common; a pipe would copy each four times.

    Args:
        closing: gives the memory up that no array lies in any more.
    """

    def __init__(self, closing: ExitStack) -> None:
        self._file = closing.enter_context(FileIO(os.memfd_create("corridor"), "r+"))

    def put(self, array: pickle.PickleBuffer) -> tuple[int, int]:
        """Write an array behind those that are there.

        Args:
            array: its bytes.

        Returns:
            Where it begins, and how many bytes it has.
        """
        raw = array.raw()
        # what is laid over memory begins where a page does
        start = -(-self._file.seek(0, os.SEEK_END) // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        self._file.seek(start)
        written = 0
        while written < len(raw):  # the system takes two gigabytes at a time
            written += self._file.write(raw[written:])
        return start, len(raw)

    def at(self, places: Iterable[tuple[int, int]]) -> list[mmap.mmap]:
        """The memory of arrays, each of which goes when nobody has it any more.

        Args:
            places: what :meth:`put` gave.

        Returns:
            Memory that this process may write to.
        """
        number = self._file.fileno()
        found = [mmap.mmap(number, size, access=mmap.ACCESS_COPY, offset=start) for start, size in places]
        self._file.close()
        return found


def _send(sender: Connection, shared: Mapping[str, _SharedArrays], named: tuple[str, Any]) -> None:
    """Hand a value over: large arrays in shared memory, the rest through the pipe."""
    name, value = named
    places: list[tuple[int, int]] = []

    def goes_with_the_rest(array: pickle.PickleBuffer) -> bool:
        if name not in shared or array.raw().nbytes < _LARGE or len(places) == _MOST_APART:
            return True
        places.append(shared[name].put(array))
        return False

    pickled = pickle.dumps(value, 5, buffer_callback=goes_with_the_rest)
    sender.send((name, pickled, places))


def _compute(
    compute: Callable[[], Iterable[tuple[str, Any]]],
    send: Callable[[tuple[str, Any]], None],
    receiver: Connection,
    first: int,
) -> None:
    """What the copy does."""
    # Only the first process reads: where it is gone, nothing can be sent, and the copy ends as well.
    receiver.close()
    # Who interrupts, interrupts the first process, which ends this one, and waits for that: it tidies up when it is
    # ended, this one has nothing to tidy.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    _end_with(first)
    # Looking through all objects for circles would write to each of them, and so copy the memory that is shared.
    gc.disable()
    # A pipe holds little: a thread waits at it until the value is taken, and the next is computed meanwhile.
    with suppress(Exception), ThreadPoolExecutor(1) as sending:
        for one in [sending.submit(send, named) for named in compute()]:
            one.result()


def _end_with(parent: int) -> None:
    """Have the system end this process as soon as its parent is gone, however that ends."""
    with suppress(AttributeError, OSError):  # libraries of C without it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it is gone already
        os._exit(1)


def _ticks(pid: int | None) -> int:
    """Processor time of a process, in the system's units."""
    # the name before may hold spaces and brackets
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
