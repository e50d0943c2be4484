"""A language model that clients train together, period after period, on their own data.

A federation's directory holds the model of every period, as `compat:` opens it, the
test documents as a suite, and `federation.json` with what each client's documents cost
each model.
"""

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import yaml
from pydantic import Field

from compat_eval import __version__
from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import DataError, ModelError, UsageError, some
from compat_eval.core.estimate import rounded
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.fingerprint import canonical_json, digest
from compat_eval.core.progress import Progress
from compat_eval.core.protocols import ModelSource
from compat_eval.federated.clients import Clients, clients_of
from compat_eval.federated.devices import LocalDevices
from compat_eval.federated.outcome import stream_outcome
from compat_eval.federated.own_models import OwnModels
from compat_eval.federated.problem import (
    LanguageProblem,
    language_problem,
    use_weights,
    weights_of,
)
from compat_eval.federated.replay.diversity import diversity
from compat_eval.federated.simulation import (
    FederationSettings,
    PeriodEnd,
    simulate,
)
from compat_eval.federated.stream import (
    ANSWERS,
    KEPT,
    PERSONAL,
    RESULTS,
    SELF,
    SUITE,
    TESTS,
    UNTRAINED,
    MeasuredStream,
    StreamVerdict,
    federation_doubts,
    model_digests,
    period_folder,
    read_federation,
    refuse_changed,
    stream_digest,
)
from compat_eval.federated.workers import workers
from compat_eval.gates import Demands
from compat_eval.mitigations.train.earlier import earlier_training, trained_on
from compat_eval.mitigations.train.overlap import overlapping
from compat_eval.models.language_models.model import NETWORKS, SmallLanguageModel
from compat_eval.models.language_models.tokens import TokenKind, trained_tokenizer
from compat_eval.models.language_models.training import (
    LanguageModelSettings,
    write_language_model,
)
from compat_eval.models.training.data import texts_of
from compat_eval.models.training.loop import seeded
from compat_eval.models.training.train import Settings, contents_of, settings_from
from compat_eval.models.training.workplace import begin, claimed
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.suite.suite import Suite
from compat_eval.tasks.language_modeling.tokens import RANKS, TOP

CHECKPOINT = "checkpoint.pt"
LOG = "log.json"
"""What happened, where a federation works."""
_KNEW = "the model that it began from was trained on its documents, tests among them"
RenderFederation: TypeAlias = Callable[[Mapping[str, Any]], dict[str, bytes]]
"""Makes the reports of what federation.json holds, by the names of their files."""


class FederatedModelSettings(Settings):
    """The language model that is trained together, where none is given to start with.

    Its tokens are learnt from the texts of the first period.
    """

    tokens: TokenKind = "bpe"
    vocabulary: int = Field(default=1000, ge=3)
    min_count: int = Field(default=2, ge=1)
    network: str = "transformer"
    width: int = Field(default=64, ge=2)
    layers: int = Field(default=1, ge=1)
    heads: int = Field(default=4, ge=1)
    longest: int = Field(default=48, ge=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class FederationRequest:
    """What is simulated.

    Attributes:
        suite: Name or file of a suite of the task language_modeling.
        split: Its split that holds all documents.
        period: Its slice that says when a client received a document.
        order: Names of the periods, the first one first; empty for sorted.
        settings: Of clients and server.
        model: Of the language model.
        start: Directory of a language model to begin from, in place of `model`.
        seed: Random seed.
        out: Directory of the federation.
        gates: What is demanded of each period's update and of the stream; `None` for
            what the suite demands.
        n_workers: Processes.
        data_dir: A mirror of data files.
        offline: Whether the network is never used.

    """

    suite: str
    split: str
    period: str
    order: tuple[str, ...]
    settings: FederationSettings
    model: FederatedModelSettings
    start: Path | None
    seed: int
    out: Path
    gates: Demands | None = None
    n_workers: int = 1
    data_dir: Path | None = None
    offline: bool = False


def federate(
    request: FederationRequest,
    progress: Progress,
    *,
    render: RenderFederation = lambda _: {},
) -> dict[str, Any]:
    """Simulate a federation, or go on with one; return what federation.json holds.

    Its models are judged when all are there; see `MeasuredStream`.

    Args:
        request: What is simulated.
        progress: Follows the work.
        render: Makes the reports that stand beside federation.json.

    Raises:
        UsageError: A setting makes no sense, or `out` holds another federation.
        DataError: The suite has no clients or periods, or no texts.
        ModelError: A client failed, or the model to start from cannot be read.

    """
    suite = load_suite(request.suite)
    if suite.task.kind != "language_modeling":
        raise UsageError(
            f"suite {suite.name} is of the task {suite.task.kind}; a federation learns "
            "language_modeling"
        )
    examples = load_examples(
        suite, request.split, data_dir=request.data_dir, offline=request.offline
    )
    texts = texts_of(examples, "input")
    clients = clients_of(examples, period=request.period, order=request.order)
    wanted = _identity(request, suite, examples)
    with claimed(request.out) as work:
        if (request.out / RESULTS).is_file():
            before = finished_federation(request.out, wanted)
            return measured(request.out, _demands(request, suite), before, render)
        begin(work, request.out, wanted)
        model, settings = _model(request, clients, texts)
        tests = _Tests.of(suite, examples, clients, request)
        tests.write(request.out)
        record = _record(request, suite, settings)
        write_answers(request.out / UNTRAINED, _answers(model, tests))
        problem = language_problem(model, examples.ids.to_pylist(), texts)
        with workers(problem, request.n_workers) as those:
            devices = LocalDevices(problem, clients, those)
            for end in simulate(
                devices,
                request.settings,
                start=weights_of(model.network),
                seed=request.seed,
                checkpoint=work / CHECKPOINT,
                identity=digest(wanted),
                progress=progress,
            ):
                place = period_folder(request.out, clients.periods[end.period])
                place.mkdir(exist_ok=True)
                if request.settings.personal is not None:
                    told = _own_answers(model, tests, end)
                    _refuse_unbounded(told, tests, clients, "own models", end.period)
                    write_answers(place / PERSONAL, told)
                    own = OwnModels.of(clients.names, end.own)
                    own.write(place)
                    progress.note(
                        f"period {clients.periods[end.period]}: {len(own.clients)} own "
                        f"models of {own.weights.shape[1]:,} numbers, "
                        f"{own.weights.nbytes / 1e6:,.1f} MB"
                    )
                use_weights(model.network, end.weights)
                model.network.eval()
                told = _answers(model, tests)
                _refuse_unbounded(told, tests, clients, "global model", end.period)
                write_answers(place / ANSWERS, told)
                write_period(place, model, settings, record)
                write_whole(place / KEPT, _kept(end, clients, problem))
                happened = {"kept": devices.kept(end.memory), "log": [*end.log]}
                write_whole(work / LOG, canonical_json(happened).encode())
        found = {
            **wanted,
            **_results(request.out, clients),
            **read_json(work / LOG),
            "doubts": start_doubts(
                _start(request), [_own_data(request, suite)], examples
            ),
        }
        found = measured(request.out, _demands(request, suite), found, render)
        for path in work.iterdir():
            path.unlink()
    return found


def _demands(request: FederationRequest, suite: Suite) -> Demands:
    return suite.demands if request.gates is None else request.gates


def measured(
    out: Path,
    demands: Demands,
    found: Mapping[str, Any],
    render: RenderFederation = lambda _: {},
) -> dict[str, Any]:
    """Add numbers with intervals and the verdict, and write them down with reports.

    A finished federation is judged again, from the answers: no verdict is read. Its
    numbers are measured once.

    Args:
        out: Directory of the federation.
        demands: What its gates demand.
        found: What is known of it already.
        render: Makes its reports.

    Raises:
        DataError: Answers are not those that the federation wrote.

    """
    whole = {**found, "measured_by": __version__}
    verdict = StreamVerdict(names=(), updates=(), stream=())
    measures = found.get("measured_by") != __version__
    if measures or demands.all_gates():
        refuse_changed(out, found)
        stream = MeasuredStream.read(out, found["periods"])
        verdict = stream.judged(demands, doubts=federation_doubts(found))
        if measures:
            whole |= rounded({**stream.numbers(), **stream.personal_numbers()})
    whole |= {**rounded(verdict.to_dict()), "demands": dict(demands.config)}
    whole[SELF] = digest({key: one for key, one in whole.items() if key != SELF})
    text = json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False)
    for name, content in {**render(whole), RESULTS: f"{text}\n".encode()}.items():
        path = out / name
        if not path.is_file() or path.read_bytes() != content:
            write_whole(path, content)
    return whole


def write_period(
    place: Path,
    model: SmallLanguageModel,
    settings: LanguageModelSettings,
    record: bytes,
) -> None:
    """Write a period's model, and what it learned from."""
    write_language_model(model, settings, place)
    write_whole(place / "training.json", record)


def _kept(end: PeriodEnd, clients: Clients, problem: LanguageProblem) -> bytes:
    """Return which documents clients keep after a period, and how they differ."""
    periods = np.full(len(problem.names), -1)
    for at, shards in enumerate(clients.shards):
        for shard in shards.values():
            periods[[*shard.train]] = at
    found = {
        "documents": {
            clients.names[client]: [problem.names[row] for row in rows]
            for client, rows in end.memory.items()
        },
        "diversity": diversity(
            end.memory,
            tokens=problem.tokens.numpy(),
            periods=periods,
            newest=end.period,
        ),
    }
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tests:
    """The documents that nobody learns from.

    Attributes:
        examples: They, of one period after the other.
        periods: Of each, as a place among the periods.
        owners: Client of each, as a place among the clients.
        repeated: Which of them somebody trains on in some period: the same text, in
            whatever case and with whatever blanks.
        suite: What they come from.
        slice: Name of the slice that holds periods.

    """

    examples: Examples
    periods: Ints
    owners: Ints
    repeated: Bools
    suite: Suite
    slice: str

    @classmethod
    def of(
        cls,
        suite: Suite,
        examples: Examples,
        clients: Clients,
        request: FederationRequest,
    ) -> "_Tests":
        found = [
            (row, period, client)
            for period in range(len(clients.periods))
            for client, rows in clients.tests(period).items()
            for row in rows
        ]
        if not found:
            raise DataError(
                "no client has three documents in a period, so there is none to test on"
            )
        rows, periods, owners = (np.array(one) for one in zip(*found, strict=True))
        learned = [
            row for held in clients.shards for one in held.values() for row in one.train
        ]
        own = examples.take(rows)
        return cls(
            examples=own,
            repeated=overlapping(own, examples.take(np.array(learned, np.int64))),
            periods=periods,
            owners=owners,
            suite=suite,
            slice=request.period,
        )

    def write(self, out: Path) -> None:
        """Write them as a suite, with clients as clusters and periods as a slice."""
        named = {"id": "id", "input": "input", "client": "cluster"}
        columns = {name: self.examples.column(own) for name, own in named.items()}
        columns["period"] = self.examples.column(f"{SLICE_PREFIX}{self.slice}")
        columns["trained_on"] = pa.array(self.repeated).cast(pa.string())
        write_tests(
            out,
            pa.table(columns).to_pylist(),
            name=f"{self.suite.name}-clients",
            version=self.suite.version,
            task=self.suite.config["task"],
            slices=("period", "trained_on"),
        )


def write_tests(
    out: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    name: str,
    version: str,
    task: Mapping[str, Any],
    slices: Sequence[str],
) -> None:
    """Write the test documents of a federation as a suite."""
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows]
    write_whole(out / TESTS, "".join(f"{line}\n" for line in lines).encode())
    suite = {
        "name": name,
        "version": version,
        "description": "Test documents of a federation; its clients are clusters",
        "task": dict(task),
        "data": {"test": {"file": TESTS}},
        "fields": {"id": "id", "input": "input", "cluster": "client"},
        "slices": {one: one for one in slices},
    }
    text = yaml.safe_dump(suite, sort_keys=False, allow_unicode=True)
    write_whole(out / SUITE, text.encode())


def finished_federation(out: Path, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a finished federation found.

    Raises:
        UsageError: It is another one.
        DataError: It is damaged.

    """
    found = read_federation(out)
    if any(found.get(key) != value for key, value in wanted.items()):
        raise UsageError(
            f"{out} holds another federation; choose another --out, or delete it"
        )
    return dict(found)


def _identity(
    request: FederationRequest, suite: Suite, examples: Examples
) -> dict[str, Any]:
    """Return everything that decides the numbers, JSON-ready."""
    begun = _start(request)
    start = None if begun is None else begun.fingerprint()
    found = {
        "schema_version": 1,
        "suite": suite.name,
        "examples": contents_of("all", examples),
        "period": request.period,
        "order": [*request.order],
        "settings": request.settings.model_dump(mode="json"),
        "model": None if start else request.model.model_dump(mode="json"),
        "start": start,
        "seed": request.seed,
    }
    return dict(json.loads(canonical_json(found)))


def _start(request: FederationRequest) -> ModelSource | None:
    """Return the model to begin from, if there is one."""
    if request.start is None:
        return None
    return open_source(str(request.start), ModelOptions())


def _record(
    request: FederationRequest, suite: Suite, settings: LanguageModelSettings
) -> bytes:
    own = _own_data(request, suite)
    return training_record(_start(request), [own], settings, request.seed)


def _own_data(request: FederationRequest, suite: Suite) -> str:
    return f"{suite.name} {suite.version} {request.split}, dev none"


def start_doubts(
    begun: ModelSource | None, data: Sequence[str], examples: Examples | None = None
) -> list[str]:
    """Return a doubt where the model to begin from tells that it knew the tests.

    Args:
        begun: That model; `None` for a fresh one.
        data: What the federation learns from, as training.json calls it.
        examples: They, where they are here.

    """
    if begun is None:
        return []
    before = trained_on(begun)
    named = {one.rpartition(", dev ")[0] for one in data}
    knew = any(
        one.rpartition(", dev ")[0] in named
        for name in before
        for one in name.split("; ")
    )
    if examples is not None and not knew:
        told = earlier_training(begun)
        knew = told is not None and told.knew(examples)
    return [_KNEW] if knew else []


def training_record(
    begun: ModelSource | None,
    data: Sequence[str],
    settings: LanguageModelSettings,
    seed: int,
) -> bytes:
    """Return a period's training.json, by which compare knows what it learned from."""
    before = {} if begun is None else trained_on(begun)
    record = {
        "schema_version": 1,
        "model": "language-model",
        "config": settings.model_dump(mode="json", exclude_unset=True),
        "seed": seed,
        "data": {"name": "; ".join([*before, *data])},
    }
    return f"{json.dumps(record, indent=1, sort_keys=True)}\n".encode()


def _model(
    request: FederationRequest, clients: Clients, texts: Sequence[str]
) -> tuple[SmallLanguageModel, LanguageModelSettings]:
    begun = _start(request)
    if begun is not None and request.start is not None:
        return begun_model(begun, request.start)
    first = [row for shard in clients.shards[0].values() for row in shard.train]
    return fresh_model(request.model, [texts[row] for row in first], request.seed)


def begun_model(
    begun: ModelSource, directory: Path
) -> tuple[SmallLanguageModel, LanguageModelSettings]:
    """Return the model to begin from, and how it was made.

    Raises:
        ModelError: It is no small language model.

    """
    model = begun.load()
    if not isinstance(model, SmallLanguageModel):
        raise ModelError(f"{directory}: is no model of `train --model language-model`")
    config = read_json(directory / "config.json")
    sizes = {k: v for k, v in config["sizes"].items() if k != "n_tokens"}
    told = {"longest": config["longest"], **sizes, "network": config["network"]}
    return model, settings_from(LanguageModelSettings, told)


def fresh_model(
    own: FederatedModelSettings, texts: Sequence[str], seed: int
) -> tuple[SmallLanguageModel, LanguageModelSettings]:
    """Return a model that has learned nothing but the tokens of some texts."""
    settings = settings_from(
        LanguageModelSettings, {**own.model_dump(), "dropout": 0.0}
    )
    tokenizer = trained_tokenizer(
        own.tokens, texts, size=own.vocabulary, min_count=own.min_count
    )
    sizes = settings.sizes(tokenizer.get_vocab_size())
    network = seeded(lambda: NETWORKS[own.network](**sizes), seed)
    return (
        SmallLanguageModel(network=network, tokenizer=tokenizer, longest=own.longest),
        settings,
    )


def _answers(
    model: SmallLanguageModel, tests: _Tests, rows: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """Return how probable test documents are, and how each of their tokens ranks.

    Args:
        model: Who is asked.
        tests: The documents.
        rows: Which of them; `None` for all.

    """
    asked = tests.examples if rows is None else tests.examples.take(np.array([*rows]))
    scores = model.token_scores(model.encode(asked.column("input").to_pylist()))
    places = [slice(*pair) for pair in itertools.pairwise(scores.offsets.tolist())]
    return [
        {
            "id": name,
            "nll": float(-total),
            "n_tokens": int(count),
            RANKS: scores.ranks[at].tolist(),
            TOP: scores.top[at].tolist(),
        }
        for name, total, count, at in zip(
            asked.ids.to_pylist(), scores.totals(), scores.n_tokens, places, strict=True
        )
    ]


def _refuse_unbounded(
    told: Sequence[Mapping[str, Any]],
    tests: "_Tests",
    clients: Clients,
    what: str,
    period: int,
) -> None:
    """Refuse answers that are not finite, and name whose documents those are of."""
    lost = [at for at, one in enumerate(told) if not math.isfinite(one["nll"])]
    if lost:
        owners = {clients.names[tests.owners[at]] for at in lost}
        raise ModelError(
            f"period {clients.periods[period]}: the {what} put no finite probability "
            f"on {len(lost)} test documents of clients {some(sorted(owners))}; take a "
            "smaller learning rate"
        )


def _own_answers(
    model: SmallLanguageModel, tests: _Tests, end: PeriodEnd
) -> list[dict[str, Any]]:
    """Return what each client's own model says of its test documents, in their order.

    A client that has none in this period has the global model.
    """
    found: dict[int, dict[str, Any]] = {}
    for client in np.unique(tests.owners).tolist():
        rows = np.flatnonzero(tests.owners == client).tolist()
        use_weights(model.network, end.own.get(client, end.weights))
        model.network.eval()
        found |= dict(zip(rows, _answers(model, tests, rows), strict=True))
    return [found[row] for row in range(len(tests.owners))]


def write_answers(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write answers as a file that compare reads."""
    lines = [canonical_json(row) for row in rows]
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())


def _results(out: Path, clients: Clients) -> dict[str, Any]:
    """Return nats and tokens by model, period and client, and perplexities."""
    stream = MeasuredStream.read(out, clients.periods)
    kept = [period_folder(out, name) / KEPT for name in clients.periods]
    return {
        **stream_outcome(stream, clients.names),
        "diversity": [read_json(one)["diversity"] for one in kept],
        "files": stream_digest(out, clients.periods),
        "models": model_digests(out, clients.periods),
    }
