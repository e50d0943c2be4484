"""The updates of tree seq2seq models, and all that is tried on each."""

from compat_eval.mitigations.combine.oracle import Aim
from experiments.semantic.answering import (
    N_CANDIDATES,
    Generator,
    alone,
    ensembled,
    jointly,
    oracle,
    reranked,
)
from experiments.updates.treated import AIMS, Treated, Treatments, Update

JUDGED = ("exact_match", "span_subtree")
"""The levels that choose a setting."""

WEIGHTS = (0.2, 0.35, 0.5, 0.65, 0.8)
RATES = (0.1, 0.2, 0.3)
FIXED = (
    Generator("beam", {"b": 10}),
    Generator("top-k", {"top": 5}),
    Generator("top-p", {"p": 0.95}),
)
"""Generators whose setting is that of the paper."""

UPDATES = {
    "seed": Update(
        title="same model, other seed",
        old=["base-1", "base-2"],
        new=["base-3", "base-4"],
        trained={
            "distillation": {"base-1": "distilled-1-3", "base-2": "distilled-2-4"}
        },
    ),
    "data": Update(
        title="20 % → 100 % of the training utterances",
        old=["fifth-1", "fifth-2"],
        new=["base-3", "base-4"],
    ),
    "size": Update(
        title="small → larger encoder",
        old=["base-1", "base-2"],
        new=["large-3", "large-4"],
    ),
    "weather": Update(
        title="with weather at 25 SPIS, judged on the old domains",
        old=["base-1", "base-2"],
        new=["weather-3", "weather-4"],
    ),
}


def treatments_of(update: Update) -> Treatments:
    return Treatments(update, alone, ensembled)


def fixed(of: Treatments) -> list[Treated]:
    """Return the treatments without a setting to choose."""
    rerankers = [_reranked(of, generator, None) for generator in FIXED]
    return [*of.trained(), of.ensemble(), *rerankers]


def settings(of: Treatments) -> list[Treated]:
    """Return the treatments with a setting, all that are tried on dev."""
    dropout = [_reranked(of, _dropout(rate), rate) for rate in RATES]
    return [*dropout, *(_joint(of, weight) for weight in WEIGHTS)]


def oracles(of: Treatments, rate: float) -> list[Treated]:
    """Return the bounds of re-ranking dropout-p candidates."""
    return [_oracle(of, aim, rate) for aim in AIMS]


def _reranked(of: Treatments, generator: Generator, setting: float | None) -> Treated:
    options = "".join(f",{name}={value}" for name, value in generator.options.items())
    return of.treated(
        f"bcr:{generator.name}",
        lambda old, new, s: reranked(generator, old, new, s),
        setting,
        mitigate=f"bcr:k={N_CANDIDATES},generator={generator.name}{options},"
        "normalised=mean",
    )


def _joint(of: Treatments, weight: float) -> Treated:
    return of.treated(
        "joint",
        lambda old, new, s: jointly(old, new, weight, s),
        weight,
        mitigate=f"joint:weight={weight}",
    )


def _oracle(of: Treatments, aim: Aim, rate: float) -> Treated:
    return of.treated(
        f"oracle:{aim}",
        lambda old, new, s: oracle(_dropout(rate), old, new, s, aim),
        rate,
    )


def _dropout(rate: float) -> Generator:
    return Generator("dropout-p", {"p": rate})
