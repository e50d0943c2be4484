"""The updates of parsers, and all that is tried on each."""

from collections.abc import Sequence

from compat_eval.mitigations.combine.oracle import Aim
from experiments.parsing.answering import WEIGHTS, alone, ensembled, jointly
from experiments.parsing.pools import (
    N_CANDIDATES,
    Pool,
    best_of,
    mixed,
    oracle,
    reranked,
)
from experiments.parsing.splits import documents
from experiments.updates.treated import (
    AIMS,
    Treated,
    Treatments,
    Update,
    with_references,
)

MITIGATED = {"arc-focal": "arc-focal", "arc-focal, β = 0": "arc-focal:beta=0"}
"""What trains an arc-factored NEW towards OLD, as `--mitigate` takes it: focal, and the
same distance at every word."""

LEARNED = {
    "distillation": "from",
    "arc-focal": "focal",
    "arc-focal, β = 0": "near",
}
"""How a parser that did is named, between NEW's kind and OLD's name."""

RATES = {"k-best": (0.05, 0.1, 0.15, 0.2), "beam": (0.1,)}
"""Of dropout, by what a parser's best trees are called; a beam is slow: one rate."""


def _trained(new: str, old: str, *how: str) -> dict[str, dict[str, str]]:
    """Return the parsers that learned from each old one, by how they did."""
    seeds = ((1, 3), (2, 4))
    return {
        name: {
            f"{old}-{of}": f"{new}-{LEARNED[name]}-{old}-{of}-{seed}"
            for of, seed in seeds
        }
        for name in ("distillation", *how)
    }


UPDATES = {
    "seed": Update(
        title="biaffine → biaffine, other seed",
        old=["biaffine-1", "biaffine-2"],
        new=["biaffine-3", "biaffine-4"],
        further=["biaffine-5", "biaffine-6"],
        trained=_trained("biaffine", "biaffine", *MITIGATED),
    ),
    "data": Update(
        title="biaffine, 25 % → 100 % of the training sentences",
        old=["quarter-1", "quarter-2"],
        new=["biaffine-3", "biaffine-4"],
        further=["biaffine-5", "biaffine-6"],
        trained=_trained("biaffine", "quarter", *MITIGATED),
        allowed=0.05,
    ),
    "architecture": Update(
        title="biaffine → stack-pointer",
        old=["biaffine-1", "biaffine-2"],
        new=["stack-pointer-3", "stack-pointer-4"],
        trained=_trained("stack-pointer", "biaffine"),
    ),
    "pointer": Update(
        title="stack-pointer → stack-pointer, other seed",
        old=["stack-pointer-1", "stack-pointer-2"],
        new=["stack-pointer-3", "stack-pointer-4"],
        trained=_trained("stack-pointer", "stack-pointer"),
    ),
    "domain": Update(
        title="biaffine, EWT → EWT + ATIS",
        old=["biaffine-1", "biaffine-2"],
        new=["atis-3", "atis-4"],
        trained=_trained("atis", "biaffine"),
    ),
}


def treatments_of(update: Update) -> Treatments:
    return Treatments(update, alone, ensembled, documents)


def every(of: Treatments) -> list[Treated]:
    """Return everything that is tried, all settings.

    Parsers that are all arc-factored can be mixed arc by arc; the candidates of
    others are re-ranked by both models together instead.
    """
    best = best_of(of.update.new[0])
    found = [of.ensemble(), *of.trained(MITIGATED), _reranked(of, f"bcr:{best}", None)]
    dropout = [_reranked(of, "bcr:dropout-p", p) for p in RATES[best]]
    if best == "beam":
        mixtures = [_mixed(of, f"mixed:{best}", weight) for weight in WEIGHTS]
        return [*found, *dropout, *mixtures]
    joint = [_joint(of, "joint", weight) for weight in WEIGHTS]
    further = of.update.further
    if further:
        joint += [_joint(of, "joint:ensemble", weight, further) for weight in WEIGHTS]
    return [*found, *dropout, *joint]


def about_candidates(of: Treatments, p: float) -> list[Treated]:
    """Return dropout-p with fewer candidates, and with the best possible choice."""
    fewer = [
        _reranked(of, f"bcr:dropout-p, N = {n}", p, n) for n in range(1, N_CANDIDATES)
    ]
    return [*fewer, *(_oracle(of, aim, p) for aim in AIMS)]


def _joint(
    of: Treatments, name: str, weight: float, further: Sequence[str] = ()
) -> Treated:
    return of.treated(
        name,
        lambda old, new, s: jointly(old, [new, *further], weight, s),
        weight,
        mitigate=with_references(f"joint:weight={weight}", further),
    )


def _reranked(
    of: Treatments, name: str, p: float | None, n: int = N_CANDIDATES
) -> Treated:
    options = f"k={n},generator={name.removeprefix('bcr:').partition(',')[0]}"
    options += "" if p is None else f",p={p}"
    return of.treated(
        name,
        lambda old, new, s: reranked(Pool(new, s, p), old, n),
        p,
        mitigate=f"bcr:{options}",
    )


def _mixed(of: Treatments, name: str, weight: float) -> Treated:
    return of.treated(
        name,
        lambda old, new, s: mixed(Pool(new, s), {new: 1 - weight, old: weight}),
        weight,
        mitigate=f"bcr:k={N_CANDIDATES},new_weight={round(1 - weight, 12)}",
    )


def _oracle(of: Treatments, aim: Aim, p: float) -> Treated:
    return of.treated(
        f"oracle:{aim}",
        lambda old, new, s: oracle(Pool(new, s, p), alone(old, s), aim),
        p,
    )
