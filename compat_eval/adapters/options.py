"""How a model is opened, and what identifies it then, alike for every scheme."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import unquote

from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.fingerprint import digest

Dtype: TypeAlias = Literal["float32", "bfloat16", "float16"]

_CODE = re.compile(r"(^|=)python:")


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
        stride: Of language models: how many tokens each further window of a document
            predicts that is too long to be read at once; `None` for half a window.

    Raises:
        UsageError: The dtype is unknown, or threads or stride are fewer than one.

    """

    device: str = "cpu"
    dtype: Dtype = "float32"
    revision: str | None = None
    trust_remote_code: bool = False
    allow_pickle: bool = False
    offline: bool = False
    label_map: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    stride: int | None = None

    def __post_init__(self) -> None:
        if self.dtype not in get_args(Dtype):
            known = ", ".join(get_args(Dtype))
            raise UsageError(f"dtype must be one of {known}; got {self.dtype!r}")
        for name in ("threads", "stride"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1; got {value}")

    def deciding(self) -> dict[str, Any]:
        """Return the options that can change an answer, JSON-ready.

        Which device of a kind is used, and where a model is fetched from, cannot.
        """
        found = {
            "device": self.device.partition(":")[0],
            "dtype": self.dtype,
            "label_map": dict(self.label_map),
            "trust_remote_code": self.trust_remote_code,
        }
        return found if self.stride is None else {**found, "stride": self.stride}

    def fingerprint(self, *content: Any) -> str:  # noqa: ANN401
        """Return the SHA-256 of a model's JSON-ready content under these options.

        Args:
            content: The scheme, the version of what it counts, and what decides the
                model's answers besides these options.

        """
        return digest([*content, self.deciding()])

    def description(
        self,
        *,
        labels: Sequence[str] | None,
        weights: Sequence[Path] | None = None,
        libraries: Mapping[str, str | None],
        **about: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """Return JSON-ready provenance of a model that was opened with these options.

        Args:
            labels: The suite's names of its labels; `None` where only loading tells.
            weights: The files of weights, where there are such.
            libraries: Versions of the packages that compute.
            about: What else the scheme tells, such as `format`.

        """
        told = {
            **about,
            "labels": None if labels is None else list(labels),
            "label_map": dict(self.label_map),
            "libraries": dict(libraries),
            "device": self.device,
            "dtype": self.dtype,
            "allow_pickle": self.allow_pickle,
            "trust_remote_code": self.trust_remote_code,
        }
        if self.stride is not None:
            told["stride"] = self.stride
        if weights is not None:
            told["weights"] = [path.name for path in weights]
            told["weight_bytes"] = sum(path.stat().st_size for path in weights)
        return told

    def require_leave(self, named: str, reference: str) -> None:
        """Refuse Python code that a file names as a member, unless code may be run.

        Args:
            named: What the file names, with its scheme; a setting of it may be code.
            reference: Of the model that the file is part of.

        Raises:
            ModelError: It is code, and nobody allowed it.

        """
        told = named
        while (plain := unquote(told)) != told:
            told = plain
        if _CODE.search(told) and not self.trust_remote_code:
            raise ModelError(
                f"{reference}: its member {named} is Python code; allow that it is run "
                "with --trust-remote-code"
            )

    def require_plain(self, reference: str, what: str, *, cpu: bool = True) -> None:
        """Refuse another dtype than float32 and, with `cpu`, another device.

        Raises:
            ModelError: One was asked for.

        """
        if self.dtype != "float32" or (cpu and self.device != "cpu"):
            device = f"device {self.device!r}, dtype " if cpu else ""
            raise ModelError(f"{reference}: {what}; got {device}{self.dtype!r}.")
