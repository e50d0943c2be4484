"""Upgrades of encoders whose index stays: every method, three seeds, label matches.

    make experiments-embeddings
    python -m experiments.embeddings.updates domains omniglot

Each step is kept below COMPAT_EVAL_WORK and not made again. dev chooses which method is
named best; every number in a table is of the test split.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from compat_eval.core.arrays import Rows
from compat_eval.mitigations.embeddings.procrustes import fit_procrustes
from compat_eval.mitigations.embeddings.ridge import fit_ridge
from compat_eval.mitigations.embeddings.slerp import slerp
from experiments.embeddings.bars import told as bars_of
from experiments.embeddings.encoders import (
    chain,
    new_of,
    old_of,
    remembered,
    vectors_of,
)
from experiments.embeddings.measures import (
    Found,
    centroids_of,
    change,
    cluster_f1,
    compared,
    found,
    mean_of,
)
from experiments.embeddings.page import page
from experiments.embeddings.places import HERE, WORK
from experiments.embeddings.situations import (
    CHAIN,
    METHODS,
    SEEDS,
    SITUATIONS,
    Situation,
    examples_of,
)

PENALTY = 1.0
"""Of the ridge adapter, of unit vectors."""


def main() -> None:
    """Measure the situations that the command line names, or all, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*SITUATIONS, "chain"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    for seed in options.seeds:
        for name in options.names or known:
            if name not in known:
                parser.error(f"no update {name}; there are {', '.join(known)}")
            for _ in steps(name, seed):
                write()


def steps(name: str, seed: int) -> Iterator[None]:
    """Make all rows of an update and a seed; yield after each."""
    if name == "chain":
        _kept(name, "versions", seed, lambda: chain_rows(seed))
        yield
        return
    of = SITUATIONS[name]
    for method in of.methods:
        _kept(name, method, seed, lambda m=method: rows_of(name, of, m, seed))
        yield
    _kept(name, "adapters", seed, lambda: adapter_rows(name, of, seed))
    yield


def _kept(name: str, method: str, seed: int, make: Any) -> None:  # noqa: ANN401
    path = WORK / "rows" / name / f"{method}-{seed}.json"
    if not path.is_file():
        print(f"{name}: {method}, seed {seed}", flush=True)
    remembered(path, make)


def rows_of(name: str, of: Situation, method: str, seed: int) -> list[dict[str, Any]]:
    """Return what a method comes to, on dev and test and among classes apart."""
    new, how = new_of(name, of, method, seed), METHODS[method]
    rows = []
    for split in _splits(of):
        old_rows, new_rows = _vectors(of, old_of(of, seed), new, split)
        queries = {how.title: new_rows}
        if method.startswith("warm"):
            queries[f"{how.title}, OLD's query averaged in"] = slerp(
                old_rows, new_rows, 0.5
            )
        for title, asked in queries.items():
            rows += _judged(
                name,
                of,
                seed=seed,
                split=split,
                title=title,
                text=how.text,
                queries=asked,
                own=new_rows,
            )
    return rows


def adapter_rows(name: str, of: Situation, seed: int) -> list[dict[str, Any]]:
    """Return what adapters of an independent NEW come to."""
    new, old = new_of(name, of, "paragon", seed), old_of(of, seed)
    old_train, new_train = _vectors(of, old, new, of.new)
    maps = {
        "independent + centred Procrustes": fit_procrustes(new_train, old_train),
        "independent + ridge": fit_ridge(new_train, old_train, penalty=PENALTY),
    }
    rows = []
    for split in _splits(of):
        _, own = _vectors(of, old, new, split)
        for title, adapt in maps.items():
            mapped = _unit(adapt(own))
            rows += _judged(
                name,
                of,
                seed=seed,
                split=split,
                title=title,
                text="",
                queries=mapped,
                own=own,
            )
    return rows


def _judged(
    name: str,
    of: Situation,
    *,
    seed: int,
    split: str,
    title: str,
    text: str,
    queries: Rows,
    own: Rows,
) -> Iterator[dict[str, Any]]:
    """Yield rows of a method: of all queries, and of new and old classes apart."""
    examples = examples_of(of.suite, split)
    labels = np.array(examples.column("gold").to_pylist())
    old, paragon = _vectors(
        of, old_of(of, seed), new_of(name, of, "paragon", seed), split
    )
    cells = {
        "old/old": found_itself(old, labels, key=(name, seed, split, "old")),
        "new/old": found(queries, old, labels),
        "new/new": found(own, own, labels),
        "paragon": found_itself(paragon, labels, key=(name, seed, split, "paragon")),
    }
    head = {"update": name, "method": title, "command": text, "seed": seed}
    head["split"] = split
    yield {**head, "queries": "all", **_of(cells, np.ones(len(labels), np.bool_))}
    known = np.isin(labels, _labels(of.suite, of.old))
    if split == "test" and not known.all():
        yield {**head, "queries": "old classes", **_of(cells, known)}
        yield {**head, "queries": "new classes", **_of(cells, ~known)}
    if split == "test":
        told = {**head, "queries": "clusters"}
        yield {**told, **_clusters(of, seed, queries, labels)}


_ITSELF: dict[tuple[Any, ...], Found] = {}


def found_itself(rows: Rows, labels: Any, *, key: tuple[Any, ...]) -> Found:  # noqa: ANN401
    """Search an encoder's queries in its own index, once in a process."""
    if key not in _ITSELF:
        _ITSELF[key] = found(rows, rows, labels)
    return _ITSELF[key]


def _of(cells: dict[str, Found], some: Any) -> dict[str, Any]:  # noqa: ANN401
    return compared(*(one.of(some) for one in cells.values()))


def _clusters(
    of: Situation,
    seed: int,
    queries: Rows,
    labels: Any,  # noqa: ANN401
) -> dict[str, float]:
    """Return pairwise F1 of items that go to OLD's centroids of the index's classes."""
    old_model = old_of(of, seed)
    train = examples_of(of.suite, of.new)
    old_train = vectors_of(old_model, train, f"{of.suite} {of.new} train")
    gold = np.array(train.column("gold").to_pylist())
    centroids = centroids_of(old_train, gold)
    old = vectors_of(old_model, examples_of(of.suite, "test"), f"{of.suite} test")
    mixed = np.where((np.arange(len(old)) % 2 == 0)[:, None], old, queries)
    return {
        "old": cluster_f1(old, centroids, labels),
        "new": cluster_f1(queries, centroids, labels),
        "mixed": cluster_f1(mixed, centroids, labels),
    }


def chain_rows(seed: int) -> list[dict[str, Any]]:
    """Return all pairs of four versions: queries of one, the index of another."""
    versions = chain(seed)
    examples = examples_of("clinc150", "test")
    labels = np.array(examples.column("gold").to_pylist())
    rows = [vectors_of(one, examples, "clinc150 test") for one in versions]
    cells = {
        (q, g): found(rows[q], rows[g], labels) for q in range(4) for g in range(4)
    }
    told = []
    for (q, g), cell in cells.items():
        own = cells[g, g]
        told.append(
            {
                "update": "chain",
                "seed": seed,
                "split": "test",
                "queries_of": f"v{q + 1} ({CHAIN[q]})",
                "index_of": f"v{g + 1} ({CHAIN[g]})",
                "top1": change(own.top1, cell.top1) | _mean(cell.top1),
                "ap": change(own.ap, cell.ap) | _mean(cell.ap),
            }
        )
    return told


def _mean(values: Any) -> dict[str, float]:  # noqa: ANN401
    return {"value": round(100 * float(values.mean()), 3)}


def _splits(of: Situation) -> list[str]:
    return ["dev", "test", *(["open"] if of.alphabets else [])]


def _labels(suite: str, split: str) -> Any:  # noqa: ANN401
    return np.unique(examples_of(suite, split).column("gold").to_pylist())


def _vectors(of: Situation, old: Any, new: Any, split: str) -> tuple[Rows, Rows]:  # noqa: ANN401
    """Return OLD's and NEW's vectors of a split."""
    examples = examples_of(of.suite, split)
    name = f"{of.suite} {split}" + (" train" if split == of.new else "")
    return vectors_of(old, examples, name), vectors_of(new, examples, name)


def _unit(rows: Rows) -> Rows:
    unit: Rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def write() -> None:
    """Write results.json and RESULTS.md of all rows that there are."""
    rows = []
    for path in sorted((WORK / "rows").glob("*/*.json")):
        rows += json.loads(path.read_text("utf-8"))
    for row in rows:
        row.setdefault("seed", 0)
    pooled = _pooled(rows)
    told = {"bars": bars_of(pooled, rows), "seeds": pooled, "each_seed": rows}
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
    (HERE / "results.json").write_text(f"{text}\n", "utf-8")
    (HERE / "RESULTS.md").write_text(page(pooled, rows), "utf-8")


def _pooled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the mean over seeds of rows that differ in nothing else."""
    named = (
        "update",
        "method",
        "command",
        "split",
        "queries",
        "queries_of",
        "index_of",
    )
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(name) for name in named), []).append(row)
    return [
        {
            name: value
            for name, value in zip(named, key, strict=True)
            if value is not None
        }
        | {"n_seeds": len(group)}
        | {k: v for k, v in mean_of(group).items() if k != "seed"}
        for key, group in groups.items()
    ]


if __name__ == "__main__":
    main()
