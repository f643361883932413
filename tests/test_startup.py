"""How a process starts: quick to import, and kernels that another process compiled are taken from the cache."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

import corridor

ROOT = Path(__file__).resolve().parents[1]
_IMPORT = """
import json, sys
import corridor
names = ("numpy", "pandas", "geopandas", "numba", "scipy", "rasterio", "pydantic", "dask", "folium", "typer")
print(json.dumps([name for name in names if name in sys.modules]))
"""
_COMPARE = """
import sys
import corridor.cli, corridor.comparison, corridor.export.results
unneeded = (
    "scipy.optimize", "scipy.spatial", "corridor.alignment", "corridor.sweeps", "corridor.mcda.review", "rasterio",
    "dask", "folium", "corridor.io.fetch.fetch_inputs",
)
print([name for name in unneeded if name in sys.modules])
"""
_KERNEL = """
import numpy as np
from corridor.terrain import profile
profile._envelopes(np.arange(4.0)[None], np.ones(3))
stats = profile._envelopes.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


_COMMAND = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_freeze_count() > 0))
from corridor.cli import main
sys.argv = ["corridor", "--version"]
main()
"""


def run(code, **environment):
    variables = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    said = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    return said.stdout


def test_importing_loads_nothing_heavy():
    assert json.loads(run(_IMPORT)) == []


def test_comparing_loads_nothing_that_only_other_commands_need():
    assert run(_COMPARE).strip() == "[]"


def test_a_process_ends_without_looking_through_what_it_holds():
    assert run(_COMMAND).splitlines() == [corridor.__version__, "True"]


def test_a_second_process_does_not_compile(tmp_path):
    assert run(_KERNEL, NUMBA_CACHE_DIR=str(tmp_path)).split() == ["0", "1"]
    assert run(_KERNEL, NUMBA_CACHE_DIR=str(tmp_path)).split() == ["1", "0"]


def test_every_kernel_is_cached():
    kernels = {}
    for found in pkgutil.walk_packages(corridor.__path__, "corridor."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        kernels |= {f"{found.name}.{k}": v for k, v in vars(module).items() if isinstance(v, Dispatcher)}
    assert kernels
    assert [name for name, kernel in kernels.items() if not isinstance(kernel._cache, FunctionCache)] == []
