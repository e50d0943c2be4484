"""Margin-preserving training of an update that adds classes.

Ricci, Biondi, Pernici and Del Bimbo, "Mitigating Negative Flips via Margin Preserving
Training", AAAI 2026, https://arxiv.org/abs/2511.08322; the loss is in
`models/training/objectives/margin_preserving.py`. NEW as it is is the independently
trained second source.

Lower logits of new classes alone are another operating point: known classes win, new
ones lose. So it is always shown beside its twin, NEW as it is with the same offset
taken off its new-class logits afterwards (`offset`), and both beside the slices
`classes=old` and `classes=new`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.taught import (
    NEEDS_NEW,
    ClassifierRecipeSettings,
    old_right,
    over_labels,
    require_trainable,
    train_taught,
    with_taught,
    with_teacher_logits,
)
from compat_eval.models.training.data import Labels
from compat_eval.runner.questions import Logits, values_of

_METHOD = "margin"
_OF_THE_LOSS = {"bias", "distance", "alpha", "beta", "temperature", "over", "share"}


class _MarginSettings(ClassifierRecipeSettings):
    """How far new classes are held back, and how much both sources count."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"bias": (0.0, 1.0, 2.0, 4.0)}

    bias: float = Field(
        4.0,
        ge=0,
        description="b, added to new-class logits in training; the paper tries 0 to 4",
    )
    distance: Literal["kl", "lm"] = Field(
        "kl", description="towards OLD and NEW: of probabilities, or of logits"
    )
    alpha: float = Field(1.0, ge=0, description="weight of every example")
    beta: float = Field(
        5.0, ge=0, description="further weight of examples that the source gets right"
    )
    temperature: float = Field(5.0, gt=0, description="of probabilities, for kl")
    over: Labels = over_labels("all")
    share: float | None = Field(
        None,
        ge=0,
        description=(
            "weight of the distances beside the cross-entropy; by default "
            "1/temperature² for kl and 0.4 for lm"
        ),
    )


def _train(training: Training, settings: _MarginSettings) -> str:
    examples, answers = training.examples, training.answers
    _, known = values_of(answers.column("logits"))
    labels = sorted(set(examples.column("gold").to_pylist()))
    added = [at for at, label in enumerate(labels) if label not in known]
    if not added:
        raise UsageError(
            f"{_METHOD} is for updates that add classes, and OLD knows all "
            f"{len(labels)} labels that NEW learns; focal and soft-distill need none"
        )
    own = training.ask(training.new, examples)
    teachers = with_taught(
        with_teacher_logits(examples, answers), old_right(examples, answers)
    )
    second = with_taught(with_teacher_logits(examples, own), old_right(examples, own))
    for name, source in (("new_logits", "teacher_logits"), ("new_taught", "taught")):
        teachers = teachers.with_column(name, second.column(source))
    return train_taught(
        training,
        settings,
        method=_METHOD,
        objective="margin",
        parameters={"added": added, **settings.model_dump(include=_OF_THE_LOSS)},
        examples=teachers,
    )


def _twin(options: Mapping[str, Any]) -> str:
    return f"offset:bias={options['bias']}"


margin_preserving = Recipe(
    name=_METHOD,
    summary="NEW, trained anew so that added classes take less from known ones",
    needs=f"NEW knows labels that OLD lacks; both give logits; {NEEDS_NEW}",
    settings=_MarginSettings,
    train=_train,
    check=require_trainable,
    asks=Logits(),
    twin=_twin,
)
"""Margin-preserving training with double-source focal distillation."""
