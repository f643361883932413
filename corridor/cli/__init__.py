"""The command line: turns what people type into calls, and errors into one line and exit code 2."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

try:
    import resource

    # bytes of addresses that this process may have (ulimit -v), below 0 for any number
    ADDRESS_LIMIT = resource.getrlimit(resource.RLIMIT_AS)[0]
    # OpenBLAS starts its threads when numpy is imported, and ends the process, or waits for ever, where it may not.
    if 0 <= resource.getrlimit(resource.RLIMIT_NPROC)[0] < 256 or 0 <= ADDRESS_LIMIT < 8 << 30:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
except ImportError:  # systems without such limits
    ADDRESS_LIMIT = -1

_INTERRUPTED = "corridor: interrupted; nothing was written"
try:
    import typer
    from typer.core import TyperGroup

    import corridor
    from corridor.cli import align, compare, fetch, flows, new, sweep, terrain
    from corridor.cli.common import drop_stream, exit_code_of, plain_interrupts, print_error, print_plain
    from corridor.errors import CorridorError
    from corridor.files import REMEDIES
    from corridor.memory import keep_large_apart
except KeyboardInterrupt:  # loading takes long enough for a second thought, and nobody catches that yet
    sys.stderr.write(f"{_INTERRUPTED}\n")
    sys.exit(130)


class _Commands(TyperGroup):
    """The commands; a wrong call of one is told in one line, as bad input is."""

    def make_context(self, *args: Any, **more: Any) -> Any:
        with _one_line_errors():
            return super().make_context(*args, **more)

    def invoke(self, ctx: Any) -> Any:
        with _one_line_errors():
            try:
                with plain_interrupts():
                    return super().invoke(ctx)
            except KeyboardInterrupt as interrupt:
                _end_interrupted(interrupt)  # typer itself would end without a word


_WRONG_CALL: type[Exception] = typer.BadParameter.__bases__[0]
"""What typer raises of any wrong call; it has no name of its own there."""


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # who reads has had enough; typer itself would end with the code of a fault
        drop_stream(sys.stdout)
        sys.exit(141)
    except _WRONG_CALL as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "corridor"
        told = error.format_message().replace("Value error, ", "").rstrip(".")  # type: ignore[attr-defined]
        print_error(f"corridor: {told}; see {path} --help")
        sys.exit(2)


app = typer.Typer(
    cls=_Commands,
    name="corridor",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Compare land routes across contested, mountainous ground.\n\n"
    "A *study* (one TOML file) says from where to where, on which data, which candidates and which criteria. "
    "`corridor run` builds the candidates, measures and ranks them, and writes one HTML page with a map, tables and "
    "GIS files.",
)
for command in (
    compare.run,
    new.new,
    compare.doctor,
    compare.check,
    compare.rank,
    compare.diff,
    align.align,
    flows.flows,
    fetch.fetch,
    sweep.sweep,
    sweep.sweep_report,
    terrain.terrain,
    compare.studies,
):
    # A latitude in the south begins as an option does; as it is none, it is taken for a word.
    app.command(context_settings={"ignore_unknown_options": command is align.align})(command)
app.add_typer(fetch.cache_app, name="cache")


def _version(wanted: bool) -> None:
    if wanted:
        print_plain(corridor.__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


_LEAST_ADDRESSES = 3 << 29
"""With less, libraries end the process or wait for ever while they are loaded: measured, with room to spare."""
_SIGNS_OF_NO_MEMORY = ("failed to map segment", "Cannot allocate memory", "std::bad_alloc", "'libllvmlite.so'")
_NO_MEMORY = "there isn't enough memory; take a smaller area or coarser heights, or raise the limit"


def _tidy_up_when_ended() -> None:
    """Take what ends a process, as when the system shuts down or a terminal is closed, as an interrupt.

    What it started ends with it then, and nothing half written is left.
    """
    own = os.getpid()

    def end(number: int, _: object) -> NoReturn:
        if os.getpid() != own:  # a copy, which has nothing to tidy up
            os._exit(128 + number)
        raise KeyboardInterrupt(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # who runs it under nohup wants it to stay
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)


def _end_interrupted(interrupt: KeyboardInterrupt) -> NoReturn:
    print_error(_INTERRUPTED)
    sys.exit(exit_code_of(interrupt))


def main() -> None:
    """Entry point of the ``corridor`` command."""
    if 0 <= ADDRESS_LIMIT < _LEAST_ADDRESSES:
        limit_kb, least_kb = ADDRESS_LIMIT // 1024, _LEAST_ADDRESSES // 1024
        print_error(f"corridor: may have {limit_kb:,} kB of addresses; raise the limit over {least_kb:,} (ulimit -v)")
        sys.exit(2)
    # What a command reads and computes lives until it ends, in tables with millions of parts: looking through all of it
    # for circles of objects that nobody holds finds none, and took a tenth of the time of a run on a country's roads.
    gc.set_threshold(5_000_000, 20, 100)
    # Python looks for circles several times more while a process ends: among a million objects of libraries that took
    # as long as writing a page.
    atexit.register(gc.freeze)
    keep_large_apart()
    _tidy_up_when_ended()
    try:
        app(prog_name="corridor")
    except CorridorError as error:
        print_error(f"corridor: {' '.join(str(error).split())}")
        sys.exit(2)
    except KeyboardInterrupt as interrupt:
        _end_interrupted(interrupt)
    except Exception as error:
        # libraries say in words of their own that a limit leaves them no room
        if not isinstance(error, MemoryError) and not any(sign in str(error) for sign in _SIGNS_OF_NO_MEMORY):
            _end_by_the_machine(error)
            raise
        print_error(f"corridor: {_NO_MEMORY}")
        sys.exit(2)


def _end_by_the_machine(error: Exception) -> None:
    """End with one line where it is the machine that refuses something; give back what is a fault of this program."""
    if isinstance(error, OSError) and error.errno in REMEDIES:
        if error.filename is None:
            drop_stream(sys.stdout)  # perhaps it was stdout that took no more, and would fail again at the end
        where = f"{error.filename}: " if error.filename else ""
        print_error(f"corridor: {where}{error.strerror}; {REMEDIES[error.errno]}")
        sys.exit(2)
    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):
        print_error(
            f"corridor: {str(error).partition(' from ')[2].strip(chr(39))}: is a link that leads back to itself"
        )
        sys.exit(2)
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        print_error(f"corridor: can't start another thread; {REMEDIES[errno.EAGAIN]}")
        sys.exit(2)
