"""How a model is to be opened, the same for every scheme."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from compat_eval.core.errors import UsageError

Dtype: TypeAlias = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """What a user may ask of a model; nothing unsafe or inexact unless asked.

    Attributes:
        device: Where it runs: `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: What it computes in. A narrower type than float32 is faster and
            moves answers, so it is part of the fingerprint.
        revision: Commit, tag or branch of a model on the Hugging Face hub.
        trust_remote_code: Run Python code that comes with the model.
        allow_pickle: Read formats that can run code when they are opened.
        offline: Never ask the network.
        label_map: From the model's label names to the suite's.
        threads: Processor threads to compute with; `None` leaves the default.

    Raises:
        UsageError: The dtype is unknown, or the threads are fewer than one.

    """

    device: str = "cpu"
    dtype: Dtype = "float32"
    revision: str | None = None
    trust_remote_code: bool = False
    allow_pickle: bool = False
    offline: bool = False
    label_map: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.dtype not in get_args(Dtype):
            known = ", ".join(get_args(Dtype))
            raise UsageError(f"dtype must be one of {known}; got {self.dtype!r}")
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads must be at least 1; got {self.threads}")

    def deciding(self) -> dict[str, Any]:
        """Return the options that can change an answer, JSON-ready.

        Which device of a kind is used, and where a model is fetched from, cannot.
        """
        return {
            "device": self.device.partition(":")[0],
            "dtype": self.dtype,
            "label_map": dict(self.label_map),
            "trust_remote_code": self.trust_remote_code,
        }

    def flags(self) -> dict[str, bool]:
        """Return what a reviewer must know was allowed."""
        return {
            "allow_pickle": self.allow_pickle,
            "trust_remote_code": self.trust_remote_code,
        }
