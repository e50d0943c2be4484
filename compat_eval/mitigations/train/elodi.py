"""ELODI: NEW is trained anew towards the mean logits of an ensemble.

Zhao et al., "ELODI: Ensemble Logit Difference Inhibition for Positive-Congruent
Training", TPAMI 2024, https://arxiv.org/abs/2205.06265. Ensembles regress less than
their members, and a model that is near the ensemble of its own kind inherits that. In
the paper both OLD and NEW are trained so, each towards models of its own kind; an OLD
that is in use already can teach beside them, by models of its kind.
The defaults are those that the authors' code names for an ensemble.
"""

from typing import Literal

from pydantic import Field

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mitigation import FurtherRole, Recipe, Training
from compat_eval.mitigations.train.ldi import LogitDifferenceSettings
from compat_eval.mitigations.train.taught import (
    NEEDS_NEW,
    require_trainable,
    train_taught,
    with_teacher_logits,
)
from compat_eval.runner.questions import Logits


class _ElodiSettings(LogitDifferenceSettings):
    """Which ensemble teaches."""

    teacher: Literal["new", "old", "both"] = Field(
        "new",
        description=(
            "whose ensemble: NEW and the models of with=, OLD and those of old=, or all"
        ),
    )
    share: float = Field(
        0.8, ge=0, le=1, description="of the inhibition; cross-entropy has the rest"
    )
    xi: float = Field(0.0, ge=0, description="ξ, a difference that is not inhibited")
    exclude_true: bool = Field(
        default=True, description="whether the right label does not count"
    )


def _train(training: Training, settings: _ElodiSettings) -> str:
    members = _members(training, settings.teacher)
    answers = [training.ask(one, training.examples) for one in members]
    return train_taught(
        training,
        settings,
        method="elodi",
        objective="ldi",
        parameters=settings.parameters(),
        examples=with_teacher_logits(training.examples, *answers),
    )


def _members(training: Training, which: str) -> list[ModelSource]:
    """Return the members of the ensemble that teaches.

    Raises:
        UsageError: It has one member, or further models are named for no reason.

    """
    ensembles = {
        "new": [training.new, *training.further.get("with", ())],
        "old": [training.old, *training.further.get("old", ())],
    }
    chosen = list(ensembles) if which == "both" else [which]
    members = [one for name in chosen for one in ensembles[name]]
    roles = {"new": "with", "old": "old"}
    idle = [roles[name] for name in ensembles if name not in chosen]
    named = [role for role in idle if training.further.get(role)]
    if named:
        raise UsageError(
            f"elodi: models of {named[0]}= take no part with teacher={which}; "
            "write teacher=both, or leave them out"
        )
    if len(members) == 1:
        raise UsageError(
            f"elodi: an ensemble has at least two members; name more with "
            f"{roles[which]}=REF. ldi learns from OLD alone"
        )
    return members


elodi = Recipe(
    name="elodi",
    summary="NEW, trained anew with differences from an ensemble's logits inhibited",
    needs=f"members of the ensemble give logits; {NEEDS_NEW}",
    settings=_ElodiSettings,
    train=_train,
    check=require_trainable,
    asks=Logits(),
    further={
        "with": FurtherRole(summary="a new model, of NEW's ensemble"),
        "old": FurtherRole(summary="an old model, of OLD's ensemble"),
    },
)
"""Ensemble logit difference inhibition."""
