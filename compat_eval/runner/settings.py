"""How a model is run, as far as a caller may choose it."""

from dataclasses import dataclass

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import ModelSource
from compat_eval.runner.questions import Question

_RUNNER_VERSION = 2
"""Raised whenever a change of this package could change an answer: stored answers
of another version are then not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How examples are cut into batches, and what counts as done.

    The shape of a batch may move a floating-point answer in its last digits, so
    it belongs to the identity of stored answers; two runs with other batches
    never share them.

    Attributes:
        task: Task kind, such as `classification`.
        token_budget: Most padded tokens in a batch: longest item times items. The
            default is what benchmarks/token_budget.py found fast on processors.
        batch_cap: Most items in a batch; without `Encodes`, the batch size.
        chunk_size: Inputs that are encoded by one call.
        retry_errors: Ask again where a stored answer is an error.

    """

    task: str = ""
    token_budget: int = 1024
    batch_cap: int = 256
    chunk_size: int = 4096
    retry_errors: bool = False

    def __post_init__(self) -> None:
        for name in ("token_budget", "batch_cap", "chunk_size"):
            value = getattr(self, name)
            if value < 1:
                raise UsageError(f"{name} must be a whole number from 1; got {value}")

    def identity(self) -> dict[str, object]:
        """Return what can change an answer, JSON-ready."""
        return {
            "runner": _RUNNER_VERSION,
            "task": self.task,
            "token_budget": self.token_budget,
            "batch_cap": self.batch_cap,
        }


def identity_of(
    source: ModelSource, settings: RunSettings, question: Question | None = None
) -> dict[str, object]:
    """Return everything that decides a model's answers to a question, JSON-ready."""
    return {
        "model": source.fingerprint(),
        "libraries": source.describe().get("libraries", {}),
        **settings.identity(),
        **({} if question is None else question.identity()),
    }
