"""What a command can spare itself when it starts."""

import gc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_UNUSED = ("pandas",)
_UNUSED_OF_NUMPY = ("ctypeslib", "f2py", "polynomial", "testing")


class _Absent:
    """An import finder for which pandas is not installed."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Refuse what is not needed; leave the rest to the other finders."""
        if name in _UNUSED:
            raise ModuleNotFoundError(f"{name} is not needed here", name=name)
        return None


def start_lean() -> None:
    """Import numpy, pyarrow and scipy.special without what they drag along.

    The first `pyarrow.array` call imports pandas to see whether its argument is a
    pandas object, and `scipy.special` imports numpy's test tools and the front end of
    a Fortran compiler (through `from numpy import *`). Together that takes longer
    than a comparison.
    Once told that pandas is absent pyarrow does not look again by itself;
    `to_pandas()` still finds it. The garbage collector would go through every
    newly imported object several times; it is told to wait longer.
    """
    gc.set_threshold(50_000, 20, 20)
    if "pandas" in sys.modules or "pyarrow" in sys.modules:
        return
    finder = _Absent()
    sys.meta_path.insert(0, finder)
    import numpy as np

    withheld = [name for name in _UNUSED_OF_NUMPY if name not in vars(np)]
    vars(np).update(dict.fromkeys(withheld))
    try:
        import pyarrow as pa
        import scipy.special  # noqa: F401 - imported for later

        pa.array([0])
    finally:
        sys.meta_path.remove(finder)
        for name in withheld:
            if vars(np)[name] is None:
                del vars(np)[name]
