"""How loops are compiled, and kept compiled.

Numba keeps machine code beside the sources and makes it anew when the file of a function changes. It doesn't see that a
function of another file, which was compiled into this one, has changed, and it fails on what it kept of types that have
moved since. So the kept code is marked with the text of all files that hold compiled functions, and code with another
mark is made anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.types import unliteral

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_FOLDER = Path(__file__).resolve().parent
_SIGN = b"from corridor.compiled import"


@cache
def source_mark() -> str:
    """A hash of all files of the package that hold compiled functions."""
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.rglob("*.py")):
        text = path.read_bytes()
        if _SIGN in text:
            digest.update(f"{path.relative_to(_FOLDER).as_posix()} {len(text)}\n".encode())
            digest.update(text)
    return digest.hexdigest()


def load_compiler() -> None:
    """Load what the first kernel would load that is called, about a quarter of a second, while there is time for it."""
    cpu_target.target_context.refresh()
    cpu_target.typing_context.refresh()


def _without_literals(words: Any, named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Types of a call's words, in which a constant is a number as any other.

    Numba takes each constant as a type of its own, and would compile a function, with all that it calls, once more for
    every one that is handed to it.
    """
    plain: Any = unliteral
    return tuple(map(plain, words)), {name: plain(kind) for name, kind in named.items()}


class _Inner(CPUDispatcher):
    """A function that Python can't call: numba would jump to no address."""

    def __call__(self, *_: object, **__: object) -> None:
        """Refuse.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.py_func.__name__} is compiled for calls from kernels alone")


def _compile_with(**more: Any) -> Decorator:
    # Nothing calls these functions from C: without the wrappers for that they compile in a twentieth less.
    options = {"no_cfunc_wrapper": True, **more}

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        dispatcher: Any = njit(cache=True, **options)(function)
        if not hasattr(dispatcher, "get_call_template"):  # as who looks for a fault in Python itself wants it
            return function
        template = dispatcher.get_call_template
        dispatcher.get_call_template = lambda words, named: template(*_without_literals(words, named))
        if "no_cpython_wrapper" in options:
            dispatcher.__class__ = _Inner
        # Kept code is read only if it carries the version of numba; the mark becomes part of that. Where numba keeps
        # nothing (no folder can be written) or keeps it in another way, there is nothing to mark.
        kept: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
        if getattr(kept, "_version", None):
            kept._version = f"{kept._version} {source_mark()}"
        return dispatcher  # type: ignore[no-any-return]

    return decorate


compiled = _compile_with()
"""For functions that nothing else applies to."""

kernel = _compile_with(nogil=True, error_model="numpy", _nrt=False)
"""For functions that allocate nothing and that Python calls too.

Without ``_nrt=False`` every array that is handed on, alone or in a tuple, has its references counted at each call; that
made a walk along a short chord two and a half times as slow. The option is numba's own for such functions, but it is
not among the documented ones.
"""

inner = _compile_with(_nrt=False, nogil=True, error_model="numpy", no_cpython_wrapper=True)
"""For kernels that only other kernels call.

What turns the words of a call from Python into numbers and arrays is left out: for tuples of arrays it takes as long to
compile as many a kernel itself. Python can't call such a kernel: it raises ``TypeError``.
"""

allocating = _compile_with(nogil=True, error_model="numpy")
"""For functions that make arrays."""

pasted = _compile_with(nogil=True, error_model="numpy", inline="always")
"""For parts of functions that are cut out to be read, and pasted in where they are used."""
