"""Sound files changed a little, by chance that a seed decides: bytes anywhere, words of a text, values of JSON."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import random
import re
import zipfile
import zlib
from typing import Any

from tests.hostile.pbf import blob

WORDS = (
    b"nan", b"inf", b"-1", b"0", b"1e999", b"9" * 400, b"true", b"[[[[", b"\0", b"\xff\xfe", b"\xef\xbb\xbf",
    b"../../x", "\u202e".encode(), b'"', b"'''", b"\r", b"{", b"}", b"=", b",", b"\x1b[2J", b"a" * 3000,
)  # fmt: skip
TOKENS = (
    "", "0", "-1", "1e308", "-1e308", "1e-320", "nan", "NaN", "inf", "null", "None", "true", "[]", "{}", "9" * 25,
    "1/0", "0x10", "\u0661\u0662", "1\u066b5", "\U0001f600", "a" * 5000, "=1+1", "../../../etc/passwd", "/dev/zero",
    "http://127.0.0.1:9/x", "%s%n", "<b>", "&lt;", "2020-02-30", "0000-00-00", "180.5", "-91", "1,5", "1;2;3",
    "EPSG:9999999", "\u202e", "\x85", "\u0660",
)  # fmt: skip
STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**30, "", "x", "nan", [], {}, [[]], [None], {"a": {"b": []}}, "\ud800", "a\x1b[2J", 0.5,
)  # fmt: skip
_TOKEN = re.compile(rb"-?\d+(?:\.\d+)?|[A-Za-z_][\w-]{1,30}")


def spoil(content: bytes, chance: random.Random) -> bytes:
    """The content with one to three changes: bytes flipped, cut, doubled, dropped, swapped, or a nasty word put in."""
    for _ in range(chance.randint(1, 3)):
        if not content:
            return content
        at, size = chance.randrange(len(content)), chance.randint(1, 60)
        how = chance.choice(("flip", "byte", "cut", "drop", "double", "swap", "word", "number", "zeros"))
        head, piece, tail = content[:at], content[at : at + size], content[at + size :]
        if how == "flip":
            content = head + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]
        elif how == "byte":
            content = head + bytes([chance.randrange(256)]) + content[at + 1 :]
        elif how == "cut":
            content = head
        elif how == "drop":
            content = head + tail
        elif how == "double":
            content = head + piece * chance.choice((2, 2, 50)) + tail
        elif how == "swap":
            content = tail + piece + head
        elif how == "word":
            content = head + chance.choice(WORDS) + tail
        elif how == "number":
            number = chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 1 << 20))
            content = head + number.to_bytes(4, chance.choice(("little", "big"))) + content[at + 4 :]
        else:
            content = head + bytes(size) + tail
    return content


def spoil_words(content: bytes, chance: random.Random) -> bytes:
    """The content with one to three of its words or numbers put as something else: the rest stays well-formed."""
    for _ in range(chance.randint(1, 3)):
        found = [match.span() for match in _TOKEN.finditer(content)]
        if not found:
            return spoil(content, chance)
        start, end = chance.choice(found)
        other = chance.choice(found)
        word = content[slice(*other)] if chance.random() < 0.3 else chance.choice(TOKENS).encode()
        content = content[:start] + word + content[end:]
    return content


def spoil_json(content: bytes, chance: random.Random) -> bytes:
    """The content, which is JSON, with a value anywhere in it taken away, doubled, or put as something else."""
    root = [json.loads(content)]
    for _ in range(chance.randint(1, 2)):
        inside, key = _anywhere(root, chance)
        how = chance.random()
        if how < 0.15 and inside is not root:
            del inside[key]
        elif how < 0.25 and isinstance(inside, list):
            inside.append(inside[key])
        else:
            inside[key] = chance.choice(STRANGE)
    return json.dumps(root[0]).encode()


def _anywhere(root: list[Any], chance: random.Random) -> tuple[Any, Any]:
    """A place inside nested lists and tables: what holds it, and its key."""
    inside: Any = root
    key: Any = 0
    while True:
        value = inside[key]
        if not isinstance(value, dict | list) or not value or chance.random() < 0.15:
            return inside, key
        inside = value
        key = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))


def change(content: bytes, chance: random.Random) -> bytes:
    """The content changed in the way that finds most in such a file: bytes, words if it is a text, values if JSON.

    What is packed is unpacked first more often than not, so that its reader gets beyond the packing.
    """
    if chance.random() < 0.7:
        for first, repack in _PACKED.items():
            if content.startswith(first):
                return repack(content, chance)
        if b"OSMHeader" in content[:64]:
            return _repack_pbf(content, chance)
    is_text = b"\0" not in content[:2000] and content[:4] != b"PAR1"
    how = chance.random()
    if is_text and content.lstrip()[:1] in (b"{", b"[") and how < 0.6:
        try:
            return spoil_json(content, chance)
        except ValueError:
            return spoil(content, chance)
    return spoil_words(content, chance) if is_text and how < 0.75 else spoil(content, chance)


def _repack_zip(content: bytes, chance: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = archive.infolist()[0]
        inside = archive.read(member)
    out = io.BytesIO()
    name = member.filename if chance.random() < 0.7 else spoil(member.filename.encode(), chance).decode("latin-1")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        # a member needs a name: zipfile ends it at a NUL and fails at an empty one
        archive.writestr(name.split("\0")[0] or "-", change(inside, chance))
    return out.getvalue()


_PACKED = {
    b"\x1f\x8b": lambda content, chance: gzip.compress(change(gzip.decompress(content), chance), mtime=0),
    b"BZh": lambda content, chance: bz2.compress(change(bz2.decompress(content), chance)),
    b"PK": _repack_zip,
}


def _repack_pbf(content: bytes, chance: random.Random) -> bytes:
    """A PBF of which the content of one block is changed; its lengths are right."""
    blocks, at = [], 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        head = content[at + 4 : at + 4 + size]
        end = content.find(b"OSM", at + 4 + size) if content.find(b"OSM", at + 4 + size) > 0 else len(content) + 6
        body = content[at + 4 + size : end - 6]
        packed = zlib.decompressobj()
        blocks.append((head[2 : 2 + head[1]].decode(), packed.decompress(body[body.index(b"\x78\x9c") :])))
        at = at + 4 + size + len(body) - len(packed.unused_data)
    chosen = chance.randrange(len(blocks))
    return b"".join(blob(kind, spoil(data, chance) if i == chosen else data) for i, (kind, data) in enumerate(blocks))
