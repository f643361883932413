"""What an OpenStreetMap file says of its own size, held against bounds before anything of it is unpacked."""

from __future__ import annotations

import bz2
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO

from corridor.errors import SourceError

_BOMB_BYTES = 1_500_000_000
_BOMB_RATIO = 50
_READ = 1 << 20


def refuse_bomb(path: Path) -> None:
    """Refuse a file that would unpack to 1.5 GB and more than 50 times its size.

    OpenStreetMap files shrink to a half (PBF) or a fifteenth (packed XML). Blocks of a PBF say what they unpack to,
    and libosmium unpacks no more than that; packed XML says nothing, so it is unpacked here, piece by piece.

    Raises:
        SourceError: as said.
    """
    limit = max(_BOMB_BYTES, _BOMB_RATIO * path.stat().st_size)
    openers = {".gz": gzip.open, ".bz2": bz2.open}
    try:
        if path.name.endswith(".pbf"):
            with path.open("rb") as stream:
                size = _pbf_bytes(stream)
        elif path.suffix in openers:
            with openers[path.suffix](path, "rb") as stream:
                size = 0
                while size <= limit and (piece := stream.read(_READ)):
                    size += len(piece)
        else:
            return
    except (OSError, EOFError, ValueError, zlib.error):
        return  # what is broken is named by the reader, more exactly
    if size > limit:
        raise SourceError(
            f"{path}: unpacks to more than {limit / 1e9:.1f} GB, {_BOMB_RATIO} times its size or more, as no map does; "
            "fetch the file again"
        )


def _pbf_bytes(stream: BinaryIO) -> int:
    """Bytes that the blocks of a PBF say they unpack to, until the end or the first block that isn't one."""
    total = 0
    while len(word := stream.read(4)) == 4:
        size = int.from_bytes(word, "big")
        if size > 1 << 16:
            break
        length = _number(stream.read(size), 3)
        start = stream.read(32)
        if length is None or length < len(start):
            break
        total += _number(start, 2) or length
        stream.seek(length - len(start), 1)
    return total


def _number(message: bytes, wanted: int) -> int | None:
    """The first number with this tag in a message of the protocol, if it is there before the bytes end."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        if key & 7 == 2:
            at += value
        elif key & 7 != 0:
            return None
        elif key >> 3 == wanted:
            return value
    return None


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        value |= (message[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if message[at - 1] < 0x80:
            break
    return value, at
