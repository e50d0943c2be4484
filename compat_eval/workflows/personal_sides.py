"""`RUN@PERIOD#personal` on another suite: each client's own model answers its examples.

Clients are told apart as in the federation, by the clusters of the suite. One that has
no model of its own, or that the federation did not know, has the global one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from torch import Tensor

from compat_eval.adapters.compat import open_source
from compat_eval.core.errors import UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.fingerprint import digest, file_digest
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource
from compat_eval.core.recorded import Recorded
from compat_eval.federated.own_models import OWN_MODELS, OwnModels
from compat_eval.federated.problem import use_weights, weights_of
from compat_eval.models.language_models.model import SmallLanguageModel
from compat_eval.runner.ask import ask
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from compat_eval.workflows.options import Options
from compat_eval.workflows.sides import question_of, recorded


def own_models_side(text: str, folder: Path, options: Options) -> Recorded:
    """Return what clients' own models of a period answer to a suite.

    Args:
        text: What the user wrote.
        folder: Of the period.
        options: With the suite that is asked.

    Raises:
        UsageError: The suite tells no clients, or none that has a model of its own.
        DataError: No weights of own models are kept, or they are damaged.

    """
    suite = load_suite(str(options.suite))
    examples = load_examples(
        suite, options.split, data_dir=options.data_dir, offline=options.offline
    )
    own = OwnModels.read(folder).by_client()
    owners = _owners(text, examples, own)
    source = open_source(str(folder), options.model_options({}))
    model = source.load()
    assert isinstance(model, SmallLanguageModel)
    common = weights_of(model.network)
    tables, places = [], []
    for client in sorted({*owners}):
        rows = np.flatnonzero(np.array([one == client for one in owners]))
        found = ask(
            _OwnModel(source=source, model=model, weights=own.get(client, common)),
            examples.take(rows),
            question_of(suite.task),
            settings=options.runner_settings(suite.task.kind),
        )
        tables.append(found.table)
        places.append(rows)
    answers = Predictions(pa.concat_tables(tables, promote_options="default"))
    side = recorded(source, answers.take(np.argsort(np.concatenate(places))), examples)
    others = sorted({*owners} - {*own})
    note = f"{len(others)} clients have no model of their own there and the global one "
    return replace(
        side,
        name=text,
        fingerprint=digest([side.fingerprint, file_digest(folder / OWN_MODELS)]),
        notes=(f"{note}answers ({some(others)})",) if others else (),
        provenance={**side.provenance, "personal": True},
    )


def _owners(text: str, examples: Examples, own: Mapping[str, Tensor]) -> list[str]:
    """Return the client of each example."""
    if not examples.tells("cluster"):
        raise UsageError(
            f"{text}: own models answer the examples of their clients; `cluster` among "
            "the suite's fields names the column that tells clients apart"
        )
    owners = [str(one) for one in examples.column("cluster").to_pylist()]
    if not {*owners} & {*own}:
        raise UsageError(
            f"{text}: none of the suite's clients ({some(sorted({*owners}))}) has a "
            f"model of its own there; those are {some([*own])}"
        )
    return owners


@dataclass(frozen=True, slots=True, kw_only=True)
class _OwnModel:
    """A client's own model, which is the period's with other weights."""

    source: ModelSource
    model: SmallLanguageModel
    weights: Tensor

    @property
    def reference(self) -> str:
        return self.source.reference

    def fingerprint(self) -> str:
        return self.source.fingerprint()

    def describe(self) -> dict[str, Any]:
        return self.source.describe()

    def load(self) -> SmallLanguageModel:
        use_weights(self.model.network, self.weights)
        self.model.network.eval()
        return self.model
