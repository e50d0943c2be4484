"""What must be said about a user's files before they can be read, all of it at once.

Only headers and first rows are looked at, and nothing heavy is imported: whoever gives
a wrong column waits for no statistics.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from compat_eval.core.errors import CompatEvalError, DataError, some
from compat_eval.core.option_text import joined
from compat_eval.readers.guess import (
    guessed,
    is_sure,
    models_of,
    repeated,
    rows_of,
    two_answers,
    with_labels,
    with_values,
)
from compat_eval.readers.headers import Header, header_of
from compat_eval.suite.data.formats import SUFFIXES, suffix_of
from compat_eval.workflows.options import Options

_WITHOUT_GOLD = (None, "classification")
"""Kinds of files that are compared for agreement where none of them has gold."""

_OF_LABELS = (*_WITHOUT_GOLD, "agreement", "semantic", "generation")
_ALIASES: Mapping[str, Sequence[str]] = {"input": ("input", "text")}
_GRADES = ("correct", "nll")
_GRADE_PREFIXES = ("correct.", "score.", "judge.")
_BY_ARROW = (".parquet", ".zst")
_OF_QUESTIONS = ("id", "gold", "input", "cluster", "weight")
_OF_ANSWERS = ("id", "prediction", "correct", "error", "score")
_Models: TypeAlias = tuple[str, list[str]]
"""A column, and the models whose answers its values tell apart."""

_WIDTH = 12
_NO_GOLD = "; without gold only agreement is known (--task agreement)"


@dataclass(slots=True, kw_only=True)
class _File:
    """A file of the comparison, and what was found out about it.

    Attributes:
        role: Whose it is: `old`, `new` or `gold`.
        path: Where it is.
        header: How it begins.
        fields: What the user said of its columns.
        elsewhere: Which of ours another file may have instead.
        lacking: Which of our columns it should have and has not.
        guesses: What is proposed for them.

    """

    role: str
    path: Path
    header: Header
    fields: Mapping[str, str]
    elsewhere: Collection[str] = ()
    lacking: list[str] = field(default_factory=list)
    guesses: dict[str, str] = field(default_factory=dict)

    def column(self, ours: str) -> str | None:
        """Return what the file calls one of our columns; `None` where it has none."""
        theirs = self.fields.get(ours)
        if theirs is not None and (self._has(theirs) or ours not in self.elsewhere):
            return theirs if theirs and self._has(theirs) else None
        folded = {name.casefold(): name for name in self.header.names}
        names = (ours, *(n for n in _ALIASES.get(ours, (ours,)) if n != ours))
        return next((folded[name] for name in names if name in folded), None)

    def _has(self, name: str) -> bool:
        names = self.header.names
        nested = name.replace("[", ".").partition(".")[0] in names
        return name in names or nested or (name.isdecimal() and int(name) < len(names))

    @property
    def graded(self) -> bool:
        """Whether the file says itself how good the answers are."""
        names = [*self.header.names, *(o for o, name in self.fields.items() if name)]
        return any(self.column(name) for name in _GRADES) or any(
            name.startswith(_GRADE_PREFIXES) for name in names
        )

    def taken(self) -> set[str]:
        """Return the columns that are one of ours already."""
        ours = ("id", "prediction", "gold", "input", "correct", "score", "error")
        return {name for one in ours if (name := self.column(one))}


def look(
    old: object,
    new: object,
    options: Options,
    *,
    before_arrow: Callable[[], None] = lambda: None,
) -> None:
    """Look at the files of a comparison; say all that must be said of them.

    Args:
        old: What the user gave as OLD; anything but a path of a table is passed over.
        new: Likewise; `None` where only one file was given.
        options: How they are read.
        before_arrow: Called before Arrow is imported, where that cannot be avoided.

    Raises:
        DataError: Columns are missing, or a file must be read in another way; `cure`
            holds the options that probably mend it.

    """
    if any(
        str(source).endswith(_BY_ARROW)
        for source in (old, new, options.gold)
        if isinstance(source, str | Path)
    ):
        before_arrow()
    files = list(_files(old, new, options))
    for one in files:
        one.lacking = list(_lacking(one, files, options))
    one_file, models = _in_one_file(files, options, before_arrow)
    if new is None and not one_file:
        return
    faulty = [one for one in files if one.lacking or _misread(one, files)]
    if not (faulty or one_file):
        return
    if one_file or any(one.lacking for one in faulty):
        files = _without_logs(files, faulty, before_arrow)
        if not (models or any(one in faulty for one in files)):
            return
    _guess(files)
    if not one_file and _suffices_without_gold(files, options):
        return
    several = _guess_repeats(files, options)
    pair_by = _pair_by(files, options)
    if pair_by == "content":
        _guess_inputs(files)
    elif options.gold is None and options.suite is None:
        _guess_inputs(files, only_sure=True)
    told = _message(files, pair_by, models)
    kind = "generation" if several and options.task is None else None
    raise DataError(told).cured_by(*_cure(files, pair_by, models, kind))


def _misread(one: _File, files: Sequence[_File]) -> bool:
    """Whether a file must be read in another way, and its reader does not say so."""
    reading = {**one.header.reading}
    if all(other.header.reading.get("encoding") for other in files):
        reading.pop("encoding", None)
    return bool(reading)


def look_at_one(source: str, options: Options) -> None:
    """Look at a log that was given alone: it may hold the answers of several models.

    Raises:
        UsageError: It does; `cure` chooses one for each side.

    """
    from compat_eval.readers.logs import read_log, reader_of, split_task  # noqa: PLC0415

    path, task = split_task(source)
    reader = reader_of(path) if path.exists() else None
    if reader is None:
        return
    try:
        read_log(reader, path, task, {**options.reading, **options.keep}, source)
    except CompatEvalError as error:
        if error.cure_of_one_file:
            raise error.of_one_file() from None


def _files(old: object, new: object, options: Options) -> Iterator[_File]:
    sides = {"old": old, "new": old if new is None else new, "gold": options.gold}
    own = {
        "old": (options.old_fields, options.old_reading),
        "new": (options.new_fields, options.new_reading),
        "gold": (options.gold_fields, options.gold_reading),
    }
    for role, source in sides.items():
        path = _table_at(source)
        fields, reading = own[role]
        reading = {**options.reading, **reading}
        header = None if path is None else header_of(path, reading)
        if path is not None and header is not None and header.names:
            elsewhere = _OF_QUESTIONS if options.gold or options.suite else ()
            yield _File(
                role=role,
                path=path,
                header=header,
                fields={**options.fields, **fields},
                elsewhere=_OF_ANSWERS if role == "gold" else elsewhere,
            )


def _table_at(source: object) -> Path | None:
    if not isinstance(source, str | Path):
        return None
    path = Path(str(source).removeprefix("preds:")).expanduser()
    suffix = suffix_of(path.name)
    tables = {*SUFFIXES} - {".txt", ".conllu", ".qrels"}
    is_table = suffix in tables or path.suffix.lower() == ".zip"
    return path if is_table and path.is_file() else None


def _lacking(one: _File, files: Sequence[_File], options: Options) -> Iterator[str]:
    """Yield which of our columns a file needs, and has not."""
    if options.task not in _OF_LABELS:
        return
    if options.pair_by == "id" and one.column("id") is None:
        yield "id"
    if options.pair_by == "content" and one.column("input") is None:
        yield "input"
    if one.role == "gold":
        if one.column("gold") is None:
            yield "gold"
        return
    if one.column("prediction") is None and not one.graded:
        yield "prediction"
    golds = [f for f in files if f.role != "gold" and f.column("gold") is not None]
    elsewhere = options.gold is not None or options.suite is not None
    if not (elsewhere or golds or one.graded or options.task == "agreement"):
        yield "gold"


def _in_one_file(
    files: Sequence[_File], options: Options, before_arrow: Callable[[], None]
) -> tuple[bool, _Models | None]:
    """Return whether one file may hold both sides, and models if rows tell them."""
    sides = [one.path for one in files if one.role != "gold"]
    if len(sides) != 2 or sides[0] != sides[1] or options.old_keep or options.new_keep:  # noqa: PLR2004
        return False, None
    if _answers_of_one_file(files):
        return True, None
    before_arrow()
    models = _models_of_one_file(files, options.reading)
    return models is not None, models


def _models_of_one_file(
    files: Sequence[_File], reading: Mapping[str, str]
) -> _Models | None:
    """Return the column that tells models apart where both sides are one file.

    Logs of other tools have readers of their own.
    """
    from compat_eval.readers.logs import reader_of  # noqa: PLC0415 - rarely needed

    sides = [one for one in files if one.role != "gold"]
    old = sides[0]
    reading = {**reading, **old.header.reading}
    found = models_of(old.path, old.header, reading, ids=old.column("id"))
    if found is not None and reader_of(old.path) is not None:
        return None
    if found is not None:
        for one, value in zip(sides, found[1], strict=False):
            one.header = rows_of(one.header, found[0], value)
    return found


def _answers_of_one_file(files: Sequence[_File]) -> bool:
    """Find the two columns of answers where both sides are one file."""
    sides = [one for one in files if one.role != "gold"]
    old, new = sides
    if old.fields.get("prediction") != new.fields.get("prediction"):
        return False
    if not old.lacking and old.column("prediction") is not None:
        return False
    gold = old.column("gold")
    taken = old.taken()
    if gold is None:
        gold = guessed(old.header, ["id", "gold"], taken=taken).get("gold")
    found = two_answers(old.header, gold=gold, taken=taken)
    if found is None:
        return False
    for one, name in zip(sides, found, strict=True):
        one.guesses["prediction"] = name
        one.lacking = list(dict.fromkeys([*one.lacking, "prediction"]))
    return True


def _without_logs(
    files: Sequence[_File], faulty: Sequence[_File], before_arrow: Callable[[], None]
) -> list[_File]:
    """Leave out other tools' logs, which have readers of their own."""
    from compat_eval.readers.logs import possible, reader_of  # noqa: PLC0415

    if any(possible(one.path) for one in faulty):
        before_arrow()
    return [one for one in files if one not in faulty or reader_of(one.path) is None]


def _guess(files: Sequence[_File]) -> None:
    """Note which columns are probably meant, file by file."""
    for one in files:
        sides = [f for f in files if f.path != one.path and f.role != "gold"]
        beside = sides[0].header if sides and one.role != "gold" else None
        one.guesses |= guessed(
            one.header,
            [ours for ours in one.lacking if ours not in one.guesses],
            taken={*one.taken(), *one.guesses.values()},
            other=beside,
        )
    for one in files:
        if "id" in one.lacking and "id" not in one.guesses:
            known = [f.column("id") or f.guesses.get("id") for f in files]
            ids = [
                value
                for f, name in zip(files, known, strict=True)
                for value in (f.header.values(name) if name else ())
            ]
            name = with_values(one.header, ids, taken={*one.guesses.values()})
            if name is not None:
                one.guesses["id"] = name
    _guess_gold(files)


def _guess_gold(files: Sequence[_File]) -> None:
    """Note which column of a file of gold holds labels that the sides answer."""
    said: list[object] = []
    for one in files:
        name = one.column("prediction") or one.guesses.get("prediction")
        said += one.header.values(name) if name and one.role != "gold" else ()
    for one in files:
        if one.role == "gold" and "gold" in one.lacking and "gold" not in one.guesses:
            taken = {*one.taken(), *one.guesses.values()}
            name = with_labels(one.header, said, taken=taken)
            if name is not None:
                one.guesses["gold"] = name


def _guess_repeats(files: Sequence[_File], options: Options) -> bool:
    """Note the ids and numbers of examples that both sides answer several times."""
    sides = [one for one in files if one.role != "gold"]
    if options.task not in (None, "generation") or any(
        one.column("id") or one.guesses.get("id") for one in sides
    ):
        return False
    found = [repeated(one.header) for one in sides]
    if not all(found):
        return False
    for one, names in zip(sides, found, strict=True):
        one.guesses |= dict(zip(("id", "repeat"), names or (), strict=False))
    return True


def _suffices_without_gold(files: Sequence[_File], options: Options) -> bool:
    """Ask for no gold where no column looks like it, and nobody named one.

    Return whether nothing else is to be said of the files.
    """
    if options.task not in _WITHOUT_GOLD or any(
        one.guesses.get("gold") or "gold" in one.fields for one in files
    ):
        return False
    for one in files:
        if one.role != "gold" and "gold" in one.lacking:
            one.lacking.remove("gold")
    return not any(one.lacking or _misread(one, files) for one in files)


def _guess_inputs(files: Sequence[_File], *, only_sure: bool = False) -> None:
    """Note which column tells what was asked.

    Where it is not needed it is only named if that is sure: inputs that differ between
    the sides would be refused.
    """
    found = {}
    for one in files:
        if one.column("input") is None and "input" not in one.guesses:
            taken = {*one.taken(), *one.guesses.values()}
            name = guessed(one.header, ["input"], taken=taken).get("input")
            if name is not None and (is_sure("input", name) or not only_sure):
                found[one.role] = name
    sides = [one for one in files if one.role != "gold"]
    asked = [one.header.values(found.get(one.role, "")) for one in sides]
    if only_sure and (len(found) < len(sides) or any(v != asked[0] for v in asked)):
        return
    for one in files:
        if one.role in found and not (only_sure and one.role == "gold"):
            one.guesses["input"] = found[one.role]


def _cure(
    files: Sequence[_File],
    pair_by: str | None,
    models: _Models | None,
    kind: str | None,
) -> Iterator[tuple[str, str]]:
    """Yield the options that would mend what is wrong."""
    read = {one.role: one.header.reading for one in files}
    first = next(iter(read.values()))
    if all(reading == first for reading in read.values()):
        read = {"": first}
    for role, reading in read.items():
        if reading:
            yield _of(role, "read"), joined(reading)
    yield from _mappings(files)
    if pair_by:
        yield "--pair-by", pair_by
    if kind:
        yield "--task", kind
    if models is not None:
        column, (old, new, *_) = models
        yield _of("old", "keep"), joined({column: old})
        yield _of("new", "keep"), joined({column: new})


def _mappings(files: Sequence[_File]) -> Iterator[tuple[str, str]]:
    """Yield the columns that are proposed: shared ones, then those of one file."""
    shared: dict[str, str] = {}
    own: dict[str, dict[str, str]] = {}
    for ours in dict.fromkeys(o for one in files for o in one.guesses):
        said = {one.role: one.guesses[ours] for one in files if ours in one.guesses}
        others = [one for one in files if one.role not in said]
        theirs = next(iter(said.values()))
        alike = {theirs} == {name for role, name in said.items() if role != "gold"}
        if (alike or len(said) == 1) and not any(
            _disturbed(one, ours, theirs) for one in others
        ):
            shared[ours] = theirs
        for role, name in said.items():
            if shared.get(ours) != name:
                own.setdefault(role, {})[ours] = name
    if shared:
        yield "--fields", joined(shared)
    for role, fields in own.items():
        yield _of(role, "fields"), joined(fields)


def _of(role: str, option: str) -> str:
    """Return the name of an option, or that of the one which is for one file."""
    return f"--{role}-{option}" if role else f"--{option}"


def _disturbed(one: _File, ours: str, theirs: str) -> bool:
    """Whether a mapping that all files share would be wrong for one that has it not.

    Readers pass over what another file of the comparison has instead.
    """
    if theirs in one.header.names or (ours == "id" and one.column("id") is None):
        return True
    return ours not in one.elsewhere


def _pair_by(files: Sequence[_File], options: Options) -> str | None:
    """Return how rows are paired where a file has no ids."""
    if options.pair_by != "id":
        return None
    if all("id" not in one.lacking or "id" in one.guesses for one in files):
        return None
    for one in files:
        one.guesses.pop("id", None)
    columns = [_asked(one) for one in files]
    if not all(columns):
        return "row"
    first, *others = [
        one.header.values(name or "") for one, name in zip(files, columns, strict=True)
    ]
    return "row" if all(values == first for values in others) else "content"


def _asked(one: _File) -> str | None:
    """Return the column that tells what a row asks."""
    return one.column("input") or guessed(
        one.header, ["input"], taken={*one.taken(), *one.guesses.values()}
    ).get("input")


def _message(
    files: Sequence[_File], pair_by: str | None, models: _Models | None
) -> str:
    lines = []
    if models is not None:
        column, several = models
        likely = "probably" if len(several) == 2 else "perhaps"  # noqa: PLR2004
        lines.append(
            f"{files[0].path} holds answers of {len(several)} models: {column!r} is "
            f"{some(map(repr, several), limit=12)}; {likely} OLD is {several[0]!r} and "
            f"NEW is {several[1]!r}."
        )
    for names, roles in _alike(files):
        paths = dict.fromkeys(str(one.path) for one in roles)
        has = "have" if len(paths) > 1 else "has"
        shown = " and ".join(paths)
        lines.append(f"{shown} {has} the columns {some(map(repr, names), limit=12)}.")
        lines += _readings(roles[0].header.reading)
        further = [o for one in roles for o in one.guesses if o not in one.lacking]
        lacking = [ours for one in roles for ours in one.lacking]
        for ours in dict.fromkeys([*lacking, *further]):
            lines.append(f"  {ours:<{_WIDTH}}{_told(ours, roles, pair_by)}")
    return "\n".join(lines)


def _alike(files: Sequence[_File]) -> list[tuple[tuple[str, ...], list[_File]]]:
    """Return the faulty files, those with the same columns and faults together."""
    found: dict[tuple[object, ...], list[_File]] = {}
    for one in files:
        if one.lacking or one.header.reading:
            side = one.role == "gold"
            found.setdefault((one.header.names, side), []).append(one)
    return [(roles[0].header.names, roles) for roles in found.values()]


def _readings(reading: Mapping[str, str]) -> Iterator[str]:
    told = {
        "delimiter": "cells are separated by {!r}",
        "strip": "names have blanks around them, or rows end in empty cells",
        "header": "the first row names no columns",
        "encoding": "the text is no UTF-8 but probably {}",
        "select": "the rows stand under {!r}",
    }
    for key, value in reading.items():
        yield f"  {told[key].format(value)} ({key}={value})"


def _told(ours: str, files: Sequence[_File], pair_by: str | None) -> str:
    """Return what is probably one of our columns, or how to name it."""
    named = {one.fields[ours] for one in files if ours in one.fields}
    why = (
        f"there is no column {some(map(repr, named))}; "
        if any(named)
        else "is not there; "
    )
    guesses = dict.fromkeys(one.guesses[ours] for one in files if ours in one.guesses)
    if guesses:
        sure = all(is_sure(ours, name) for name in guesses)
        likely = "probably" if sure else "perhaps"
        further = _NO_GOLD if ours == "gold" and files[0].role != "gold" else ""
        return f"{why}{likely} {' and '.join(map(_shown, guesses))}{further}"
    if ours == "id" and pair_by:
        how = {"row": "their place", "content": "what they ask"}[pair_by]
        return f"{why}rows can be paired by {how} (--pair-by {pair_by})"
    if ours == "id":
        return (
            f"{why}name the column that identifies an example with --fields "
            "id=COLUMN, or pair rows without ids with --pair-by row or content"
        )
    if files[0].role == "gold":
        return f"{why}name it with --gold-fields {ours}=COLUMN"
    further = "" if ours != "gold" else f", or give --gold FILE or --suite{_NO_GOLD}"
    return f"{why}name it with --fields {ours}=COLUMN{further}"


def _shown(name: str) -> str:
    return f"column {name}" if name.isdecimal() else repr(name)
