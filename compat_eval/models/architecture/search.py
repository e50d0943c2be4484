"""CMP-NAS: the architecture whose queries find most in a large encoder's index.

Duggal et al., "Compatibility-aware Heterogeneous Visual Search", CVPR 2021,
https://arxiv.org/abs/2105.06047. A super-network is trained through the large encoder's
classifier; architectures that read its weights are then judged on dev, and an
evolutionary search keeps the best within a budget of operations. The reward is the
homogeneous value M(q, q), the heterogeneous one M(q, g), or their product, which is the
paper's. The paper's text leaves open how parents are chosen and how many there are:
here the better half is kept, and children are mutations and crossings in equal parts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import torch

from compat_eval.core.arrays import Array, Rows
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.progress import Progress
from compat_eval.models.architecture.space import ArchitectureSpace, key_of, sizes_of
from compat_eval.models.architecture.supernetwork import Sizes, SuperNetwork
from compat_eval.models.classifiers.vectors import (
    EncoderSettings,
    PreparedEncoder,
    fit_classifier,
)
from compat_eval.models.encoders.operations import flops_of
from compat_eval.models.training.data import OLD_VECTOR
from compat_eval.models.training.loop import seeded
from compat_eval.statistics.families.matches import average_precisions

Reward: TypeAlias = Literal["homogeneous", "heterogeneous", "product"]

_DRAWN = 128
"""Architectures among which the batches of the super-network's training draw."""

_MUTATED = 0.3
"""Probability that a mutation draws a size anew."""

_BATCH = 64
_TRIED = "tried.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedArchitecture:
    """What an architecture is worth on dev, with the super-network's weights.

    Attributes:
        sizes: Settings that make it.
        flops: Of one query.
        homogeneous: mAP of its queries on its own index.
        heterogeneous: mAP of its queries on the large encoder's index.

    """

    sizes: Sizes
    flops: int
    homogeneous: float
    heterogeneous: float

    def reward(self, name: Reward) -> float:
        """Return what the search makes as large as it can."""
        if name == "homogeneous":
            return self.homogeneous
        if name == "heterogeneous":
            return self.heterogeneous
        return self.homogeneous * self.heterogeneous


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedSettings:
    """How a search goes.

    Attributes:
        reward: What it makes as large as it can.
        budget: Most operations, as a multiple of those of the given settings.
        least: Fewest, as a share of that.
        population: Architectures of a generation.
        generations: How many there are.
        n_dev: Examples of dev that judge, at most.

    """

    reward: Reward = "product"
    budget: float = 1.0
    least: float = 0.7
    population: int = 16
    generations: int = 4
    n_dev: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchitectureSearch:
    """A super-network and what judges its parts.

    Attributes:
        space: What may be chosen.
        network: Trained.
        items: Dev examples as it reads them, in batches.
        gold: Their labels, shape (n,).
        gallery: The large encoder's unit vectors of them, shape (n, d).
        seed: Decides what is drawn.
        out: Where what was tried is kept.
        progress: Follows the search.

    """

    space: ArchitectureSpace
    network: SuperNetwork
    items: Sequence[Any]
    gold: Array
    gallery: Rows
    seed: int
    out: Path
    progress: Progress

    @classmethod
    def begin(
        cls,
        ready: PreparedEncoder[Any],
        settings: EncoderSettings,
        how: SearchedSettings,
        examples: Examples,
        *,
        dev: Examples,
        seed: int,
        out: Path,
        progress: Progress,
    ) -> "ArchitectureSearch":
        """Train the super-network, or find it in `out`.

        Args:
            ready: How networks are built.
            settings: Of the training, with a loss that sees the large encoder's
                vectors.
            how: Of the search.
            examples: What to learn from, with the large encoder's vectors.
            dev: What judges, likewise.
            seed: Decides everything random.
            out: Where weights and what was tried are kept.
            progress: Follows the work.

        Raises:
            UsageError: No architecture fits into the budget.

        """
        some = np.random.default_rng(seed).permutation(len(dev))[: how.n_dev]
        judged = dev.take(np.sort(some))
        read = ready.read(judged, ())
        space = _space(ready, settings, how, read.items)
        rng = np.random.default_rng([seed, 1])
        network = SuperNetwork(
            seeded(lambda: ready.build(_with(settings, space.largest())), seed),
            lambda sizes: ready.build(_with(settings, sizes)),
            [sizes_of(space.draw(rng)) for _ in range(_DRAWN)],
        )
        out.mkdir(parents=True, exist_ok=True)
        progress.note("super-network of " + json.dumps(space.largest()))
        fit_classifier(
            network,
            settings.model_copy(update={"start": None}),
            ready.read,
            examples,
            dev,
            kind=ready.kind,
            same={},
            seed=seed,
            out=out,
            progress=progress,
            batch=ready.batch,
        )
        starts = range(0, len(judged), _BATCH)
        return cls(
            space=space,
            network=network,
            items=[ready.batch(read.items[at : at + _BATCH]) for at in starts],
            gold=np.array(judged.column("gold").to_pylist()),
            gallery=_unit(np.array(judged.column(OLD_VECTOR).to_pylist(), np.float64)),
            seed=seed,
            out=out,
            progress=progress,
        )

    def run(self, how: SearchedSettings) -> list[TriedArchitecture]:
        """Return what was tried, the best by the reward first."""
        rng = np.random.default_rng([self.seed, 2])
        self.progress.start("architectures", total=how.population * how.generations)
        tried: dict[str, tuple[Mapping[str, Any], TriedArchitecture]] = {}
        for generation in range(how.generations):
            parents = _best(tried.values(), how.reward)[: how.population // 2]
            for at in range(how.population):
                choices = self._next([one for one, _ in parents], at, rng)
                tried[key_of(choices)] = (choices, self.judged(sizes_of(choices)))
                self.progress.advance(1)
            best = _best(tried.values(), how.reward)[0][1]
            self.progress.note(
                f"generation {generation + 1}: {json.dumps(dict(best.sizes))}, "
                f"{how.reward} {best.reward(how.reward):.4f}"
            )
        self.progress.stop()
        return [one for _, one in _best(tried.values(), how.reward)]

    def judged(self, sizes: Sizes) -> TriedArchitecture:
        """Return what sizes are worth on dev; what was judged before is kept."""
        path, key = self.out / _TRIED, key_of(sizes)
        kept = read_json(path) if path.is_file() else {}
        if key not in kept:
            self.network.sizes = sizes
            self.network.eval()
            with torch.inference_mode():
                parts = [self.network.vectors(one) for one in self.items]
            rows = _unit(np.asarray(torch.cat(parts).numpy(), np.float64))
            kept[key] = {
                "flops": self.space.flops(sizes),
                "homogeneous": mean_average_precision(rows, rows, self.gold),
                "heterogeneous": mean_average_precision(rows, self.gallery, self.gold),
            }
            write_whole(path, json.dumps(kept, sort_keys=True).encode())
        return TriedArchitecture(sizes=sizes, **kept[key])

    def _next(
        self,
        parents: Sequence[Mapping[str, Any]],
        at: int,
        rng: np.random.Generator,
    ) -> Mapping[str, Any]:
        if not parents:
            return self.space.draw(rng)
        one, other = (parents[int(rng.integers(len(parents)))] for _ in range(2))
        if at % 2:
            return self.space.crossed(one, other, rng)
        return self.space.mutated(one, rng, share=_MUTATED)


def mean_average_precision(queries: Rows, index: Rows, gold: Array) -> float:
    """Return the mAP of items that are searched in an index of the same items.

    What has a query's label is relevant; no item finds itself, and one whose label no
    other has takes no part.

    Args:
        queries: Unit vectors, shape (n, d).
        index: Unit vectors of the same items, shape (n, d).
        gold: Labels, shape (n,).

    """
    scores = np.asarray(queries @ index.T)
    np.fill_diagonal(scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :-1]
    relevant = gold[order] == gold[:, None]
    counts = relevant.sum(axis=1)
    found = average_precisions(relevant[counts > 0], counts[counts > 0])
    return float(found.mean())


def _space(
    ready: PreparedEncoder[Any],
    settings: EncoderSettings,
    how: SearchedSettings,
    items: Sequence[Any],
) -> ArchitectureSpace:
    """Return what may be chosen beside given settings, for a query of median length."""
    middle = sorted(items, key=len)[len(items) // 2]
    known: dict[str, int] = {}

    def flops(sizes: Sizes) -> int:
        key = key_of(sizes)
        if key not in known:
            network = ready.build(_with(settings, sizes)).eval()
            known[key] = flops_of(lambda: network.vectors(ready.batch([middle])))
        return known[key]

    return ArchitectureSpace(
        choices=settings.searched(),
        flops=flops,
        budget=how.budget * flops({}),
        least=how.least,
    )


def _with(settings: EncoderSettings, sizes: Sizes) -> EncoderSettings:
    return settings.model_copy(update=dict(sizes))


def _best(
    tried: Any,  # noqa: ANN401 - pairs of choices and what they are worth
    reward: Reward,
) -> list[tuple[Mapping[str, Any], TriedArchitecture]]:
    return sorted(tried, key=lambda one: -one[1].reward(reward))


def _unit(rows: Rows) -> Rows:
    unit: Rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
