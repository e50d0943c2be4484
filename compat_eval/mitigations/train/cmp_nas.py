"""CMP-NAS: an encoder of queries whose architecture, too, was chosen for OLD's index.

Duggal et al., "Compatibility-aware Heterogeneous Visual Search", CVPR 2021,
https://arxiv.org/abs/2105.06047. OLD is the large encoder whose index stays, NEW a
small one for queries. Among architectures of NEW's kind with at most NEW's operations
the one is searched whose queries find most in OLD's index; it is then trained from
random weights, through OLD's classifier and towards OLD's vectors.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from compat_eval.core.errors import UsageError
from compat_eval.core.files import write_whole
from compat_eval.core.fingerprint import digest
from compat_eval.core.protocols import ModelSource
from compat_eval.mitigations.mitigation import Recipe, Training
from compat_eval.mitigations.train.compatible import (
    require_vectors,
    vectors_told,
    width_of,
)
from compat_eval.mitigations.train.taught import (
    ClassifierRecipeSettings,
    require_objective,
    train_taught,
)
from compat_eval.models import TRAINERS
from compat_eval.models.training.data import OLD_VECTOR
from compat_eval.models.training.train import contents_of, settings_from
from compat_eval.runner.questions import Embed

if TYPE_CHECKING:
    from compat_eval.models.architecture.search import TriedArchitecture

_METHOD = "cmp-nas"


class _CmpNasSettings(ClassifierRecipeSettings):
    """How architectures are searched, and how they are trained."""

    grids: ClassVar[Mapping[str, tuple[float, ...]]] = {"distance": (1.0, 10.0, 30.0)}

    reward: Literal["homogeneous", "heterogeneous", "product"] = Field(
        "product",
        description=(
            "what dev shall have most of: mAP on its own index, on OLD's, or their "
            "product"
        ),
    )
    budget: float = Field(
        1.0, gt=0, description="most operations a query, as a multiple of NEW's"
    )
    least: float = Field(
        0.7, ge=0, lt=1, description="fewest operations, as a share of the budget"
    )
    population: int = Field(16, ge=2, description="architectures of a generation")
    generations: int = Field(4, ge=1, description="how many there are")
    n_dev: int = Field(1000, ge=2, description="examples of dev that judge, at most")
    share: float = Field(
        1.0, ge=0, description="weight of the loss through OLD's classifier"
    )
    scale: float = Field(
        20.0, gt=0, description="what logits of OLD's classifier are multiplied by"
    )
    distance: float = Field(
        30.0, ge=0, description="weight of the squared distance to OLD's vectors"
    )


def _train(training: Training, settings: _CmpNasSettings) -> str:
    examples = training.examples.with_column(
        OLD_VECTOR, vectors_told(training.answers, training.examples, "OLD")
    )
    parameters = {
        name: getattr(settings, name) for name in ("share", "scale", "distance")
    }
    beside = {"projection": width_of(training.answers)}
    tried = _searched(training, settings, examples, {**beside, **_loss(parameters)})
    found = tried[0]
    training.progress.note(
        f"{found.flops:,} operations a query: {json.dumps(dict(found.sizes))}"
    )
    training.out.mkdir(parents=True, exist_ok=True)
    write_whole(training.out / "search.json", _told(tried, settings))
    return train_taught(
        training,
        settings,
        method=_METHOD,
        objective="bct",
        parameters=parameters,
        examples=examples,
        config={**beside, **found.sizes},
    )


def _searched(
    training: Training,
    settings: _CmpNasSettings,
    examples: Any,  # noqa: ANN401 - Examples with OLD's vectors
    config: Mapping[str, Any],
) -> "list[TriedArchitecture]":
    """Return what was tried, the best first."""
    from compat_eval.models.architecture.search import (  # noqa: PLC0415 - has torch
        ArchitectureSearch,
        SearchedSettings,
    )

    dev = training.dev
    if dev is None:
        raise UsageError(
            f"{_METHOD} judges architectures on dev; name a split with dev="
        )
    earlier = require_objective(training.new, _METHOD)
    trainer = TRAINERS.load(earlier.model)
    same = {name: v for name, v in earlier.config.items() if name != "start"}
    chosen = settings_from(trainer.settings, {**same, **config})
    answers = training.ask(training.old, dev)
    dev = dev.with_column(OLD_VECTOR, vectors_told(answers, dev, "OLD"))
    how = SearchedSettings(
        **{name: getattr(settings, name) for name in SearchedSettings.__slots__}
    )
    key = digest(
        [
            earlier.model,
            chosen.model_dump(mode="json"),
            training.seed,
            settings.budget,
            settings.least,
            settings.n_dev,
            contents_of("train", examples),
            contents_of("dev", dev),
        ]
    )
    search = ArchitectureSearch.begin(
        trainer.prepared(examples, chosen),
        chosen,
        how,
        examples,
        dev=dev,
        seed=training.seed,
        out=training.aside / f"{_METHOD}-{key[:16]}",
        progress=training.progress,
    )
    return search.run(how)


def _loss(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"objective": "bct", "objective_settings": dict(parameters)}


def _told(tried: "list[TriedArchitecture]", settings: _CmpNasSettings) -> bytes:
    rows = [
        {
            "sizes": dict(one.sizes),
            "flops": one.flops,
            "homogeneous": one.homogeneous,
            "heterogeneous": one.heterogeneous,
        }
        for one in tried
    ]
    told = {"reward": settings.reward, "tried": rows}
    return f"{json.dumps(told, indent=1, sort_keys=True)}\n".encode()


def _check(
    method: str, old: ModelSource, new: ModelSource, settings: _CmpNasSettings
) -> None:
    """Refuse what cannot be searched; see `Recipe.check`.

    Raises:
        UsageError: NEW's kind has no architectures to choose from, or no vectors; or
            weights shall be begun from.

    """
    require_vectors(method, old, new, settings)
    kind = require_objective(new, method).model
    if TRAINERS.load(kind).prepared is None:
        raise UsageError(
            f"{method} searches sizes of NEW's kind, and --model {kind} has none to "
            "search; train NEW with --model text-transformer or cnn"
        )
    if settings.start != "fresh":
        raise UsageError(
            f"{method}: start={settings.start}: what is found has sizes of its own, "
            "and begins from random weights; leave start out"
        )


cmp_nas = Recipe(
    name=_METHOD,
    summary=(
        "NEW, a small encoder of queries whose sizes are searched for OLD's index, "
        "with at most NEW's operations"
    ),
    needs=(
        "OLD, the large encoder, gives vectors; NEW is a text-transformer or cnn that "
        "compat-eval train made; a suite with its training split and dev"
    ),
    settings=_CmpNasSettings,
    train=_train,
    check=_check,
    asks=Embed(),
    stands_for=lambda _: "queries",
)
"""A searched encoder of queries."""
