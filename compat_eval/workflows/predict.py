"""A model's answers to a suite or a file of inputs, written alone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from compat_eval import __version__
from compat_eval.comparison.ill_sides import refuse_ill
from compat_eval.core.errors import UsageError
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource
from compat_eval.core.recorded import Recorded
from compat_eval.runs.answers import check_writable, write_meta, write_rows
from compat_eval.workflows.asked import ASKED, asked_facts
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions, questions
from compat_eval.workflows.sides import answers, open_side, resolve

if TYPE_CHECKING:
    from compat_eval.runner.cache import Cache


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersWritten:
    """Answers that were written.

    Attributes:
        path: The file.
        answers: What it holds.
        facts: What stands beside it.

    """

    path: Path
    answers: Predictions
    facts: dict[str, Any]


def predict(
    model: str,
    options: Options,
    *,
    out: Path,
    question: Literal["answer", "logits"] = "answer",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> AnswersWritten:
    """Ask a model and write its answers, with what they answer beside them.

    Answers that are stored are not asked for again, so an interrupted run goes on.

    Args:
        model: Its reference.
        options: What it is asked.
        out: The file.
        question: Whether it is asked for its answers, or for a score for every label.
        overwrite: Whether a file that is there may be replaced.
        progress: Follows the work.

    Raises:
        OutputError: The file is there already, or cannot be written.
        UsageError: The reference holds answers already.
        CompatEvalError: Something is wrong with the suite, data or model.

    """
    if resolve(model).recorded:
        raise UsageError(f"{model} holds answers already; name a model")
    check_writable(out, overwrite=overwrite)
    from compat_eval.runner.questions import Logits  # noqa: PLC0415

    asked = questions(options, needs_gold=False)
    source = open_side(model, asked=asked, options=options, what="MODEL")
    assert not isinstance(source, Recorded), "only models are asked"
    cache = None
    if options.cache is not None:
        from compat_eval.runner.cache import Cache  # noqa: PLC0415

        cache = Cache(options.cache)
    started = datetime.now(UTC)
    side = (
        _found(source, asked, options, cache=cache, progress=progress)
        if question == "answer" and asked.suite is not None and asked.suite.corpus
        else answers(
            source,
            asked=asked,
            options=options,
            cache=cache,
            progress=progress,
            question=Logits() if question == "logits" else None,
        )
    )
    refuse_ill(model, side.predictions)
    write_rows(out, side.predictions.table)
    facts = {
        "answered": started.isoformat(timespec="seconds"),
        ASKED: {**asked_facts(asked, options), "limit": options.limit},
        "question": question,
        **_facts_of(side),
    }
    return AnswersWritten(
        path=out, answers=side.predictions, facts=write_meta(out, facts)
    )


def _facts_of(side: Recorded) -> dict[str, Any]:
    """Return what is known of whoever answered, JSON-ready."""
    return {
        "model": {
            "reference": side.name,
            "fingerprint": side.fingerprint,
            **side.provenance,
        },
        "notes": list(side.notes),
        "compat_eval": __version__,
    }


def _found(
    source: ModelSource,
    asked: Questions,
    options: Options,
    *,
    cache: "Cache | None",
    progress: Progress | None,
) -> Recorded:
    """Return what an encoder's queries find on its own index; or what a model ranks."""
    from compat_eval.workflows.indexed_sides import (  # noqa: PLC0415
        indexed_sides,
        search_task,
    )

    assert asked.suite is not None
    found = indexed_sides(
        {"model": source},
        search_task(asked.suite, asked, options),
        asked=asked,
        options=options,
        cache=cache,
        progress=progress,
        release=lambda: None,
    )
    return found.sides["model"]
