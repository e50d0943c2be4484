"""What a federation's models say of each other: numbers with their intervals, gates.

Everything is read from the federation's directory: what each period's model needs for
each test document. Clients are the clusters of every interval; of one client alone its
documents are. Nothing here needs torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.comparison.judging import claims, judged
from compat_eval.comparison.panel import NEW, OLD, Panel
from compat_eval.comparison.slices import slice_mask
from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Ints, Values
from compat_eval.core.errors import DataError, SuiteError, UsageError, some
from compat_eval.core.estimate import Estimate
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.files import parse_json, read_json
from compat_eval.core.fingerprint import digest, file_digest
from compat_eval.core.grades import names
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import SuitsAnswers
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.core.verdict import Verdict, worst
from compat_eval.gates import (
    Demands,
    Gate,
    GateResult,
    OtherClaims,
    claims_of,
    judge,
)
from compat_eval.statistics.evidence import evidence
from compat_eval.statistics.families.continual import (
    BEFORE,
    FORGETTING,
    SEEN,
    SINCE,
    stream_rows,
    stream_statistics,
)
from compat_eval.statistics.families.perplexity import PERPLEXITY, PERPLEXITY_RATIO
from compat_eval.statistics.intervals.evidence import Evidence
from compat_eval.statistics.paired_rows import PairedRows
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.suite.suite import Suite
from compat_eval.tasks.language_modeling.tokens import RANKS, TOP

RESULTS = "federation.json"
ANSWERS = "answers.jsonl"
"""How probable the test documents are, beside each period's model."""
PERSONAL = "personal.jsonl"
"""Likewise of clients' own models, each of its client's documents."""
UNTRAINED = "untrained.jsonl"
"""Likewise of the model before all training."""
SUITE = "suite.yaml"
"""Of the test documents."""
TESTS = "test.jsonl"
"""They themselves."""
KEPT = "kept.json"
"""Which documents clients keep, beside each period's model."""
SELF = "sha256"
"""In federation.json: of all else that stands there."""
OF_UPDATES = (
    "perplexity_ratio",
    "forgetting",
    "median_cluster_ratio",
    "worst_decile_ratio",
    "worst_cluster_ratio",
    "worse_clusters_share",
)
"""What is told of each period's update."""


def period_folder(out: Path, period: str) -> Path:
    """Return where the model of a period is."""
    safe = "".join(one if one.isalnum() or one in "_.-" else "_" for one in period)
    # Another period may have that very name.
    return out / f"period-{safe if safe == period else f'{safe}-{digest(period)[:6]}'}"


@dataclass(frozen=True, kw_only=True)
class MeasuredStream:
    """What every model of a federation needs for every test document.

    Attributes:
        path: The federation's directory.
        suite: Of the test documents.
        examples: They, with slices `period` and `trained_on` and clients as clusters.
        names: Of the periods, the first one first.
        answers: Of the untrained model and then of each period's.
        seed: Random seed of intervals.

    """

    path: Path
    suite: Suite
    examples: Examples
    names: tuple[str, ...]
    answers: tuple[Predictions, ...]
    seed: int = 0

    @classmethod
    def read(cls, path: Path, names: Sequence[str]) -> "MeasuredStream":
        """Read a federation's test documents and the answers to them.

        Raises:
            DataError: A file is missing or damaged, or answers other documents.

        """
        suite = load_suite(str(path / SUITE))
        examples = load_examples(suite, "test")
        files = [path / UNTRAINED]
        files += [period_folder(path, name) / ANSWERS for name in names]
        return cls(
            path=path,
            suite=suite,
            examples=examples,
            names=tuple(names),
            answers=tuple(_answers(file, examples) for file in files),
        )

    @cached_property
    def periods(self) -> Ints:
        """The period of each document, as a place among the names."""
        place = {name: at for at, name in enumerate(self.names)}
        own = self.examples.column(f"{SLICE_PREFIX}period").to_pylist()
        return np.array([place[str(name)] for name in own], np.int64)

    @cached_property
    def clusters(self) -> Ints | None:
        """The client of each document; `None` where there is one alone."""
        found = self.examples.clusters()
        return None if found is None or len(np.unique(found)) < 2 else found  # noqa: PLR2004

    def personal(self, period: int) -> Predictions:
        """Return what clients' own models answer after a period.

        Raises:
            DataError: The federation was simulated without them, or they are damaged.

        """
        path = period_folder(self.path, self.names[period]) / PERSONAL
        if not path.is_file():
            raise DataError(
                f"{self.path}: its clients have no models of their own; simulate with "
                "--personal METHOD"
            )
        return _answers(path, self.examples)

    @property
    def is_personal(self) -> bool:
        """Whether clients have models of their own."""
        return all(
            (period_folder(self.path, name) / PERSONAL).is_file() for name in self.names
        )

    def side(
        self, period: int, *, old: int, new: int, personal: bool = False
    ) -> tuple[Examples, Predictions]:
        """Return what a period's model answers to the documents of an update.

        Those are of all periods up to NEW's; slice `seen` says which of them OLD knew.
        With `personal`, each client's own model answers.
        """
        asked = np.flatnonzero(self.periods <= max(old, new))
        seen = np.where(self.periods[asked] <= old, BEFORE, SINCE)
        examples = self.examples.take(asked).with_column(
            f"{SLICE_PREFIX}{SEEN}", pa.array(seen.tolist(), pa.string())
        )
        answers = self.personal(period) if personal else self.answers[period + 1]
        return examples, answers.take(asked)

    def update(self, new: int, *, personal: bool = False) -> Update:
        """Return the update from the model of the period before to that of `new`."""
        examples, after = self.side(new, old=new - 1, new=new, personal=personal)
        _, before = self.side(new - 1, old=new - 1, new=new, personal=personal)
        return self._update(examples, before, after)

    def personalised(self, period: int) -> Update:
        """Return the update from a period's global model to clients' own models."""
        examples, before = self.side(period, old=period, new=period)
        _, after = self.side(period, old=period, new=period, personal=True)
        return self._update(examples, before, after)

    def _update(
        self, examples: Examples, before: Predictions, after: Predictions
    ) -> Update:
        task = self.suite.task
        if isinstance(task, SuitsAnswers):
            task = task.suited([examples], [before, after])
        panel = Panel.aligned(
            examples,
            {OLD: before, NEW: after},
            task=task,
            name=self.suite.name,
            levels=names(task.levels),
            seed=self.seed,
        )
        return Update(panel=panel)

    def numbers(self, confidence: float = 0.95) -> dict[str, Any]:
        """Return all estimates, JSON-ready."""
        n = len(self.names)
        stream = {
            name: self._of_stream(one).estimate(confidence).to_dict()
            for name, one in stream_statistics(n).items()
        }
        matrix = [
            [self.perplexity(model, at, confidence).to_dict() for at in range(n)]
            for model in range(-1, n)
        ]
        since = [
            [self._since_learned(model, at, confidence) for at in range(n)]
            for model in range(n)
        ]
        return {
            "statistics": stream,
            "untrained": matrix[0],
            "matrix": matrix[1:],
            "since_learned": since,
            "updates": [self._update_numbers(at, confidence) for at in range(1, n)],
        }

    def _update_numbers(self, new: int, confidence: float) -> dict[str, Any]:
        """Return the estimates of the update that ends with a period, JSON-ready."""
        return {
            "old": self.names[new - 1],
            "new": self.names[new],
            "statistics": {
                name: one.estimate(confidence).to_dict()
                for name, one in _of_update(self.update(new)).items()
            },
        }

    def _since_learned(
        self, model: int, period: int, confidence: float
    ) -> dict[str, Any] | None:
        """Return the ratio of a model's perplexity on a period to that when learned."""
        if model <= period:
            return None
        there = self.periods == period
        old, new = (
            np.stack([self.nats[at + 1], self.tokens], axis=1)[there]
            for at in (period, model)
        )
        sample = self._sample(old, new, there, f"since {model} {period}")
        return evidence(sample, PERPLEXITY_RATIO).estimate(confidence).to_dict()

    def perplexity(self, model: int, period: int, confidence: float) -> Estimate:
        """Return the perplexity of a model on a period's tests; −1 is the untrained."""
        there = self.periods == period
        rows = np.stack([self.nats[model + 1], self.tokens], axis=1)[there]
        sample = self._sample(rows, np.zeros_like(rows), there, f"{model} {period}")
        return evidence(sample, PERPLEXITY.of_old()).estimate(confidence)

    @cached_property
    def nats(self) -> Values:
        """Of each document under each model, shape (n_periods + 1, n_documents)."""
        return np.stack([one.numbers("nll") for one in self.answers])

    @cached_property
    def tokens(self) -> Values:
        """Of each document."""
        return self.answers[0].numbers("n_tokens")

    def judged(
        self, demands: Demands, *, doubts: Sequence[str] = ()
    ) -> "StreamVerdict":
        """Judge each period's update, and the stream; all share one allowed error.

        Args:
            demands: The gates.
            doubts: Why no gate may pass, beside periods that nobody is tested on.

        Raises:
            SuiteError: A gate names what is not there.
            UsageError: There is one period alone, so nothing to judge.

        """
        if demands.all_gates() and len(self.names) == 1:
            raise UsageError("gates judge updates, and a stream of one period has none")
        known = stream_statistics(len(self.names))
        of_stream = [gate for gate in demands.gates if gate.quantity in known]
        rest = tuple(gate for gate in demands.gates if gate.quantity not in known)
        of_update = replace(demands, gates=rest)
        updates = list(map(self.update, range(1, len(self.names))))
        if not of_update.all_gates():
            updates = []
        own = [claims(one, of_update) for one in updates]

        def find(gate: Gate) -> Evidence:
            gate.check(known)
            if gate.level is not None:
                raise SuiteError(f"a gate on {gate.quantity} has no level")
            return self._of_stream(known[gate.quantity], gate.slice)

        own.append(claims_of(of_stream, find, known=lambda _: known))
        found = [
            judged(
                one,
                replace(of_update, others=_others(own, at)),
                doubts=[*doubts, *self.untested(at + 1)],
                again=None,
            )
            for at, one in enumerate(updates)
        ]
        stream = judge(
            of_stream,
            find,
            alpha=round(1 - demands.confidence, 12),
            correction=demands.correction,
            doubts=[*doubts, *self.untested(len(self.names) - 1)],
            known=lambda _: known,
            others=_others(own, len(updates)),
        )
        return StreamVerdict(
            names=self.names, updates=tuple(found), stream=tuple(stream)
        )

    def untested(self, newest: int) -> list[str]:
        """Return which periods have no tests, as a doubt about all up to the newest."""
        there = {*self.periods.tolist()}
        lacking = [self.names[at] for at in range(newest + 1) if at not in there]
        return [f"no document tests period {some(lacking)}"] if lacking else []

    def personal_numbers(self, confidence: float = 0.95) -> dict[str, Any]:
        """Return estimates of clients' own models, JSON-ready; empty without them.

        Of each period's against its global model, and against those of the period
        before.
        """
        if not self.is_personal:
            return {}

        def told(update: Update) -> dict[str, Any]:
            found = _of_update(update).items()
            return {
                name: one.estimate(confidence).to_dict()
                for name, one in found
                if name != FORGETTING.name
            }

        last = [
            {
                "old": self.names[new - 1],
                "new": self.names[new],
                "statistics": told(self.update(new, personal=True)),
            }
            for new in range(1, len(self.names))
        ]
        against_global = [
            {"period": name, "statistics": told(self.personalised(at))}
            for at, name in enumerate(self.names)
        ]
        return {"personal_updates": last, "personal_against_global": against_global}

    def _of_stream(self, statistic: Statistic, part: str | None = None) -> Evidence:
        there = np.ones(len(self.examples), np.bool_)
        if part is not None:
            there = slice_mask(self.examples, part)
        first, second = stream_rows(
            self.nats[:, there],
            self.tokens[there],
            self.periods[there],
            len(self.names),
        )
        sample = PairedRows(
            old=first,
            new=second,
            clusters=None if self.clusters is None else self.clusters[there],
            seed=self.seed,
            key=(self.suite.name, statistic.name),
        )
        return evidence(sample, statistic)

    def _sample(self, old: Values, new: Values, there: Values, key: str) -> PairedRows:
        clusters = None if self.clusters is None else self.clusters[there]
        return PairedRows(
            old=CodedRows.plain(old),
            new=CodedRows.plain(new),
            clusters=clusters,
            seed=self.seed,
            key=(self.suite.name, "matrix", key),
        )


def _of_update(update: Update) -> dict[str, Evidence]:
    return {
        name: evidence(update.rows(name), update.statistics[name])
        for name in OF_UPDATES
        if name in update.statistics
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamVerdict:
    """How the gates of a federation were judged.

    Attributes:
        names: Of the periods.
        updates: For each period but the first, the gates of its update.
        stream: The gates of the whole stream.

    """

    names: tuple[str, ...]
    updates: tuple[tuple[GateResult, ...], ...]
    stream: tuple[GateResult, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all; none without gates."""
        each = [*(one for found in self.updates for one in found), *self.stream]
        return worst(one.verdict for one in each)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields: a gate says in `old` and `new` what it judged."""
        return {"verdict": str(self.verdict), "gates": [*self._gates()]}

    def _gates(self) -> Iterator[Mapping[str, Any]]:
        for at, found in enumerate(self.updates):
            for one in found:
                pair = {"old": self.names[at], "new": self.names[at + 1]}
                yield {**one.to_dict(), **pair}
        for one in self.stream:
            yield {**one.to_dict(), "old": None, "new": None}


def _others(own: Sequence[OtherClaims], at: int) -> OtherClaims:
    return sum((one for k, one in enumerate(own) if k != at), OtherClaims())


def _answers(path: Path, examples: Examples) -> Predictions:
    """Read answers, which are in the order of the documents."""
    try:
        rows = [parse_json(line) for line in path.read_bytes().splitlines()]
        columns = {
            "id": pa.array([row["id"] for row in rows], pa.string()),
            "nll": pa.array([row["nll"] for row in rows], pa.float64()),
            "n_tokens": pa.array([row["n_tokens"] for row in rows], pa.int64()),
        }
        for name in (RANKS, TOP):
            if all(name in row for row in rows):
                lists = [row[name] for row in rows]
                columns[name] = pa.array(lists, pa.list_(pa.int64()))
        table = pa.table(columns)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DataError(
            f"{path}: damaged; delete the federation, and simulate it again"
        ) from error
    found = Predictions(table)
    if found.ids.to_pylist() != examples.ids.to_pylist():
        raise DataError(
            f"{path}: does not answer the federation's test documents; delete the "
            "federation, and simulate it again"
        )
    return found


def read_federation(path: Path) -> Mapping[str, Any]:
    """Read what a federation found.

    Raises:
        DataError: There is none, or it is damaged or of another version.

    """
    try:
        found = read_json(path / RESULTS)
    except OSError as error:
        raise DataError(
            f"{path}: is no finished federation: it has no {RESULTS} ({error.strerror})"
        ) from error
    except ValueError as error:
        raise DataError(f"{path / RESULTS}: damaged: {error}") from error
    if not isinstance(found, Mapping) or not isinstance(found.get("periods"), list):
        raise DataError(f"{path / RESULTS}: damaged: it names no periods")
    return found


def stream_digest(path: Path, names: Sequence[str]) -> str:
    """Return a SHA-256 of a federation's test documents and of all answers to them."""
    folders = [period_folder(path, name) for name in names]
    files = [path / one for one in (SUITE, TESTS, UNTRAINED)]
    files += [folder / ANSWERS for folder in folders]
    own = [folder / PERSONAL for folder in folders]
    files += [file for file in own if file.is_file()]
    return digest([file_digest(file) for file in files])


def model_digests(path: Path, names: Sequence[str]) -> dict[str, str]:
    """Return SHA-256s of all that is beside the answers in the periods' folders."""
    files = [
        file
        for name in names
        for file in sorted(period_folder(path, name).iterdir())
        if file.is_file() and file.name not in (ANSWERS, PERSONAL)
    ]
    return {file.relative_to(path).as_posix(): file_digest(file) for file in files}


def federation_doubts(found: Mapping[str, Any]) -> list[str]:
    """Return why no gate may pass on a federation, from what federation.json holds.

    Its clients did not all tell their tests, or it began from a model that knew them.
    """
    lost = found.get("left_out", ())
    doubts = [f"nobody knows what became of clients {some(lost)}"] if lost else []
    return [*doubts, *map(str, found.get("doubts", ()))]


def refuse_changed(path: Path, found: Mapping[str, Any]) -> None:
    """Refuse a federation whose answers are not those that it wrote.

    Raises:
        DataError: They, or the test documents, are others or missing.

    """
    try:
        now = stream_digest(path, [*map(str, found["periods"])])
    except OSError as error:
        raise DataError(
            f"{error.filename}: cannot be read: {error.strerror}"
        ) from error
    if found.get("files") != now:
        raise DataError(
            f"{path}: the test documents or answers are not those that {RESULTS} was "
            "made of; delete the federation, and simulate it again"
        )
