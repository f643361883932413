"""What must not reach libosmium: files that unpack beyond bounds, and NUL characters in tags, which end its process."""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from corridor.errors import SourceError

_BOMB_BYTES = 1_500_000_000
_BOMB_RATIO = 50
_READ = 1 << 20
_MAX_BLOCK = 32 << 20
_OPL_NUL = re.compile(rb"%0+%")
_STRAY_NUL = re.compile(rb"(?<!\n)\0")
_RAW, _RAW_SIZE, _ZLIB = 1, 2, 3


class _TooManyError(Exception):
    """A block has more parts than any program writes."""


def refuse_dangerous(path: Path) -> None:
    """Refuse a file that unpacks to over 1.5 GB and 50 times its size, or has a NUL in a word.

    OpenStreetMap files shrink to a half (PBF) or a fifteenth (packed XML). Blocks of a PBF say what they unpack to,
    and libosmium unpacks no more than that; packed XML says nothing, so it is unpacked here, piece by piece. A NUL ends
    a word early in libosmium, which then reads beyond the end of the tags.

    Args:
        path: A file that is there and is to be read.

    Raises:
        SourceError: as said; what is merely broken is left to the reader, which names it more exactly.
    """
    # Small files may shrink a lot without harm, so the ratio counts only above a size.
    limit = max(_BOMB_BYTES, _BOMB_RATIO * path.stat().st_size)
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open}
    try:
        with path.open("rb") as plain:
            if ".pbf" in path.suffixes:
                if sum(size for size, _ in _blocks(plain)) > limit:
                    raise _bomb(path, limit)
                plain.seek(0)
                for size, block in _blocks(plain, whole=True):
                    _check_words(path, size, block)
                return
        with openers.get(path.suffix, open)(path, "rb") as stream:
            _check_text(path, stream, limit)
    except (EOFError, _TooManyError) as fault:
        reason = "it breaks off" if isinstance(fault, EOFError) else "a block of too many parts"
        raise SourceError(f"{path}: not readable as OpenStreetMap data ({reason}); fetch the file again") from fault
    except (OSError, ValueError, zlib.error) as fault:
        if isinstance(fault, SourceError):
            raise


def _bomb(path: Path, limit: int) -> SourceError:
    return SourceError(
        f"{path}: unpacks to more than {limit / 1e9:.1f} GB, {_BOMB_RATIO} times its size or more, as no map does; "
        "fetch the file again"
    )


def _nul(path: Path) -> SourceError:
    return SourceError(f"{path}: has a NUL character in a tag, as no map has; fetch the file again")


def _check_text(path: Path, stream: BinaryIO, limit: int) -> None:
    size, tail = 0, b""
    while piece := stream.read(_READ):
        size += len(piece)
        if size > limit:
            raise _bomb(path, limit)
        if ".opl" in path.suffixes and _OPL_NUL.search(tail + piece):
            raise _nul(path)
        # An escaped NUL may be cut by the end of a piece.
        tail = piece[-40:]


def _check_words(path: Path, size: int, block: bytes) -> None:
    """Look for a NUL in the table of words of a block."""
    for number, data in _fields(block, 100):
        if number not in {_RAW, _ZLIB}:
            continue
        unpacked = data if number == _RAW else zlib.decompressobj().decompress(data, min(size, _MAX_BLOCK) + 1)
        for table in (words for inner, words in _fields(unpacked, 10_000) if inner == 1):
            # an empty word is written as a line feed and a NUL; the first word of each table is empty
            doubtful = _STRAY_NUL.search(table) or table.count(b"\n\0") > 1
            if doubtful and any(b"\0" in word for _, word in _fields(table, 2_000_000)):
                raise _nul(path)


def _blocks(stream: BinaryIO, *, whole: bool = False) -> Iterator[tuple[int, bytes]]:
    """Unpacked size and content (or its start) of each block of a PBF, until one is broken.

    Raises:
        EOFError: the file ends inside the length of a block.
    """
    while word := stream.read(4):
        if len(word) < 4:
            raise EOFError
        # A PBF is: length of the header (4 bytes), header, block; the header's field 3 is the block's length.
        size = int.from_bytes(word, "big")
        if size > 1 << 16:
            return
        length = next((value for number, kind, value in _numbers(stream.read(size)) if (number, kind) == (3, 0)), None)
        if length is None or length > _MAX_BLOCK:
            return
        block = stream.read(length if whole else min(length, 32))
        stream.seek(length - len(block), 1)
        yield next((value for number, kind, value in _numbers(block) if (number, kind) == (2, 0)), length), block


def _numbers(message: bytes) -> Iterator[tuple[int, int, int]]:
    """Tag, wire type and number (or length) of the fields of a message, of those that begin in these bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        yield key >> 3, key & 7, value
        # Wire type 2 is bytes with a length before them; its content is passed over.
        at += value if key & 7 == 2 else 0


def _fields(message: bytes, most: int) -> Iterator[tuple[int, bytes]]:
    """Tag and bytes of the fields of a message, until one that can't be; numbers are passed over.

    Raises:
        ValueError: there are more than ``most``.
    """
    at = count = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if key >> 3 == 0 or kind in {3, 4, 6, 7}:
            return
        count += 1
        if count > most:
            raise _TooManyError
        if kind in {1, 5}:
            at += 8 if kind == 1 else 4
            continue
        value, at = _varint(message, at)
        if kind == 2:
            yield key >> 3, message[at : at + value]
            at += value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        # Seven bits a byte, the least first; the top bit says that more follow.
        value |= (message[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if message[at - 1] < 0x80:
            break
    return value, at
