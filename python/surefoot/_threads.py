"""How many threads are used where nobody says it."""

from __future__ import annotations

import functools
import os

from . import _core


@functools.cache
def _processors():
    return _core.default_threads()


def threads(asked):
    """The number that was asked for; else the processors, at most ``OMP_NUM_THREADS``, which joblib sets in its workers."""
    if asked is not None:
        return int(asked)
    limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(_processors(), int(limit)) if limit.isdigit() and int(limit) > 0 else _processors()
