"""Small encoders of queries on a large encoder's index: how small, and how far below?

    make experiments-embeddings
    python -m experiments.embeddings.heterogeneous images

Each step is kept below COMPAT_EVAL_WORK and not made again. Every number that chooses
is of dev; what is judged is of test.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.progress import Silence
from compat_eval.models import TRAINERS
from compat_eval.models.architecture.search import (
    ArchitectureSearch,
    Reward,
    SearchedSettings,
    TriedArchitecture,
)
from compat_eval.models.encoders.operations import encoder_cost
from compat_eval.models.training.data import OLD_VECTOR
from compat_eval.models.training.train import settings_from
from experiments.embeddings.encoders import remembered, with_vectors
from experiments.embeddings.heterogeneous_models import (
    COMPATIBLE,
    SEEDS,
    SETTINGS,
    WORK,
    Sizes,
    alone,
    called,
    compatible,
    gallery_of,
    rows_of,
    split_of,
)
from experiments.embeddings.heterogeneous_page import page, told
from experiments.embeddings.measures import Found, change, found
from experiments.embeddings.places import HERE

SEARCH = SearchedSettings(population=12, generations=4, n_dev=800)
REWARDS: tuple[Reward, ...] = ("homogeneous", "heterogeneous", "product")
SPLITS = ("dev", "test")


def main() -> None:
    """Measure the settings that the command line names, or all, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SETTINGS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = options.names or list(SETTINGS)
    for name in names:
        if name not in SETTINGS:
            parser.error(f"no setting {name}; there are {', '.join(SETTINGS)}")
    for _ in steps(names):
        write()


def steps(names: list[str]) -> Iterator[None]:
    """Make all rows, those that tell most first; yield after each."""
    first, *later = SEEDS
    for name in names:
        yield _kept(name, f"core-{first}", partial(core, name, first))
    for name in names:
        yield _kept(name, "search", partial(searched, name))
        yield _found(name, first)
    for seed in later:
        for name in names:
            yield _kept(name, f"core-{seed}", partial(core, name, seed))
    for name in names:
        for at, sizes in enumerate(SETTINGS[name].others):
            yield _kept(name, f"other-{at}", partial(one, name, sizes, first))
    for seed in later:
        for name in names:
            yield _found(name, seed)


def _found(name: str, seed: int) -> None:
    """Train what the search found for the index of a seed."""
    _kept(name, f"found-{seed}", partial(one, name, found_sizes(name), seed))


def _kept(name: str, step: str, make: Callable[[], Any]) -> None:
    path = WORK / "rows" / name / f"{step}.json"
    if not path.is_file():
        print(f"{name}: {step}", flush=True)
    remembered(path, make)


def core(name: str, seed: int) -> list[dict[str, Any]]:
    """Return what the plain small encoder comes to, beside both references."""
    of = SETTINGS[name]
    large = gallery_of(name, seed)
    small = compatible(name, of.uniform, seed, gallery=seed)
    apart = alone(name, of.uniform, seed)
    rows = []
    for split in SPLITS:
        cells = _cells(
            name,
            split,
            {
                "large/large": (large, large),
                "small/large": (small, large),
                "compatible small/small": (small, small),
                "independent small/small": (apart, apart),
                "independent small/large": (apart, large),
            },
        )
        asked = cells["small/large"]
        rows.append(
            {
                "split": split,
                "seed": seed,
                "n": len(asked.top1),
                "cells": {k: _means(v) for k, v in cells.items()},
                "against": {
                    other: {
                        "top1": change(cells[other].top1, asked.top1),
                        "ap": change(cells[other].ap, asked.ap),
                    }
                    for other in cells
                    if other not in {"small/large", "independent small/large"}
                },
            }
        )
    inputs = split_of(name, "test").column("input").to_pylist()
    costs = {
        which: encoder_cost(
            open_source(str(model), ModelOptions()).load(),  # type: ignore[arg-type]
            inputs,
        ).to_dict()
        for which, model in (("large", large), ("small", small))
    }
    return [{**row, "costs": costs} for row in rows]


def one(name: str, sizes: Sizes, seed: int) -> list[dict[str, Any]]:
    """Return what another architecture comes to, paired with the plain one."""
    of = SETTINGS[name]
    large = gallery_of(name, seed)
    plain = compatible(name, of.uniform, seed, gallery=seed)
    model = compatible(name, sizes, seed, gallery=seed)
    rows = []
    for split in SPLITS:
        cells = _cells(
            name,
            split,
            {
                "plain/large": (plain, large),
                "small/large": (model, large),
                "compatible small/small": (model, model),
            },
        )
        plainly, asked = cells["plain/large"], cells["small/large"]
        rows.append(
            {
                "split": split,
                "seed": seed,
                "sizes": dict(sizes),
                "cells": {k: _means(v) for k, v in cells.items()},
                "against plain": {
                    "top1": change(plainly.top1, asked.top1),
                    "ap": change(plainly.ap, asked.ap),
                },
                "differences": {
                    "top1": (asked.top1 - plainly.top1).round(4).tolist(),
                    "ap": (asked.ap - plainly.ap).round(4).tolist(),
                },
            }
        )
    return rows


def searched(name: str) -> dict[str, Any]:
    """Return what the search tried, and what it found by each reward."""
    search = _search(name)
    found_by = {reward: search.run(_by(reward))[0].sizes for reward in REWARDS}
    of = SETTINGS[name]
    plain = search.judged(of.uniform)
    others = [search.judged(sizes) for sizes in of.others]
    tried = search.run(_by("product"))
    return {
        "found": {reward: dict(sizes) for reward, sizes in found_by.items()},
        "budget": search.space.budget,
        "plain": _told(plain),
        "others": [_told(other) for other in others],
        "tried": [_told(some) for some in tried],
    }


def found_sizes(name: str) -> Sizes:
    """Return what the search found by the product of both values."""
    path = WORK / "rows" / name / "search.json"
    sizes: Sizes = json.loads(path.read_text("utf-8"))["found"]["product"]
    return sizes


def _by(reward: Reward) -> SearchedSettings:
    return SearchedSettings(
        **{
            slot: getattr(SEARCH, slot)
            for slot in SearchedSettings.__slots__
            if slot != "reward"
        },
        reward=reward,
    )


def _search(name: str) -> ArchitectureSearch:
    """Return a search with its super-network, trained once."""
    of, large = SETTINGS[name], gallery_of(name, SEEDS[0])
    trainer = TRAINERS.load(of.kind)
    settings = settings_from(
        trainer.settings,
        {
            **of.common,
            **of.query,
            **of.beside,
            **of.uniform,
            "objective": "bct",
            "objective_settings": COMPATIBLE,
        },
    )
    examples, dev = (
        with_vectors(large, split_of(name, split), f"{of.suite} {split}{mark}")
        for split, mark in (("train", " train"), ("dev", ""))
    )
    assert OLD_VECTOR in dev.table.column_names
    return ArchitectureSearch.begin(
        trainer.prepared(examples, settings),
        settings,
        SEARCH,
        examples,
        dev=dev,
        seed=SEEDS[0],
        out=WORK / "search" / name,
        progress=Silence(),
    )


def _cells(
    name: str, split: str, pairs: Mapping[str, tuple[Any, Any]]
) -> dict[str, Found]:
    labels = np.array(split_of(name, split).column("gold").to_pylist())
    return {
        called_: found(
            rows_of(queries, name, split), rows_of(index, name, split), labels
        )
        for called_, (queries, index) in pairs.items()
    }


def _means(cell: Found) -> dict[str, float]:
    return {
        "top1": round(100 * float(cell.top1.mean()), 3),
        "ap": round(100 * float(cell.ap.mean()), 3),
    }


def _told(some: TriedArchitecture) -> dict[str, Any]:
    return {
        "sizes": dict(some.sizes),
        "name": called(some.sizes),
        "flops": some.flops,
        **{reward: round(some.reward(reward), 5) for reward in REWARDS},
    }


def write() -> None:
    """Write heterogeneous.json and HETEROGENEOUS.md of all rows that there are."""
    rows: dict[str, dict[str, Any]] = {}
    for path in sorted((WORK / "rows").glob("*/*.json")):
        rows.setdefault(path.parent.name, {})[path.stem] = json.loads(
            path.read_text("utf-8")
        )
    summary = told(rows)
    text = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False)
    (HERE / "heterogeneous.json").write_text(f"{text}\n", "utf-8")
    (HERE / "HETEROGENEOUS.md").write_text(page(summary), "utf-8")


if __name__ == "__main__":
    main()
