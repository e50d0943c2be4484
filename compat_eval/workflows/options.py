"""What a user may ask of one comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from compat_eval.adapters.options import Dtype, ModelOptions
from compat_eval.core.errors import UsageError
from compat_eval.core.normalise import AS_WRITTEN, NORMALISERS
from compat_eval.core.policies import IndexUse, OnMismatch, OnMissing, PairBy
from compat_eval.core.text import nearest

if TYPE_CHECKING:
    import pyarrow as pa

    from compat_eval.comparison.index_decision.ways import UpgradeTolerance
    from compat_eval.core.recorded import Request
    from compat_eval.gates import Demands
    from compat_eval.runner.settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything but the two models; the defaults are those of the command line.

    Attributes:
        suite: Name or path of a suite.
        gates: Path of a gates file, or what it says; it takes the place of the suite's
            gates.
        task: Task kind, where there is no suite.
        task_options: Settings of that kind.
        gold: File or table of the questions and answers, where there is no suite.
        fields: Our column name to that of prediction and gold files.
        old_fields: Likewise of OLD's file alone; it comes before `fields`.
        new_fields: Likewise of NEW's file.
        gold_fields: Likewise of the gold file.
        keep: Column of files to the value of the rows that are read.
        old_keep: Likewise of OLD's file alone.
        new_keep: Likewise of NEW's file.
        pair_by: What says which rows are of one example.
        reading: How those files are read, such as `delimiter`.
        old_reading: Likewise of OLD's file alone; it comes before `reading`.
        new_reading: Likewise of NEW's file.
        gold_reading: Likewise of the gold file.
        split: Which split of the suite is asked.
        limit: How many examples, or which share of them; `None` for all.
        seed: Random seed.
        on_mismatch: What to do where the sides differ about the questions.
        on_missing: What to do where a side lacks examples.
        trust_correct: Believe a file's own grades, whatever gold says.
        max_errors: The largest share of a side's answers that may be errors.
        aa: Whether to run OLD twice, to see how much is noise.
        normalise: What to even out in labels: of `NORMALISERS`; or `("none",)` to
            compare them as written.
        mitigate: Mitigations of NEW to try as well, each `METHOD[:option=value,…]`.
        index: Of encoders, how NEW would be served: on an index that it has `rewritten`
            or on OLD's, which is `kept`. That is the update which gates judge.
        paragon: Of encoders, NEW trained without any thought of OLD.
        tolerance: Of encoders, how far below a full re-index an upgrade may end, in
            units of the measure.
        below_old: Likewise, how far below OLD.
        retire_old: Likewise, whether OLD's encoder will not answer queries any more.
        query_cost: Likewise, whether what a query costs each is measured.
        backfill: Likewise, orders in which an index might be embedded anew in part.
        cache: Folder of stored predictions; `None` for none.
        data_dir: A mirror of data files.
        label_map: From models' label names to the suite's.
        device: Where models run.
        dtype: What they compute in.
        revision: Commit, tag or branch of models on the hub.
        trust_remote_code: Run Python code that comes with a model.
        allow_pickle: Open formats that can run code.
        offline: Never use the network.
        threads: Processor threads for models.
        stride: Of language models; see `ModelOptions`.
        token_budget: Most padded tokens in a batch.

    """

    suite: str | Path | None = None
    gates: "str | Path | Demands | None" = None
    task: str | None = None
    task_options: Mapping[str, str] = field(default_factory=dict)
    gold: "str | Path | pa.Table | None" = None
    fields: Mapping[str, str] = field(default_factory=dict)
    old_fields: Mapping[str, str] = field(default_factory=dict)
    new_fields: Mapping[str, str] = field(default_factory=dict)
    gold_fields: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    old_keep: Mapping[str, str] = field(default_factory=dict)
    new_keep: Mapping[str, str] = field(default_factory=dict)
    pair_by: PairBy = "id"
    reading: Mapping[str, str] = field(default_factory=dict)
    old_reading: Mapping[str, str] = field(default_factory=dict)
    new_reading: Mapping[str, str] = field(default_factory=dict)
    gold_reading: Mapping[str, str] = field(default_factory=dict)
    split: str = "test"
    limit: float | None = None
    seed: int = 0
    on_mismatch: OnMismatch = "refuse"
    on_missing: OnMissing = "fail"
    trust_correct: bool = False
    max_errors: float = 0.0
    aa: bool = False
    normalise: Sequence[str] = ()
    mitigate: Sequence[str] = ()
    index: IndexUse = "rewritten"
    paragon: str | None = None
    tolerance: float = 0.01
    below_old: float = 0.0
    retire_old: bool = False
    query_cost: bool = False
    backfill: Sequence[str] = ()
    cache: Path | None = None
    data_dir: Path | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"
    dtype: Dtype = "float32"
    revision: str | None = None
    trust_remote_code: bool = False
    allow_pickle: bool = False
    offline: bool = False
    threads: int | None = None
    stride: int | None = None
    token_budget: int = 1024

    def __post_init__(self) -> None:
        if self.suite is not None and (self.task is not None or self.gold is not None):
            raise UsageError(
                "--suite says what is asked and how it is scored; leave out --task "
                "and --gold, or leave out --suite"
            )
        self._check_normalise()
        for name, chosen, choices in (
            ("--on-mismatch", self.on_mismatch, get_args(OnMismatch)),
            ("--on-missing", self.on_missing, get_args(OnMissing)),
            ("--pair-by", self.pair_by, get_args(PairBy)),
            ("--index", self.index, get_args(IndexUse)),
        ):
            if chosen not in choices:
                known = ", ".join(choices)
                raise UsageError(f"{name} must be one of {known}; got {chosen!r}")
        if self.seed < 0:
            raise UsageError(f"--seed must be a whole number from 0; got {self.seed}")
        self._check_shares()
        for name, value in (
            ("--threads", self.threads),
            ("--stride", self.stride),
            ("--token-budget", self.token_budget),
        ):
            if value is not None and value < 1:
                raise UsageError(f"{name} must be a whole number from 1; got {value}")

    def _check_normalise(self) -> None:
        unknown = [name for name in self.normalise if name not in NORMALISERS]
        if unknown and tuple(self.normalise) != AS_WRITTEN:
            raise UsageError(
                f"--normalise must be some of {', '.join(NORMALISERS)}, joined by "
                f"commas, or none alone; got {','.join(self.normalise)!r}"
                f"{nearest(unknown[0], [*NORMALISERS])}"
            )

    def _check_shares(self) -> None:
        if not 0 <= self.max_errors < 1:
            raise UsageError(
                "--max-errors must be a share in [0, 1), 0.01 for 1 %; got "
                f"{self.max_errors}"
            )
        for name, share in (
            ("--tolerance", self.tolerance),
            ("--below-old", self.below_old),
        ):
            if not 0 <= share < 1:
                raise UsageError(
                    f"{name} must be in [0, 1), in units of the measure, 0.01 for 1 "
                    f"point; got {share}"
                )

    @property
    def asks_indices(self) -> bool:
        """Whether something is asked that encoders with indices alone can tell."""
        others = self.paragon is not None or bool(self.backfill)
        return others or self.index != "rewritten"

    def request(self, name: str, *, role: str, **more: Any) -> "Request":  # noqa: ANN401
        """Return how the file of a role (`old`, `new.1`, `gold`, …) is to be read.

        Args:
            name: What the user wrote, for messages.
            role: Whose file it is.
            **more: Further fields of the request.

        Raises:
            UsageError: A version has no columns or rows of its own.

        """
        from compat_eval.core.recorded import Request  # noqa: PLC0415

        own = {
            "old": (self.old_fields, self.old_keep, self.old_reading),
            "new": (self.new_fields, self.new_keep, self.new_reading),
            "gold": (self.gold_fields, {}, self.gold_reading),
        }
        side = role.lower().partition(".")[0]
        if side not in own and any(map(any, own.values())):
            raise UsageError(
                "options of one file, such as --old-fields, are for one OLD and one "
                "NEW; versions share --fields, --keep and --read"
            )
        fields, keep, reading = own.get(side, ({}, {}, {}))
        fields = {**self.fields, **fields}
        answers = {*self.old_fields.values(), *self.new_fields.values()}
        return Request(
            name=name,
            fields=fields,
            keep={**self.keep, **keep},
            pair_by=self.pair_by,
            of_others=answers - {*fields.values()},
            reading={**self.reading, **reading},
            **more,
        )

    def index_tolerance(self) -> "UpgradeTolerance":
        """Return what a user would accept of an upgrade of an encoder."""
        from compat_eval.comparison.index_decision.ways import (  # noqa: PLC0415
            UpgradeTolerance,
        )

        return UpgradeTolerance(
            below_reindex=self.tolerance,
            below_old=self.below_old,
            old_may_answer=not self.retire_old,
        )

    def model_options(self, label_map: Mapping[str, str]) -> ModelOptions:
        """Return how models are to be opened."""
        return ModelOptions(
            device=self.device,
            dtype=self.dtype,
            revision=self.revision,
            trust_remote_code=self.trust_remote_code,
            allow_pickle=self.allow_pickle,
            offline=self.offline,
            label_map=label_map,
            threads=self.threads,
            stride=self.stride,
        )

    def runner_settings(self, kind: str) -> "RunSettings":
        """Return how models are to be run."""
        from compat_eval.runner.settings import RunSettings  # noqa: PLC0415

        return RunSettings(task=kind, token_budget=self.token_budget)

    def deciding(self) -> dict[str, Any]:
        """Return what can change a number, JSON-ready."""
        return {
            "split": self.split,
            "limit": self.limit,
            "seed": self.seed,
            "on_mismatch": self.on_mismatch,
            "on_missing": self.on_missing,
            "trust_correct": self.trust_correct,
            "max_errors": self.max_errors,
            "aa": self.aa,
            **({"pair_by": self.pair_by} if self.pair_by != "id" else {}),
            **({"index": self.index} if self.index != "rewritten" else {}),
            **self._of_upgrades(),
            **({"normalise": list(self.normalise)} if self.normalise else {}),
            **({"label_map": dict(self.label_map)} if self.label_map else {}),
        }

    def _of_upgrades(self) -> dict[str, Any]:
        """Return what decides about an index and is not the default."""
        default = type(self)()
        names = ("tolerance", "below_old", "retire_old")
        found = {name: getattr(self, name) for name in names}
        told = {k: v for k, v in found.items() if v != getattr(default, k)}
        return told | ({"backfill": list(self.backfill)} if self.backfill else {})
