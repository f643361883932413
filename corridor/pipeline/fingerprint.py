"""Digests of values by their content, so that equal values are known to be equal wherever they were made."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np
import shapely

MAX_ARRAY_BYTES = 1 << 20
"""Larger arrays aren't read through: see :func:`fingerprint`."""


class _OpaqueError(TypeError):
    """A value whose content isn't looked at."""


def fingerprint(value: Any) -> bytes | None:
    """The digest of a value's content, 16 bytes, the same in every process; None where the content isn't looked at.

    Looked at are numbers, texts, paths, enums, lists, tuples, mappings (with their order), sets, frozen dataclasses,
    pydantic models, geometries, and arrays of up to a megabyte. Of tables and larger arrays, alone or inside another
    value, a caller has to go by identity. Numbers of other types differ: 1 isn't 1.0, nor True.

    Args:
        value: what is to be known again.

    >>> fingerprint({"km": (1.0, 2.0)}) == fingerprint({"km": (1.0, 2.0)})
    True
    >>> fingerprint(1) == fingerprint(1.0)
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        _feed(digest.update, value)
    except _OpaqueError:
        return None
    return digest.digest()


def combine(*parts: str | bytes) -> bytes:
    """One digest of several names and digests in their order.

    Args:
        parts: names, or digests of this module.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        _tagged(digest.update, b"", part.encode() if isinstance(part, str) else part)
    return digest.digest()


def _tagged(put: Callable[[bytes], None], tag: bytes, content: bytes) -> None:
    """Kind and length go first, so that no two sequences of values make the same bytes."""
    put(tag + struct.pack("<q", len(content)) + content)


def _feed(put: Callable[[bytes], None], value: Any) -> None:
    # the commonest kinds of a catalogue's rows first: a digest of all its sections takes milliseconds
    if isinstance(value, Enum):
        _name(put, b"E", value)
        _feed(put, value.value)
    elif isinstance(value, str):
        _tagged(put, b"s", value.encode())
    elif value is None or isinstance(value, bool):
        put(b"N" if value is None else b"T" if value else b"F")
    elif isinstance(value, float) and not isinstance(value, np.generic):
        put(b"f" + struct.pack("<d", value))
    elif isinstance(value, int):
        _tagged(put, b"i", str(value).encode())
    elif isinstance(value, (tuple, list)):
        put((b"t" if isinstance(value, tuple) else b"l") + struct.pack("<q", len(value)))
        for item in value:
            _feed(put, item)
    elif isinstance(value, Mapping):
        put(b"m" + struct.pack("<q", len(value)))
        for key, item in value.items():
            _feed(put, key)
            _feed(put, item)
    elif isinstance(value, (set, frozenset)):
        _feed_set(put, value)
    elif isinstance(value, shapely.Geometry):
        _tagged(put, b"g", shapely.to_wkb(value, include_srid=True))
    elif isinstance(value, (np.ndarray, np.generic)):
        _feed_array(put, np.asarray(value))
    elif isinstance(value, bytes):
        _tagged(put, b"b", value)
    elif isinstance(value, PurePath):
        _tagged(put, b"p", str(value).encode())
    else:
        _feed_fields(put, value)


def _feed_fields(put: Callable[[bytes], None], value: Any) -> None:
    """A dataclass or a pydantic model, field by field; what is cached on it beside its fields doesn't count."""
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
    elif hasattr(type(value), "model_fields"):
        names = list(type(value).model_fields)
    else:
        raise _OpaqueError(type(value).__qualname__)
    _name(put, b"D", value)
    for name in names:
        _feed(put, getattr(value, name))


def _feed_set(put: Callable[[bytes], None], value: set[Any] | frozenset[Any]) -> None:
    """Members in the order of their digests: a set has none of its own that lasts."""
    digests = [fingerprint(item) for item in value]
    if None in digests:
        raise _OpaqueError("set")
    _tagged(put, b"S", b"".join(sorted(digest for digest in digests if digest)))


def _feed_array(put: Callable[[bytes], None], array: np.ndarray[Any, Any]) -> None:
    if array.nbytes > MAX_ARRAY_BYTES or array.dtype.hasobject:
        raise _OpaqueError("array")
    _tagged(put, b"a", f"{array.dtype.str}{array.shape}".encode())
    put(array.tobytes())


def _name(put: Callable[[bytes], None], tag: bytes, value: Any) -> None:
    _tagged(put, tag, f"{type(value).__module__}.{type(value).__qualname__}".encode())
