"""Long-distance flows: generalised cost, choice between branches, dependence, potentials and regret.

The public functions are :func:`load_tables`, :func:`build_cases`, :func:`measure_flows` and :func:`write_flows`; the
measures stand in :mod:`corridor.flows.cost` and :mod:`corridor.flows.indicators`.
"""

from __future__ import annotations
