"""A study over ground that doesn't exist: three countries, a ridge, a valley through it, and lines of known length.

Nothing of it is taken from anywhere, so every length, height and time follows from the numbers in these modules.
"""

from __future__ import annotations

from tests.synthetic.study import NAME, build, write_study

__all__ = ["NAME", "build", "write_study"]
