"""Files of this machine: the package's own, those of unknown hands, and writing that is whole or not at all."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from corridor.errors import CorridorError, OutputError, SourceError
from corridor.wording import with_article

# --- Where the data that ships with the package lies, installed or in a source tree ---


def data_root() -> Path:
    """Return the folder with ``bundled/``, ``reference/`` and ``studies/``.

    A wheel carries it as ``corridor/_data``; a source tree (also an editable install) has it beside the package.
    """
    package = Path(str(files("corridor")))
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


def bundled_data() -> Path:
    """Where the data that ships with the package lies, to copy from and to read.

    Returns:
        The folder with ``bundled/`` (heights, borders, places), ``reference/`` (the catalogue) and ``studies/``.
    """
    return data_root()


# --- Text from files of unknown hands: bounded in size and depth, UTF-8, and free of what deceives readers ---

_MAX_BYTES = 2_000_000
_MAX_PARTS = 20
_DOTTED = re.compile(rf"(?:\.[ \t]*[\w\"'-]{{1,50}}[ \t]*){{{_MAX_PARTS}}}")
# what turns the order of letters about (Unicode's embeddings, overrides and isolates); marks that scripts need stay
_TURNERS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d\u200e\u200f")


def odd_character(text: str, *, lines: bool = False) -> str | None:
    """The first character that plain text doesn't hold, as ``U+0000``, or None.

    Control characters and those that turn the order of letters about are odd, and so are halves of letters. Joiners
    and direction marks, which Persian and other scripts need, are not. ``lines`` allows line feeds and tabs.
    """
    # nearly every cell of a table is printable as a whole, and then none of its letters is odd
    if text.isprintable():
        return None
    for letter in text:
        if letter in _JOINERS or letter.isprintable() or (lines and letter in "\n\r\t"):
            continue
        if letter in _TURNERS or letter < " " or "\x7f" <= letter <= "\x9f" or "\ud800" <= letter <= "\udfff":
            return f"U+{ord(letter):04X}"
    return None


def parse_toml(path: Path, what: str, error: type[CorridorError]) -> dict[str, Any]:
    """A short TOML file, parsed; a byte order mark is passed over. ``what`` says in errors what was wanted.

    Args:
        path: of the file.
        what: what was wanted, for the message.
        error: which kind of error to raise.

    Raises:
        CorridorError: of the kind ``error``: the file is missing, can't be read, is over 2 MB, isn't TOML, nests
            deeper than any file of this project needs, or holds odd characters.
    """
    try:
        if path.exists() and not path.is_file():
            raise error(f"{path}: is a folder or no plain file; give the path of {what}")
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise error(f"{path}: is larger than {_MAX_BYTES // 1_000_000} MB; give the path of {what}")
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        deep = _DOTTED.search(text)  # the parser's time grows with the square of the depth
        if deep:
            line = text.count("\n", 0, deep.start()) + 1
            raise error(f"{path}: line {line}: a key of over {_MAX_PARTS} parts; no table here nests so deep")
        parsed = tomllib.loads(text)
        _refuse_odd(parsed, path, error, "")
    except FileNotFoundError as fault:
        raise error(f"{path}: no such file; give the path of {what}") from fault
    except OSError as fault:
        raise error(f"{path}: can't be read ({fault.strerror}); give the path of {what}") from fault
    except UnicodeDecodeError as fault:
        raise error(f"{path}: is not valid TOML: byte {fault.start} is no UTF-8; give the path of {what}") from fault
    except RecursionError as fault:
        raise error(f"{path}: is not valid TOML: brackets nest too deep") from fault
    except ValueError as fault:
        if isinstance(fault, CorridorError):
            raise
        raise error(f"{path}: is not valid TOML: {str(fault).split('; use sys.')[0]}") from fault
    return parsed


def _refuse_odd(value: Any, path: Path, error: type[CorridorError], field: str) -> None:
    """Look through all keys and texts; numbers beyond 64 bits are refused too, nothing here is that large."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_odd(key, path, error, field)
            _refuse_odd(inner, path, error, f"{field}.{key}".strip("."))
    elif isinstance(value, list):
        for inner in value:
            _refuse_odd(inner, path, error, field)
    elif isinstance(value, str):
        odd = odd_character(value, lines=True)
        if odd:
            raise error(f"{path}: {field or 'a key'}: holds the character {odd}, which nobody sees; write plain text")
    elif isinstance(value, int) and abs(value) >= 1 << 63:
        raise error(f"{path}: {field}: a number of over 18 digits; give one that can be meant")


# --- Files from outside before anybody reads them: present, plain, readable, and no larger than they may be ---


def require_file(path: Path, what: str, max_bytes: int | None = None) -> None:
    """Raise a SourceError unless ``path`` is a readable plain file with something in it, and not over a size.

    Args:
        path: What is to be read.
        what: What it should be, in a word, for an error.
        max_bytes: The largest that it may be; any size if left out.
    """
    try:
        if not path.exists():
            raise SourceError(f"{path}: no such file; give the path of an existing {what}")
        if path.is_dir():
            raise SourceError(f"{path}: is a folder; give the path of {with_article(what)}")
        # Reading a pipe or a device could wait for ever.
        if not path.is_file():
            raise SourceError(f"{path}: is a device or a pipe; give the path of {with_article(what)}")
        with path.open("rb") as stream:
            empty = not stream.read(1)
        size = path.stat().st_size
    except OSError as fault:
        raise SourceError(f"{str(path)[:200]}: can't be read ({fault.strerror}); check path and permissions") from fault
    if empty:
        raise SourceError(f"{path}: is empty; fetch the {what} again")
    if max_bytes is not None and size > max_bytes:
        raise SourceError(f"{path}: is larger than {max_bytes / 1e6:,.0f} MB; is it really {with_article(what)}?")


_MAX_HEADER = 100_000
_SEPARATORS = {b";": "semicolons", b"\t": "tabs"}


def require_commas(path: Path) -> None:
    """Raise a SourceError if a table's cells are parted by semicolons or tabs, as spreadsheets of some languages do.

    Args:
        path: CSV file that is there.
    """
    with path.open("rb") as stream:
        header = stream.readline(_MAX_HEADER)
    # One wide column would be told as missing ones. What is no text at all is left to who reads it.
    is_text = header.decode(errors="replace").removeprefix("\ufeff").replace("\t", "").rstrip().isprintable()
    found = [name for sign, name in _SEPARATORS.items() if sign in header and b"," not in header and is_text]
    if found:
        raise SourceError(f"{path}: its cells are parted by {found[0]}; save it with commas")


def read_json(path: Path, what: str, max_bytes: int) -> Any:
    """The content of a JSON file that somebody else may have written.

    Args:
        path: The file.
        what: What it should be, in a word, for an error.
        max_bytes: The largest that it may be.

    Returns:
        What :func:`json.loads` makes of it; numbers are finite, and every text can be written as UTF-8.

    Raises:
        SourceError: it is missing, no plain file, too large, or no JSON.
    """
    require_file(path, what, max_bytes)
    try:
        # editors on Windows put a byte order mark first
        text = path.read_text(encoding="utf-8-sig")
        found = json.loads(text, parse_constant=_refuse_constant)
        # Half of a pair of code units passes json and fails wherever the text is written.
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except OSError as fault:
        raise SourceError(f"{path}: can't be read ({fault.strerror}); check path and permissions") from fault
    except (ValueError, RecursionError) as fault:
        reason = "it is nested too deeply" if isinstance(fault, RecursionError) else str(fault).splitlines()[0][:120]
        raise SourceError(f"{path}: isn't {with_article(what)} ({reason}); make it again") from fault
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


# --- What the machine refuses, and how that is told ---

REMEDIES = {
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


def unwritable(where: object, fault: Exception, remedy: str) -> OutputError:
    """The error of a file or folder that can't be written.

    Args:
        where: the file or folder.
        fault: of the system or of a library that writes.
        remedy: what helps where the fault itself doesn't say that something else would.
    """
    full = "disk is full" in str(fault)
    number = errno.ENOSPC if full else getattr(fault, "errno", None)
    # in the system's words, without numbers, Python's names and the statements of a database
    told = os.strerror(errno.ENOSPC) if full else str(getattr(fault, "strerror", None) or fault)
    reason = " ".join(told.partition(": sqlite3_exec(")[0].split())[:200] or type(fault).__name__
    return OutputError(f"{where}: can't be written ({reason}); {REMEDIES.get(number, remedy) if number else remedy}")


# --- Atomic writing: files and folders appear whole or not at all, in place of older ones at once ---

TOOL = "corridor"
"""Who wrote a folder, as its manifest says."""
WRITING = "writing.lock"
"""The file that marks a folder somebody writes in."""
_OLD = "old"
_EXCHANGE = 2
_HERE = -100


@contextlib.contextmanager
def workspace(parent: Path, name: str) -> Iterator[Path]:
    """An empty folder in ``parent`` that is gone afterwards, whatever happens; those of killed processes go first.

    Raises:
        OSError: the parent can't be written.
    """
    prefix = f".{name}-"
    for left in parent.glob(f"{_literal(prefix)}*/{WRITING}"):
        with contextlib.suppress(OSError), left.open("r+b") as mark:
            if _lock(mark.fileno()):
                _put_back(left.parent / _OLD, parent / name)
                shutil.rmtree(left.parent, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as made,
        (Path(made) / WRITING).open("w+b") as mark,
    ):
        _lock(mark.fileno())  # the system lets go of it when the process ends, however it ends
        try:
            yield Path(made)
        finally:
            # The mark goes last: by it the next one knows what a process left that was killed while tidying up.
            for entry in Path(made).iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)


def put_in_place(fresh: Path, target: Path, work: Path, ours: Collection[str]) -> None:
    """Let the folder ``fresh`` become ``target``; files of others that lie in an older target come along.

    At every moment either the old or the new folder stands there whole; where the system can't exchange two folders,
    the old one is away for an instant and :func:`workspace` brings it back if the process is killed just then.

    Args:
        fresh: the new folder.
        target: where it is to stand.
        work: a folder of one's own beside it.
        ours: names of files that are replaced rather than carried over.

    Raises:
        OSError: it can't be done; the old folder stands as it was.
    """
    if not target.exists():
        fresh.replace(target)
        return
    for entry in target.iterdir():
        if entry.name not in ours and not (entry / WRITING).exists():
            _carry(entry, fresh / entry.name)
    if _exchange(fresh, target):
        return
    old = work / _OLD
    target.replace(old)
    try:
        fresh.replace(target)
    except OSError:
        old.replace(target)
        raise


def _carry(entry: Path, to: Path) -> None:
    """A second name for a file or for all of a folder; a copy where there can be none; links stay links."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.copytree(entry, to, symlinks=True, copy_function=_link_or_copy)
    else:
        _link_or_copy(str(entry), str(to))


def _link_or_copy(source: str, to: str, **_: object) -> str:
    try:
        os.link(source, to, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, to, follow_symlinks=False)
    return to


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two folders in one step, where the system and the disk can; says whether it was done."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return call is not None and call(_HERE, os.fsencode(a), _HERE, os.fsencode(b), _EXCHANGE) == 0


def _put_back(old: Path, target: Path) -> None:
    if old.is_dir() and not target.exists():
        old.replace(target)


def _lock(descriptor: int) -> bool:
    """Whether this process has the lock of an open file now."""
    try:
        import fcntl
    except ImportError:  # no such locks here: leave what others may be writing
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def require_place_for(path: Path, what: str) -> None:
    """Say before long work whether a file can stand where it is asked for.

    Args:
        path: where to.
        what: what it holds, in a word: ``table``, ``map``.

    Raises:
        OutputError: the path is a folder, or its folder isn't there.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file for the {what} with --out")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.absolute().parent}; make it, or choose another with --out")


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make the file beside its place, then move it there; what was there before stays if that fails.

    Raises:
        OutputError: it can't be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.absolute().parent) as work:
            fresh = Path(work) / path.name
            write(fresh)
            fresh.replace(path)
    except OSError as fault:
        raise unwritable(path, fault, "choose another place with --out") from fault
