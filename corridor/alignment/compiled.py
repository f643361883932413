"""How the loops of the search are compiled."""

from __future__ import annotations

from numba import njit

#: For functions that allocate nothing. Without it, every array that is handed on, alone or in a tuple, has its
#: references counted at each call; that made a walk along a short chord two and a half times as slow.
kernel = njit(cache=True, nogil=True, error_model="numpy", _nrt=False)

#: For functions that make arrays.
allocating = njit(cache=True, nogil=True, error_model="numpy")

#: For parts of functions that are cut out to be read, and pasted in where they are used.
pasted = njit(cache=True, nogil=True, error_model="numpy", inline="always")
