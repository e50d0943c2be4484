"""A comparison in several processes: predict shares, then join and compare."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from compat_eval.comparison.compare import ComparedRoles
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource
from compat_eval.core.recorded import Recorded
from compat_eval.runner.cache import Cache
from compat_eval.runner.shards import Shard, merge_predictions
from compat_eval.runs.environment import environment
from compat_eval.runs.parts import Part, read_parts, write_part
from compat_eval.workflows.compare import Answered, align_recorded
from compat_eval.workflows.indexed_sides import embeds, search_task
from compat_eval.workflows.manifest import (
    demands_config,
    restored_options,
    restored_questions,
)
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions, questions, require_examples
from compat_eval.workflows.run import Render, Written, place, write_compared
from compat_eval.workflows.sides import (
    Side,
    answers,
    label_spaces,
    open_side,
    with_class_slice,
)


def predict_part(
    old: Side,
    new: Side,
    options: Options,
    *,
    shard: Shard,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Predict one share of both sides, and write it down for `merge`.

    Raises:
        UsageError: A side holds predictions already, or `--aa` was asked for.
        OutputError: The directory is taken or cannot be written.

    """
    _refuse_undivided(options)
    with place(out, options, overwrite=overwrite) as claimed:
        asked = questions(options)
        opened = {
            role: _model(
                open_side(side, asked=asked, options=options, what=role.upper())
            )
            for role, side in (("old", old), ("new", new))
        }
        cache = None if options.cache is None else Cache(options.cache)
        _refuse_encoders(opened, asked, options, cache)
        labels = label_spaces(opened["old"], opened["new"], asked.labels)
        asked = with_class_slice(asked, labels)
        found = {
            role: answers(
                source,
                asked=asked,
                options=options,
                cache=cache,
                progress=progress,
                shard=shard,
            )
            for role, source in opened.items()
        }
        write_part(
            claimed,
            Part(
                index=shard.index,
                count=shard.count,
                identity=_identity(asked, found, options),
                about=_about(found, opened, asked),
                examples=require_examples(asked, "OLD"),
                answers={role: side.predictions for role, side in found.items()},
            ),
        )
        return claimed.path


def _refuse_undivided(options: Options) -> None:
    """Refuse what needs all examples in one process."""
    if options.aa:
        raise UsageError("--aa and --shard do not go together; run --aa undivided")
    if options.mitigate:
        raise UsageError(
            "--mitigate and --shard do not go together; save the mitigated model with "
            "compat-eval mitigate, and compare it as NEW in shards"
        )


def _refuse_encoders(
    opened: Mapping[str, ModelSource],
    asked: Questions,
    options: Options,
    cache: Cache | None,
) -> None:
    """Refuse encoders, which are asked about all documents at once."""
    if asked.suite is None or asked.suite.corpus is None:
        return
    search = search_task(asked.suite, asked, options)
    for role, one in opened.items():
        if embeds(one, search, options, cache):
            raise UsageError(
                f"--shard: {role} is an encoder, which embeds all documents whatever "
                "the share of queries; leave it out"
            )


def merge(
    parts: Sequence[Path],
    *,
    render: Render,
    out: Path | None = None,
    overwrite: bool = False,
) -> Written:
    """Join all parts of a comparison, and compare as one process would have.

    Raises:
        DataError: A part is damaged, or belongs to another comparison.
        CoverageError: A part is missing or given twice.
        OutputError: The directory is taken or cannot be written.

    """
    found = read_parts(parts)
    first = found[0]
    options = restored_options(first.identity)
    asked = restored_questions(
        first.identity,
        first.examples,
        name=first.identity["name"],
        partial=first.identity["partial"],
    )
    sides = {role: _joined(role, found, asked) for role in first.answers}
    answered = Answered(sides=sides)
    with place(out, options, overwrite=overwrite) as claimed:
        aligned = align_recorded(
            answered,
            ComparedRoles(),
            asked=asked,
            options=options,
            labels=first.about["labels"],
        )
        return write_compared(
            aligned.compared(),
            options,
            claimed=claimed,
            render=render,
            started=datetime.now(UTC),
            seconds={},
        )


def _model(opened: ModelSource | Recorded) -> ModelSource:
    if isinstance(opened, Recorded):
        raise UsageError(
            f"--shard divides the work of a model; {opened.name} holds predictions "
            "already, so compare it without --shard"
        )
    return opened


def _identity(
    asked: Questions, found: Mapping[str, Recorded], options: Options
) -> dict[str, Any]:
    """Return what all parts must agree on."""
    return {
        "name": asked.name,
        "partial": asked.partial,
        "suite": None if asked.suite is None else dict(asked.suite.config),
        "task": {
            "kind": asked.task.kind,
            "levels": list(asked.levels),
            "options": dict(options.task_options),
        },
        "demands": demands_config(asked),
        "options": options.deciding(),
        "settings": options.runner_settings(asked.task.kind).identity(),
        "fingerprints": {name: side.fingerprint for name, side in found.items()},
        "libraries": {
            name: side.provenance.get("libraries", {}) for name, side in found.items()
        },
    }


def _about(
    found: Mapping[str, Recorded], opened: Mapping[str, ModelSource], asked: Questions
) -> dict[str, Any]:
    """Return what parts may differ in."""
    return {
        "references": {name: side.name for name, side in found.items()},
        "describe": {name: dict(side.provenance) for name, side in found.items()},
        "labels": label_spaces(opened["old"], opened["new"], asked.labels),
        "environment": environment(now=datetime.now(UTC)),
    }


def _joined(role: str, parts: Sequence[Part], asked: Questions) -> Recorded:
    examples, first = require_examples(asked, role.upper()), parts[0]
    shares = [part.answers[role] for part in parts]
    return Recorded(
        name=first.about["references"][role],
        predictions=merge_predictions(shares, ids=examples.ids),
        examples=Examples(examples.table.select(["id"])),
        fingerprint=first.identity["fingerprints"][role],
        provenance=first.about["describe"][role],
    )
