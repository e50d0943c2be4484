"""One file for each way to load a model.

A scheme's entry is `open_source(location, options) -> ModelSource`; its module
also has `recognises(path) -> bool`, which says, without importing anything
heavy, whether a path without a scheme is of this kind.
"""

from compat_eval.adapters.options import ModelOptions
from compat_eval.core.registry import Registry

__all__ = ["ADAPTERS", "ModelOptions"]

ADAPTERS = Registry(
    group="compat_eval.adapters",
    noun="model scheme",
    builtin={
        "compat": "compat_eval.adapters.compat:open_source",
        "faiss": "compat_eval.adapters.stores.faiss:open_source",
        "hf": "compat_eval.adapters.huggingface.source:open_source",
        "onnx": "compat_eval.adapters.onnx.source:open_source",
        "pgvector": "compat_eval.adapters.stores.pgvector:open_source",
        "python": "compat_eval.adapters.python:open_source",
        "sklearn": "compat_eval.adapters.sklearn:open_source",
        "spacy": "compat_eval.adapters.spacy.source:open_source",
        "sqlite-vec": "compat_eval.adapters.stores.sqlite_vec:open_source",
        "st": "compat_eval.adapters.sentence_transformers:open_source",
        "stanza": "compat_eval.adapters.stanza.source:open_source",
        "vectors": "compat_eval.adapters.stores.files:open_source",
    },
)
