"""Recorded predictions of one side, with the examples that their file describes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from compat_eval.core.examples import Examples
from compat_eval.core.policies import PairBy
from compat_eval.core.predictions import Predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One side of a comparison.

    Attributes:
        name: What the user wrote, for messages.
        predictions: The answers.
        examples: What the file itself says about the same ids in the same
            order: `id` and, where it has them, `input`, `gold`, `cluster`,
            `weight` and slices.
        fingerprint: SHA-256 of the content.
        notes: What a reader of the comparison must know, in sentences.
        provenance: JSON-ready facts about where it comes from.
        graded_by: The tool that graded the answers, whose log it is.
        kind: The task kind as which a file was read; empty for a model's answers.

    """

    name: str
    predictions: Predictions
    examples: Examples
    fingerprint: str
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    graded_by: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How a prediction file is to be read.

    Attributes:
        name: What the user wrote, for messages.
        level: The task's first level, which a column `correct` speaks of.
        kind: The task kind.
        proposed: Whether nobody chose the kind, so that a log may propose another.
        answers: The columns that the task grades.
        fields: Our column name to the file's, where they differ; to nothing where a
            column is left out.
        keep: Column of the file to the value of the rows that are read.
        pair_by: What says which example a row is about.
        of_others: Columns of the file that hold what another side answered.
        reading: How files are read, such as `delimiter`: keys of a suite's source.
        label_map: From the file's relations to gold's, where a parser has others.
        examples: The questions, where a suite or gold file has them.

    """

    name: str
    level: str = "example"
    kind: str = "classification"
    proposed: bool = False
    answers: tuple[str, ...] = ("prediction",)
    fields: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    pair_by: PairBy = "id"
    of_others: Collection[str] = ()
    reading: Mapping[str, str] = field(default_factory=dict)
    label_map: Mapping[str, str] = field(default_factory=dict)
    examples: Examples | None = None
