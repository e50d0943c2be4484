"""`RUN@PERIOD`: the model of a federation's period as a side of a comparison.

`RUN@PERIOD#personal` is what clients have of their own, each asked of its documents.

Without a suite the federation's own test documents are compared, as far as they had
come when the newest of the sides was made; slice `seen` says which of them the first
side's period knew. Their answers are on disk, so no model is loaded. With a suite the
period's model is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from compat_eval.core.errors import CoverageError, UsageError, some
from compat_eval.core.fingerprint import digest, file_digest
from compat_eval.core.recorded import Recorded
from compat_eval.federated.stream import (
    ANSWERS,
    PERSONAL,
    RESULTS,
    SUITE,
    MeasuredStream,
    federation_doubts,
    period_folder,
    read_federation,
    refuse_changed,
)
from compat_eval.federated.sweep import SWEEP
from compat_eval.workflows.options import Options
from compat_eval.workflows.sides import Side

ALL = "all"
"""What stands for every period, the first one first."""
_PERSONAL = "#personal"


@dataclass(frozen=True, slots=True, kw_only=True)
class _PeriodSide:
    """A side that names a period.

    Attributes:
        text: What the user wrote.
        path: Directory of the federation.
        names: Of its periods.
        period: Which of them.
        personal: Whether clients' own models are meant, and not the global one.
        doubts: Why no gate may pass on them.

    """

    text: str
    path: Path
    names: tuple[str, ...]
    period: int
    personal: bool = False
    doubts: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the period's model and answers are."""
        return period_folder(self.path, self.names[self.period])

    @property
    def answers(self) -> Path:
        """What it answers to the test documents."""
        return self.folder / (PERSONAL if self.personal else ANSWERS)


def period_sides(sides: Sequence[Side], options: Options) -> tuple[list[Side], Options]:
    """Return the sides with periods of federations opened, and the options for them.

    `RUN@all` is all periods of a federation. Other sides stay as they are.

    Raises:
        UsageError: A federation has no such period.
        DataError: A federation is not finished, or damaged.
        CoverageError: Federations have other test documents.

    """
    found = [inner for one in sides for inner in _named(one)]
    periods = [one for one in found if isinstance(one, _PeriodSide)]
    if not periods:
        return [*sides], options
    if options.suite is not None:
        return [_model(one, options) for one in found], options
    if len(periods) < len(found):
        own = replace(options, suite=periods[0].path / SUITE)
        return [_whole(one) for one in found], own
    streams = {one.path: MeasuredStream.read(one.path, one.names) for one in periods}
    first, *others = streams.values()
    for other in others:
        _refuse_other_documents(first, other)
    if options.task is None:
        task = first.suite.config["task"]
        told = {key: str(value) for key, value in task.get("options", {}).items()}
        options = replace(options, task=task["kind"], task_options=told)
    newest, oldest = max(one.period for one in periods), periods[0].period
    return [
        _recorded(one, streams[one.path], old=oldest, new=newest) for one in periods
    ], options


def _refuse_sweep(path: Path, head: str, tail: str) -> None:
    if (path / SWEEP).is_file() and not (path / RESULTS).is_file():
        inside = sorted(one.parent.name for one in path.glob(f"*/{RESULTS}"))
        raise UsageError(
            f"{head}@{tail}: {head} is a sweep; name one of its federations, such as "
            f"{head}/{inside[0] if inside else 'NAME'}@{tail}"
        )


def _named(side: Side) -> Iterator[Side | _PeriodSide]:
    """Yield the periods that a side names, or the side itself."""
    head, at, tail = side.rpartition("@") if isinstance(side, str) else ("", "", "")
    path = Path(head).expanduser()
    if not (at and head and tail) or Path(str(side)).exists() or not path.is_dir():
        yield side
        return
    _refuse_sweep(path, head, tail)
    found = read_federation(path)
    refuse_changed(path, found)
    names = tuple(map(str, found["periods"]))
    personal = tail.endswith(_PERSONAL) and tail not in names
    tail = tail.removesuffix(_PERSONAL) if personal else tail
    chosen = [*range(len(names))]
    if tail != ALL or ALL in names:
        chosen = [_place(tail, names, str(side))]
    for period in chosen:
        text = f"{head}@{names[period]}" if tail == ALL else str(side)
        if tail == ALL and personal:
            text += _PERSONAL
        yield _PeriodSide(
            text=text,
            path=path,
            names=names,
            period=period,
            personal=personal,
            doubts=tuple(federation_doubts(found)),
        )


def _place(tail: str, names: tuple[str, ...], side: str) -> int:
    """Return which period is meant: by its name, or by its place from 1."""
    for spelled in (tail, tail.removeprefix("period-"), tail.removeprefix("period")):
        if spelled in names:
            return names.index(spelled)
    number = tail.removeprefix("period").removeprefix("-")
    if tail.startswith("period") and number.isascii() and number.isdigit():
        place = int(number) - 1
        if 0 <= place < len(names):
            return place
    raise UsageError(
        f"{side}: the federation has no period {tail!r}; it has {some(names, limit=12)}"
        f" (or period1 to period{len(names)}, or {ALL})"
    )


def _model(side: Side | _PeriodSide, options: Options) -> Side:
    """Return what answers another suite."""
    if not isinstance(side, _PeriodSide):
        return side
    if not side.personal:
        return f"compat:{side.folder}"
    from compat_eval.workflows.personal_sides import (  # noqa: PLC0415
        own_models_side,
    )

    return own_models_side(side.text, side.folder, options)


def _whole(side: Side | _PeriodSide) -> Side:
    """Return what a period answers to every test document, beside another side."""
    if not isinstance(side, _PeriodSide):
        return side
    newest = len(side.names) - 1
    stream = MeasuredStream.read(side.path, side.names)
    found = _recorded(side, stream, old=newest, new=newest)
    return replace(found, examples=stream.examples)


def _recorded(
    side: _PeriodSide, stream: MeasuredStream, *, old: int, new: int
) -> Recorded:
    """Return answers to what had come by the newest of two periods."""
    examples, answers = stream.side(
        side.period, old=old, new=new, personal=side.personal
    )
    return Recorded(
        name=side.text,
        predictions=answers,
        examples=examples,
        fingerprint=digest([file_digest(side.answers), old, new]),
        provenance={
            "kind": "period of a federation",
            "suite": stream.suite.name,
            "period": side.names[side.period],
            "personal": side.personal,
            "periods": [*side.names],
            "doubts": [*side.doubts, *stream.untested(max(old, new))],
        },
        kind=stream.suite.task.kind,
    )


def _refuse_other_documents(one: MeasuredStream, other: MeasuredStream) -> None:
    same = one.names == other.names and one.examples.ids.equals(other.examples.ids)
    for column in ("input", "cluster", "slice.period"):
        same = same and one.examples.column(column).equals(
            other.examples.column(column)
        )
    if not same:
        raise CoverageError(
            f"{one.path} and {other.path} have other test documents or periods; name "
            "documents that both shall be asked with --suite"
        )
