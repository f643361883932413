"""How the loops of the search are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

#: For functions that allocate nothing. Without ``_nrt=False`` every array that is handed on, alone or in a tuple, has
#: its references counted at each call; that made a walk along a short chord two and a half times as slow. The option
#: is numba's own for such functions, but it is not among the documented ones, so the type stubs don't know it.
kernel: Decorator = njit(cache=True, nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]

#: For functions that make arrays.
allocating: Decorator = njit(cache=True, nogil=True, error_model="numpy")

#: For parts of functions that are cut out to be read, and pasted in where they are used.
pasted: Decorator = njit(cache=True, nogil=True, error_model="numpy", inline="always")
