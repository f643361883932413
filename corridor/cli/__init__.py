"""The command line: turns what people type into calls, and errors into one line and exit code 2."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

try:
    import resource

    # OpenBLAS starts its threads when numpy is imported, and ends the process where it may not.
    if 0 <= resource.getrlimit(resource.RLIMIT_NPROC)[0] < 256:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
except ImportError:  # systems without such limits
    pass

import corridor
from corridor.cli import align, compare, fetch, flows, new, sweep, terrain
from corridor.cli.common import print_error, print_plain
from corridor.errors import CorridorError
from corridor.report.i18n import clean_line


class _Commands(TyperGroup):
    """The commands; what typer says of a wrong call repeats words of the call, which may direct a terminal."""

    def make_context(self, *args: Any, **more: Any) -> Any:
        with _harmless_errors():
            return super().make_context(*args, **more)

    def invoke(self, ctx: Any) -> Any:
        with _harmless_errors():
            return super().invoke(ctx)


@contextmanager
def _harmless_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if isinstance(getattr(error, "message", None), str):
            error.message = clean_line(error.message)  # type: ignore[attr-defined]
        raise


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


_NO_MEMORY = "there isn't enough memory; take a smaller area or coarser heights, or raise the limit"
_MACHINE = {
    errno.ENOSPC: "make room on the disk, or name another folder",
    errno.EDQUOT: "make room on the disk, or name another folder",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs: the machine has no more files to give",
    errno.EAGAIN: "raise the limit of processes and threads (ulimit -u)",
    errno.ENOMEM: "take a smaller area or coarser heights, or raise the limit of memory",
    errno.EROFS: "name a folder that can be written",
}
"""What the machine refuses to any program, by its number, and what helps."""


def _drop_stdout() -> None:
    """Let what is left in the buffer of stdout go nowhere."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Entry point of the ``corridor`` command."""
    try:
        app(prog_name="corridor")
    except CorridorError as error:
        print_error(f"corridor: {' '.join(str(error).split())}")
        sys.exit(2)
    except KeyboardInterrupt:
        print_error("corridor: interrupted; nothing was written")
        sys.exit(130)
    except MemoryError:
        print_error(f"corridor: {_NO_MEMORY}")
        sys.exit(2)
    except ImportError as error:
        # What the loader says of a library that a limit of memory leaves no room for.
        if not any(words in str(error) for words in ("failed to map segment", "Cannot allocate memory")):
            raise
        print_error(f"corridor: {_NO_MEMORY}")
        sys.exit(2)
    except BrokenPipeError:
        _drop_stdout()  # who reads has had enough
        sys.exit(141)
    except OSError as error:
        if error.errno not in _MACHINE:
            raise
        if error.filename is None:
            _drop_stdout()  # perhaps it was stdout that took no more, and would fail again at the end
        where = f"{error.filename}: " if error.filename else ""
        print_error(f"corridor: {where}{error.strerror}; {_MACHINE[error.errno]}")
        sys.exit(2)
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
        print_error(f"corridor: can't start another thread; {_MACHINE[errno.EAGAIN]}")
        sys.exit(2)
