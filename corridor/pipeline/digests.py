"""Digests of values by their content, so that equal values are known to be equal wherever they were made."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from pathlib import PurePath
from typing import Any

import numpy as np
import shapely

MAX_ARRAY_BYTES = 1 << 20
"""Larger arrays aren't read through: see :func:`fingerprint`."""


_Put = Callable[[bytes], None]
"""What takes the next bytes of a digest."""


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


def _tagged(put: _Put, tag: bytes, content: bytes) -> None:
    """Kind and length go first, so that no two sequences of values make the same bytes."""
    put(tag + struct.pack("<q", len(content)) + content)


def _feed(put: _Put, value: Any) -> None:
    # The commonest kinds first, by their very type: a catalogue has hundreds of thousands of cells.
    kind: Any = type(value)
    if kind is str:
        _tagged(put, b"s", value.encode())
    elif kind is float:
        put(b"f" + struct.pack("<d", value))
    elif kind is tuple:
        put(b"t" + struct.pack("<q", len(value)))
        for item in value:
            _feed(put, item)
    else:
        _feeder(kind)(put, value)


@cache
def _feeder(kind: Any) -> Callable[[_Put, Any], None]:
    """What feeds values of a type, which is asked once for each."""
    # Before texts and whole numbers, which members may be too; and True is a whole number in Python.
    if issubclass(kind, Enum):
        return _feed_member
    if issubclass(kind, bool):
        return lambda put, value: put(b"T" if value else b"F")
    # Scalars of numpy are floats too; they go with arrays, which tell their type.
    if issubclass(kind, np.generic) and not issubclass(kind, str):
        return lambda put, value: _feed_array(put, np.asarray(value))
    for base, feed in _FEEDERS.items():
        if issubclass(kind, base):
            return feed
    names = _field_names(kind)
    if names is None:
        return _refuse
    mark, of = _named(b"D", kind), attrgetter(*names) if len(names) > 1 else None

    def feed_fields(put: _Put, value: Any) -> None:
        # what is cached on it beside its fields doesn't count
        put(mark)
        for item in of(value) if of else [getattr(value, name) for name in names]:
            _feed(put, item)

    return feed_fields


def _field_names(kind: type) -> tuple[str, ...] | None:
    """Names of a dataclass' or a pydantic model's fields, None for other types."""
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    return tuple(kind.model_fields) if hasattr(kind, "model_fields") else None


def _refuse(_: _Put, value: Any) -> None:
    raise _OpaqueError(type(value).__qualname__)


def _feed_member(put: _Put, value: Enum) -> None:
    kind: Any = type(value)
    put(_named(b"E", kind))
    _feed(put, value.value)


def _feed_items(put: _Put, value: Collection[Any]) -> None:
    put((b"t" if isinstance(value, tuple) else b"l") + struct.pack("<q", len(value)))
    for item in value:
        _feed(put, item)


def _feed_mapping(put: _Put, value: Mapping[Any, Any]) -> None:
    put(b"m" + struct.pack("<q", len(value)))
    for key, item in value.items():
        _feed(put, key)
        _feed(put, item)


def _feed_set(put: _Put, value: set[Any] | frozenset[Any]) -> None:
    """Members in the order of their digests: a set has none of its own that lasts."""
    digests = [fingerprint(item) for item in value]
    if None in digests:
        raise _OpaqueError("set")
    _tagged(put, b"S", b"".join(sorted(digest for digest in digests if digest)))


def _feed_array(put: _Put, array: np.ndarray[Any, Any]) -> None:
    if array.nbytes > MAX_ARRAY_BYTES or array.dtype.hasobject:
        raise _OpaqueError("array")
    _tagged(put, b"a", f"{array.dtype.str}{array.shape}".encode())
    put(array.tobytes())


@cache
def _named(tag: bytes, kind: Any) -> bytes:
    """A type's full name, tagged."""
    parts: list[bytes] = []
    _tagged(parts.append, tag, f"{kind.__module__}.{kind.__qualname__}".encode())
    return parts[0]


_FEEDERS: dict[type, Callable[[_Put, Any], None]] = {
    str: lambda put, value: _tagged(put, b"s", value.encode()),
    type(None): lambda put, _: put(b"N"),
    float: lambda put, value: put(b"f" + struct.pack("<d", value)),
    int: lambda put, value: _tagged(put, b"i", str(value).encode()),
    tuple: _feed_items,
    list: _feed_items,
    Mapping: _feed_mapping,
    set: _feed_set,
    frozenset: _feed_set,
    shapely.Geometry: lambda put, value: _tagged(put, b"g", shapely.to_wkb(value, include_srid=True)),
    np.ndarray: _feed_array,
    bytes: lambda put, value: _tagged(put, b"b", value),
    PurePath: lambda put, value: _tagged(put, b"p", str(value).encode()),
    type: _refuse,
}
