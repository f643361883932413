"""Ways with the ids of their vertices: what conflation works on before there is a graph."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84
from corridor.schema.message import Message

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ways:
    """Ways and the ids of their vertices, as :class:`corridor.io.read.osm.OsmData` has them.

    ``frame`` has ``section_id`` for catalogue sections besides; ``joins`` says what was joined or kept apart.
    """

    frame: gpd.GeoDataFrame
    node_ids: Ints
    offsets: Ints
    joins: tuple[Message, ...] = ()


def append_ways(ways: Ways, added: gpd.GeoDataFrame, node_ids: Ints, sizes: Ints) -> Ways:
    """Ways with others after them.

    Args:
        ways: the ways so far.
        added: rows with the same columns.
        node_ids: ids of the added ways' vertices, one after another, shape (n_vertices,).
        sizes: number of vertices of each added way, shape (n_added,).
    """
    frame = pd.concat([ways.frame, added], ignore_index=True)
    offsets = np.concatenate([ways.offsets, ways.offsets[-1] + np.cumsum(sizes)])
    both = np.concatenate([ways.node_ids, node_ids])
    return Ways(gpd.GeoDataFrame(frame, crs=WGS84), both, offsets, ways.joins)
