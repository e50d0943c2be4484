"""What a command can spare itself when it starts."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Absent:
    """An import finder for which pandas is not installed."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Refuse pandas; leave everything else to the other finders."""
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not needed here", name=name)
        return None


def spare_pandas() -> None:
    """Keep pyarrow from importing pandas, which takes longer than a comparison.

    The first `pyarrow.array` call looks whether its argument is a pandas object,
    and imports pandas to find out (half a second). Once told that there is none
    it does not look again; `to_pandas()` still finds it.
    """
    if "pandas" in sys.modules or "pyarrow" in sys.modules:
        return
    finder = _Absent()
    sys.meta_path.insert(0, finder)
    try:
        import pyarrow

        pyarrow.array([0])
    finally:
        sys.meta_path.remove(finder)
