"""The updates of parsers, and all that is tried on each."""

from compat_eval.mitigations.oracle import Aim
from experiments.parsing.answering import WEIGHTS, alone, ensembled, jointly
from experiments.parsing.pools import (
    N_CANDIDATES,
    Pool,
    best_of,
    mixed,
    oracle,
    reranked,
)
from experiments.updates.treated import AIMS, Treated, Treatments, Update

RATES = (0.05, 0.1, 0.15, 0.2)

UPDATES = {
    "seed": Update(
        title="biaffine → biaffine, other seed",
        old=["biaffine-1", "biaffine-2"],
        new=["biaffine-3", "biaffine-4"],
    ),
    "data": Update(
        title="biaffine, 25 % → 100 % of the training sentences",
        old=["quarter-1", "quarter-2"],
        new=["biaffine-3", "biaffine-4"],
        allowed=0.05,
    ),
    "architecture": Update(
        title="biaffine → stack-pointer",
        old=["biaffine-1", "biaffine-2"],
        new=["stack-pointer-3"],
    ),
    "domain": Update(
        title="biaffine, EWT → EWT + ATIS",
        old=["biaffine-1", "biaffine-2"],
        new=["atis-3"],
    ),
}


def treatments_of(update: Update) -> Treatments:
    return Treatments(update, alone, ensembled)


def every(of: Treatments) -> list[Treated]:
    """Return everything that is tried, all settings.

    Parsers that are all arc-factored can be mixed arc by arc; the candidates of
    others are re-ranked by both models together instead.
    """
    best = best_of(of.update.new[0])
    found = [*of.distillation(), _reranked(of, f"bcr:{best}", None)]
    if best == "beam":
        return [*found, *(_mixed(of, f"mixed:{best}", weight) for weight in WEIGHTS)]
    dropout = [_reranked(of, "bcr:dropout-p", p) for p in RATES]
    return [of.ensemble(), *found, *dropout, *(_joint(of, w) for w in WEIGHTS)]


def about_candidates(of: Treatments, p: float) -> list[Treated]:
    """Return dropout-p with fewer candidates, and with the best possible choice."""
    fewer = [
        _reranked(of, f"bcr:dropout-p, N = {n}", p, n) for n in range(1, N_CANDIDATES)
    ]
    return [*fewer, *(_oracle(of, aim, p) for aim in AIMS)]


def _joint(of: Treatments, weight: float) -> Treated:
    return of.treated("joint", lambda old, new, s: jointly(old, new, weight, s), weight)


def _reranked(
    of: Treatments, name: str, p: float | None, n: int = N_CANDIDATES
) -> Treated:
    return of.treated(name, lambda old, new, s: reranked(Pool(new, s, p), old, n), p)


def _mixed(of: Treatments, name: str, weight: float) -> Treated:
    return of.treated(
        name,
        lambda old, new, s: mixed(Pool(new, s), {new: 1 - weight, old: weight}),
        weight,
    )


def _oracle(of: Treatments, aim: Aim, p: float) -> Treated:
    return of.treated(
        f"oracle:{aim}",
        lambda old, new, s: oracle(Pool(new, s, p), alone(old, s), aim),
        p,
    )
