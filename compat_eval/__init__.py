"""compat-eval: what worked yesterday and will not work tomorrow.

>>> import compat_eval
>>> found = compat_eval.compare(["a", "b"], ["a", "a"], gold=["a", "b"])
>>> found.judged.levels["example"].counts["broken"]
1
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compat_eval.comparison.result import Comparison
    from compat_eval.core.errors import CompatEvalError
    from compat_eval.workflows.run import compare

__version__ = "0.1.0"

__all__ = ["Comparison", "CompatEvalError", "__version__", "compare"]

_WHERE = {
    "Comparison": "compat_eval.comparison.result",
    "CompatEvalError": "compat_eval.core.errors",
    "compare": "compat_eval.workflows.run",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562: imported when used
    if name not in _WHERE:
        raise AttributeError(f"module 'compat_eval' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_WHERE[name]), name)
