"""Every way to upgrade, measured on all queries of a corpus, and kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from compat_eval.comparison.index_decision.ways import (
    BackfillWays,
    ServingCost,
    UpgradeAction,
    UpgradeWay,
)
from compat_eval.core.arrays import Array, Ints, Rows, Values
from compat_eval.mitigations.embeddings.adapter import SpaceAdapter, fit_adapter
from compat_eval.mitigations.embeddings.backfill import (
    far_from_class_first,
    popular_first,
    predicted_errors,
    random_order,
    uncertain_first,
)
from compat_eval.mitigations.embeddings.cascade import cascade
from compat_eval.mitigations.embeddings.mixed_service import (
    MixedService,
    plan_backfills,
)
from compat_eval.mitigations.embeddings.pairs import VectorPairs
from compat_eval.mitigations.embeddings.procrustes import fit_procrustes
from compat_eval.mitigations.embeddings.ridge import fit_ridge
from compat_eval.mitigations.embeddings.slerp import slerp
from compat_eval.statistics.backfill_curve import BackfillCurve
from compat_eval.vectors.exact_search import ExactIndex
from compat_eval.vectors.vectors import Vectors
from experiments.embeddings.decision_corpora import Corpus, K, ids, popularity
from experiments.embeddings.decision_encoders import Encoder, encoder_of
from experiments.embeddings.decision_training import trained_on

SHARES = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
RECALLED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Vectors of one encoder."""

    index: Vectors
    queries: Vectors
    fit: Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All ways, on all queries."""

    ways: list[UpgradeWay]
    backfills: list[BackfillWays]

    def keep(self, path: Path) -> None:
        """Write what was measured."""
        told = {
            "ways": [
                {
                    "role": one.role,
                    "action": one.action.value,
                    "needs_old": one.needs_old,
                }
                | {"share": one.share, "cost": asdict(one.cost)}
                for one in self.ways
            ],
            "orders": [one.order for one in self.backfills],
            "vectors": self.backfills[0].vectors,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                told=np.array(json.dumps(told)),
                ways=np.stack([one.values for one in self.ways]),
                backfills=np.stack([one.curve.queries for one in self.backfills]),
            )

    @classmethod
    def kept(cls, path: Path) -> "Measured":
        """Read what `keep` wrote."""
        with np.load(path) as file:
            told, ways, curves = (file[k] for k in ("told", "ways", "backfills"))
        told = json.loads(str(told))
        return cls(
            ways=[
                UpgradeWay(
                    **{
                        **one,
                        "action": UpgradeAction(one["action"]),
                        "cost": ServingCost(**one["cost"]),
                        "values": values,
                    }
                )
                for one, values in zip(told["ways"], ways, strict=True)
            ],
            backfills=[
                _backfill(name, BackfillCurve(shares=SHARES, queries=rows), told)
                for name, rows in zip(told["orders"], curves, strict=True)
            ],
        )


def _backfill(name: str, curve: BackfillCurve, told: Mapping[str, Any]) -> BackfillWays:
    return BackfillWays(
        order=name,
        curve=curve,
        roles=tuple(f"{name} {share:.3g}" for share in curve.shares),
        vectors=told["vectors"],
    )


def measured(corpus: Corpus, old_name: str, new_name: str) -> Measured:
    """Measure every way from one encoder to another."""
    encoders = [encoder_of(name, corpus) for name in (new_name, old_name)]
    new, old = (
        _sides(corpus, name, encoder)
        for name, encoder in zip((new_name, old_name), encoders, strict=True)
    )
    inputs = dict(zip(ids("f", corpus.fit), corpus.fit, strict=True))
    to_old = VectorPairs.of(new.fit, old.fit, inputs)
    to_new = VectorPairs.of(old.fit, new.fit, inputs)
    forth = fit_adapter(to_new, fit_ridge)
    documents = dict(zip(ids("d", corpus.index), corpus.index, strict=True))
    mapped = forth.evaluated(old.index, documents)
    ways = [
        _way("old/old", UpgradeAction.STAY, _found(corpus, old.queries, old.index)),
        *_bridges(corpus, old, new, to_old),
        *_trained(corpus, old, new, encoders),
        _way(
            "new/old+ridge",
            UpgradeAction.BRIDGE,
            _found(corpus, new.queries, mapped),
            cost=ServingCost(mapped=len(mapped)),
        ),
        _way(
            f"cascade of {RECALLED}",
            UpgradeAction.CASCADE,
            _cascaded(corpus, old, new),
            cost=ServingCost(forwards=2, documents=RECALLED),
            needs_old=True,
        ),
        _way(
            "new/new",
            UpgradeAction.REINDEX,
            _found(corpus, new.queries, new.index),
            cost=ServingCost(vectors=len(new.index)),
            share=1.0,
        ),
    ]
    service = MixedService(
        old=mapped,
        old_queries=new.queries,
        new=new.index,
        new_queries=new.queries,
        k=K,
    )
    orders = _orders(corpus, old, mapped, forth, to_new)
    plans = plan_backfills(service, orders, corpus.measure, shares=SHARES)
    backfills = [
        _backfill(name, plan.curve, {"vectors": len(new.index)})
        for name, plan in plans.items()
    ]
    return Measured(ways=ways, backfills=backfills)


def _sides(corpus: Corpus, name: str, encoder: Encoder) -> Sides:
    def vectors(prefix: str, texts: Sequence[str]) -> Vectors:
        rows = encoder(texts)
        return Vectors.of(ids(prefix, texts), rows, model=name, normalised=True)

    return Sides(
        index=vectors("d", corpus.index),
        queries=vectors("q", corpus.queries),
        fit=vectors("f", corpus.fit),
    )


def _bridges(
    corpus: Corpus, old: Sides, new: Sides, pairs: VectorPairs
) -> list[UpgradeWay]:
    """Return NEW's queries on OLD's index, through each adapter."""
    texts = dict(zip(ids("q", corpus.queries), corpus.queries, strict=True))
    found = []
    if new.index.space.dimension == old.index.space.dimension:
        values = _found(corpus, new.queries, old.index)
        found.append(_way("new/old", UpgradeAction.BRIDGE, values))
    turned = {
        name: fit_adapter(pairs, fit).evaluated(new.queries, texts)
        for name, fit in (("procrustes", fit_procrustes), ("ridge", fit_ridge))
    }
    for name, queries in turned.items():
        values = _found(corpus, queries, old.index)
        found.append(_way(f"new+{name}/old", UpgradeAction.BRIDGE, values))
    between = slerp(old.queries.values, turned["ridge"].values, 0.5)
    queries = Vectors(ids=old.queries.ids, values=between, space=old.queries.space)
    found.append(
        _way(
            "new+ridge+slerp/old",
            UpgradeAction.BRIDGE,
            _found(corpus, queries, old.index),
            cost=ServingCost(forwards=2),
            needs_old=True,
        )
    )
    return found


def _trained(
    corpus: Corpus, old: Sides, new: Sides, encoders: Sequence[Encoder]
) -> list[UpgradeWay]:
    """Return NEW with a head that is trained to be compatible, where classes are."""
    if corpus.train is None:
        return []
    head = trained_on(*corpus.train, *encoders)
    rows = head(np.asarray(new.queries.values))
    queries = Vectors(ids=new.queries.ids, values=rows, space=old.index.space)
    values = _found(corpus, queries, old.index)
    return [_way("new+bct/old", UpgradeAction.TRAIN, values)]


def _orders(
    corpus: Corpus,
    old: Sides,
    mapped: Vectors,
    forth: SpaceAdapter,
    pairs: VectorPairs,
) -> dict[str, Ints]:
    """Return orders of a backfill; none of them knows the queries or NEW's vectors."""
    log = ExactIndex.of(old.index).search(old.fit, K).names()
    uncertain = predicted_errors(forth, pairs, np.asarray(old.index.values))
    times: Values = popularity(log, len(old.index)).astype(np.float64)
    orders = {
        "random": random_order(len(old.index)),
        "uncertain": uncertain_first(uncertain),
        "popular": popular_first(times),
    }
    if corpus.classes is not None:
        rows: Rows = np.asarray(mapped.values)
        orders["far from class"] = far_from_class_first(rows, corpus.classes)
    return orders


def _cascaded(corpus: Corpus, old: Sides, new: Sides) -> Values:
    recalled = ExactIndex.of(old.index).search(old.queries, RECALLED)

    def embed(names: Sequence[str]) -> Vectors:
        at = np.array([int(name[1:]) for name in names])
        rows = new.index.values[at]
        return Vectors(ids=new.index.ids.take(at), values=rows, space=new.index.space)

    return corpus.measure(cascade(recalled, new.queries, embed, K).found.names())


def _found(corpus: Corpus, queries: Vectors, index: Vectors) -> Values:
    found = ExactIndex.of(index).search(queries, K, across=True)
    return corpus.measure(found.names())


def _way(role: str, action: UpgradeAction, values: Values, **more: Any) -> UpgradeWay:  # noqa: ANN401
    needs_old = more.pop("needs_old", action is UpgradeAction.STAY)
    return UpgradeWay(
        role=role, action=action, values=values, needs_old=needs_old, **more
    )


def on(found: Measured, queries: Array) -> Measured:
    """Return what some queries say."""
    return Measured(
        ways=[replace(one, values=one.values[queries]) for one in found.ways],
        backfills=[
            replace(
                one,
                curve=BackfillCurve(
                    shares=one.curve.shares, queries=one.curve.queries[:, queries]
                ),
            )
            for one in found.backfills
        ],
    )
