"""Prediction files and earlier runs, read as `Recorded` sides.

A reader is `read(location, request) → Recorded`; other packages add readers for
other tools' files through the entry-point group `compat_eval.readers`.
"""

from compat_eval.core.registry import Registry

READERS = Registry(
    group="compat_eval.readers",
    noun="prediction scheme",
    builtin={
        "baseline": "compat_eval.readers.baseline:read",
        "preds": "compat_eval.readers.files:read",
        "run": "compat_eval.readers.run:read",
    },
)
