"""Candidates of a parser on a split: made, graded and scored once, then kept.

What re-ranking, an oracle or fewer candidates would pick is then only a choice
among graded answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file

from compat_eval.core.arrays import Array, Ints, Values
from compat_eval.core.grades import Grades
from compat_eval.mitigations.combine.bcr import backward_congruent
from compat_eval.mitigations.combine.oracle import Aim, oracle_choice
from compat_eval.tasks.dependency.trees import TREE_TYPE
from experiments.parsing.places import WORK, load
from experiments.parsing.splits import GRADING, LEVELS, split_of
from experiments.updates.files import save_arrays, whole
from experiments.updates.graded import Graded
from experiments.updates.lines import Lines

N_CANDIDATES = 10
ORACLE_LEVEL = "las"
"""The oracles look at words, as the paper's do."""

_LINES = Lines("candidates")


@dataclass(frozen=True, slots=True)
class Pool:
    """Where candidates come from: ten of each sentence.

    Attributes:
        new: The parser that makes them.
        split: Of which sentences.
        p: Rate of dropout-p; without, they are the k best, exact or as the beam
            finds them.

    """

    new: str
    split: str
    p: float | None = None

    @property
    def called(self) -> str:
        return best_of(self.new) if self.p is None else f"dropout-p-{self.p}"

    def path(self, suffix: str) -> Path:
        return WORK / "pools" / self.split / f"{self.called}-{self.new}{suffix}"


def reranked(pool: Pool, old: str, n: int = N_CANDIDATES) -> Graded:
    """Grade the candidates that OLD finds most probable: the paper's method."""
    return mixed(pool, {old: 1.0}, n)


def mixed(pool: Pool, weights: Mapping[str, float], n: int = N_CANDIDATES) -> Graded:
    """Grade the candidates that several parsers together find most probable.

    Args:
        pool: The candidates.
        weights: Weight of each parser's log-probability.
        n: How many of the candidates compete.

    """
    scored = {name: _scores(pool, name) for name in weights}
    total = sum(weights[name] * scores for name, (scores, _) in scored.items())
    choice = np.asarray(total)[:, :n].argmax(axis=1)
    cost = _candidates(pool)[1] + sum(cost for _, cost in scored.values())
    return Graded(levels=_picked(pool, choice), cpu_seconds=cost)


def oracle(pool: Pool, old: Graded, aim: Aim) -> Graded:
    """Grade what the best possible choice would be; it reads gold."""
    graded = _graded(pool)[ORACLE_LEVEL]
    choice = oracle_choice(graded, old.levels[ORACLE_LEVEL], aim)
    return Graded(levels=_picked(pool, choice), cpu_seconds=_candidates(pool)[1])


def best_of(name: str) -> str:
    """Return what a parser's best trees are called."""
    return "beam" if name.startswith("stack-pointer") else "k-best"


def _picked(pool: Pool, choice: Ints) -> dict[str, Grades]:
    """Return the correctness of one candidate of each sentence."""
    found = {}
    for level, graded in _graded(pool).items():
        offsets = graded[0].offsets
        candidate = np.repeat(choice, np.diff(offsets))
        right = np.stack([one.right for one in graded])
        units = np.arange(right.shape[1])
        found[level] = Grades(right[candidate, units], offsets)
    return found


@cache
def _candidates(pool: Pool) -> tuple[pa.Table, float]:
    """Return a column for each candidate, sentences as rows, and their CPU time."""
    path = pool.path(".parquet")
    if not path.is_file():
        _LINES.note(f"{pool.split}: {pool.called} of {pool.new}")
        found, seconds = _proposed(pool)
        columns = {str(at): [each[at] for each in found] for at in range(N_CANDIDATES)}
        table = pa.table({k: pa.array(v, TREE_TYPE) for k, v in columns.items()})
        with whole(path) as partial:
            timed = table.replace_schema_metadata({"cpu_seconds": str(seconds)})
            pq.write_table(timed, partial)
    table = pq.read_table(path)
    return table, float(table.schema.metadata[b"cpu_seconds"])


def _proposed(pool: Pool) -> tuple[list[list[Any]], float]:
    """Return ten candidates of each sentence, `None` where there are fewer."""
    new, split = load(pool.new), split_of(pool.split)
    options = {} if pool.p is None else {"generator": "dropout-p", "p": pool.p}
    model = backward_congruent(new, new, k=N_CANDIDATES, **options)
    made, seconds = split.answered(model.candidates, model.encode(split.inputs))
    return [[*each, *[None] * (N_CANDIDATES - len(each))] for each in made], seconds


@cache
def _graded(pool: Pool) -> dict[str, list[Grades]]:
    """Return the correctness of each candidate of all sentences, by level."""
    path = pool.path(".graded.safetensors")
    if not path.is_file():
        split, columns = split_of(pool.split), _candidates(pool)[0].columns
        graded = [GRADING.grade(split, each, 0.0) for each in columns]
        arrays: dict[str, Array] = {}
        for level in LEVELS:
            right = [one.levels[level].right for one in graded]
            arrays[f"{level}.right"] = np.stack(right)
            arrays[f"{level}.offsets"] = graded[0].levels[level].offsets
        save_arrays(path, arrays)
    kept = load_file(path)
    return {
        level: [
            Grades(right, kept[f"{level}.offsets"]) for right in kept[f"{level}.right"]
        ]
        for level in LEVELS
    }


@cache
def _scores(pool: Pool, by: str) -> tuple[Values, float]:
    """Return log p of each candidate, shape (n_sentences, 10), and the CPU time."""
    path = pool.path(f".{by}.safetensors")
    if not path.is_file():
        scores, seconds = _scored(pool, by)
        save_arrays(path, {"scores": scores, "cpu_seconds": np.array([seconds])})
    kept = load_file(path)
    return kept["scores"], float(kept["cpu_seconds"][0])


def _scored(pool: Pool, by: str) -> tuple[Values, float]:
    model, split = load(by), split_of(pool.split)
    rows = zip(*(c.to_pylist() for c in _candidates(pool)[0].columns), strict=True)
    answers = [[one for one in row if one is not None] for row in rows]
    items = model.encode(split.inputs)
    found, seconds = split.answered(model.log_probability, items, answers)
    return np.stack([_padded(each) for each in found]), seconds


def _padded(scores: Values) -> Values:
    """Return scores where a candidate that is missing has -inf."""
    full = np.full(N_CANDIDATES, -np.inf)
    full[: len(scores)] = scores
    return full
