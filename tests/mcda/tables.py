"""Small tables that several tests rank."""

import numpy as np
import pandas as pd

from corridor.mcda.matrix import Panel
from corridor.schema.column import Criterion


def make_criteria(count, groups=None, tolerance=0.0, factors=None):
    """Criteria c0, c1, ... worth their own number: best 1, worst 0."""
    return tuple(
        Criterion(
            f"c{k}",
            f"Label {k}",
            f"m{k}",
            "u",
            "max",
            groups[k] if groups else f"g{k}",
            1.0,
            0.0,
            tolerance=tolerance,
            factor=factors[k] if factors else "",
        )
        for k in range(count)
    )


def make_panel(values, low=None, high=None, **options):
    """A panel whose metrics are their own values."""
    values = np.asarray(values, dtype=float)
    ids = tuple(f"a{i}" for i in range(len(values)))
    low = values if low is None else np.asarray(low, dtype=float)
    high = values if high is None else np.asarray(high, dtype=float)
    return Panel("", "through", ids, ids, make_criteria(values.shape[1], **options), values, low, high)


ROUTE_CRITERIA = (
    Criterion("length", "Length", "length_km", "km", "min", "distance", 200.0, 600.0, tolerance=1.0),
    Criterion("cost", "Cost", "cost_musd", "million USD", "min", "terrain", 0.0, 3000.0),
    Criterion("delay", "Access delay", "access_delay_min", "min", "min", "border_access", 0.0, 120.0),
    Criterion("gain", "Gain", "gain_min", "min", "max", "north_south", 60.0, 0.0),
)


def route_table(**columns):
    """Four through routes and a comparator under one regime."""
    table = {
        "candidate_id": ["rail", "valley", "pass", "north", "abroad"],
        "name": ["Railway", "Valley road", "Pass road", "Northern road", "Road abroad"],
        "comparator": [False, False, False, False, True],
        "length_km": [250.0, 250.5, 350.0, 400.0, 300.0],
        "cost_musd": [1000.0, 900.0, 200.0, 10.0, 500.0],
        "access_delay_min": [30.0, 40.0, 10.0, 0.0, np.nan],
        "access_delay_min_status": ["", "", "", "", "not_applicable"],
        "gain_min": [0.0, 10.0, 20.0, 5.0, np.nan],
    }
    return pd.DataFrame(table | columns)
