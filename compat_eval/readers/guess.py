"""Which columns of a file are probably which of ours: by name, and by what is in them.

A guess is only proposed, never used: `label` is gold in one file and an answer in
another.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from compat_eval.readers.headers import Header

# Names without case and separators, the most telling first.
_NAMES: Mapping[str, Sequence[str]] = {
    "id": (
        *("exampleid", "qid", "questionid", "sampleid", "itemid", "uid", "uuid"),
        *("guid", "rowid", "recordid", "instanceid", "caseid", "testid", "promptid"),
        *("queryid", "textid", "ticketid", "messageid", "docid", "documentid", "key"),
        *("index", "idx", "", "unnamed0", "indexlevel0", "sid", "pid", "hash"),
        *("number", "no", "nr", "name"),
    ),
    "gold": (
        *("goldlabel", "goldanswer", "ytrue", "truelabel", "groundtruth", "truth"),
        *("target", "targets", "expected", "expectedoutput", "expectedanswer"),
        *("correctanswer", "referenceanswer", "reference", "references", "answerkey"),
        *("gt", "gtlabel", "ideal", "solution", "label", "labels", "answers"),
        *("answer", "actual", "class", "category", "intent", "tag", "y"),
    ),
    "prediction": (
        *("predictions", "pred", "preds", "predicted", "predictedlabel", "predlabel"),
        *("ypred", "yhat", "modelprediction", "modeloutput", "modelanswer"),
        *("modelresponse", "output", "outputs", "response", "completion"),
        *("generatedtext", "generation", "generated", "hypothesis", "hyp", "answer"),
        *("result", "reply", "label", "class", "category"),
    ),
    "input": (
        *("inputs", "text", "question", "prompt", "query", "utterance", "sentence"),
        *("instruction", "request", "message", "content", "problem", "document"),
        *("source", "premise", "context", "title"),
    ),
    "correct": (
        *("iscorrect", "exactmatch", "acc", "accuracy", "passed", "pass", "isright"),
        *("right", "success", "em"),
    ),
    "repeat": (
        *("repeat", "repeatid", "rep", "replicate", "sample", "sampleid", "sampleidx"),
        *(
            "sampleindex",
            "sampleno",
            "epoch",
            "trial",
            "attempt",
            "try",
            "draw",
            "rollout",
        ),
        *(
            "iteration",
            "iter",
            "run",
            "runid",
            "seed",
            "generation",
            "generationid",
            "k",
        ),
    ),
}
# A word of a longer name, such as gpt4_answer or intent_prediction.
_WORDS: Mapping[str, Sequence[str]] = {
    "id": ("id", "uuid", "uid", "index", "key"),
    "gold": ("gold", "true", "truth", "target", "expected", "reference", "label"),
    "prediction": (
        *("prediction", "pred", "predicted", "output", "response", "completion"),
        *("answer", "generation", "hyp", "label"),
    ),
    "input": ("input", "text", "question", "prompt", "query"),
    "correct": ("correct", "acc", "passed", "match"),
    "repeat": (),
}
_MODELS = ("model", "modelname", "modelid", "system", "version", "modelversion", "run")
_MOST_MODELS = 50
_NEXT = ("new", "candidate", "after", "next", "challenger", "treatment", "updated")
_BEFORE = ("old", "baseline", "before", "previous", "prev", "current", "prod", "base")
_BY_WORD, _NESTED = 40, 5
_SURE = 60
_MOST_CANDIDATES = 5
_LONGEST_ID = 200
_ALIKE = 0.8
_FEWEST_ROWS = 3


def guessed(
    header: Header,
    wanted: Collection[str],
    *,
    taken: Collection[str] = (),
    other: Header | None = None,
) -> dict[str, str]:
    """Return our names with the columns or paths of a file that are probably meant.

    Args:
        header: How the file begins.
        wanted: Which of ours.
        taken: Columns that are something else already.
        other: How the other side's file begins, row by row with this one where they
            are of the same examples: answers differ there, questions do not.

    """
    if "prediction" in wanted and len(header.names) == 1 and not taken:
        return {"prediction": header.names[0]}  # answers alone, one a row
    moved = _moved(header, other)
    found = {
        ours: sorted(_candidates(header, ours, taken, moved), reverse=True)
        for ours in wanted
    }
    choices = [[*found[ours][:_MOST_CANDIDATES], (0, "")] for ours in wanted]
    best: tuple[int, dict[str, str]] = 0, {}
    for combination in product(*choices):
        names = [name for score, name in combination if score]
        total = sum(score for score, _ in combination)
        if len(set(names)) == len(names) and total > best[0]:
            chosen = zip(wanted, combination, strict=True)
            best = total, {ours: name for ours, (score, name) in chosen if score}
    likely = _by_likeness(header, best[1], wanted, taken)
    if "prediction" not in wanted or "prediction" in likely:
        return likely
    likely |= _left_over(header, {*taken, *likely.values()}, moved)
    return _by_likeness(header, likely, wanted, taken)


def two_answers(
    header: Header, *, gold: str | None, taken: Collection[str]
) -> tuple[str, str] | None:
    """Return the columns in which one file holds the answers of OLD and of NEW.

    Args:
        header: How the file begins.
        gold: The column of the right answers, where it is known.
        taken: Columns that are something else.

    """
    taken = {*taken, *filter(None, [gold])}
    found = [
        name
        for score, name in _candidates(header, "prediction", taken, {})
        if score >= 2 * _BY_WORD
    ]
    if len(found) > 2:  # noqa: PLR2004 - a pair is wanted
        found = [name for name in found if {*_words(name)} & {*_NEXT, *_BEFORE}]
    if len(found) < 2:  # noqa: PLR2004
        found = _like(header, gold, taken)
    if len(found) != 2:  # noqa: PLR2004
        return None
    first, second = sorted(found, key=header.paths().index)
    words = {*_words(first)}, {*_words(second)}
    if words[0] & {*_NEXT} or words[1] & {*_BEFORE}:
        first, second = second, first
    return first, second


def models_of(
    path: Path, header: Header, reading: Mapping[str, str], *, ids: str | None
) -> tuple[str, list[str]] | None:
    """Return the column that says which model answered, and the models.

    `None` where there is no such column, one model alone, or each id stands once. The
    whole file is read: rows may be sorted by model.

    Args:
        path: The file.
        header: How it begins.
        reading: How it is read.
        ids: The column of the ids, where it is known.

    """
    named = [n for n in header.names if "".join(_words(n)) in _MODELS]
    if not named:
        return None
    from compat_eval.readers.table import read_table  # noqa: PLC0415 - rarely needed

    table = read_table(path, reading=reading)
    texts = {name: table[name].to_pylist() for name in table.column_names}
    if ids in texts and len({*map(str, texts[ids])}) == len(table):
        return None
    found = [str(one) for one in dict.fromkeys(texts[named[0]]) if one is not None]
    if not 2 <= len(found) <= _MOST_MODELS:  # noqa: PLR2004
        return None
    return named[0], sorted(found, key=_age)


def _age(name: str) -> int:
    """Order names by what they say of before and after."""
    words = {*_words(name)}
    return bool(words & {*_NEXT}) - bool(words & {*_BEFORE})


def rows_of(header: Header, column: str, value: str) -> Header:
    """Return a header with the first rows that have a value; all where none has it."""
    rows = tuple(row for row in header.rows if str(row.get(column)) == value)
    return replace(header, rows=rows or header.rows)


def repeated(header: Header) -> tuple[str, str] | None:
    """Return the columns of ids and of repeats where rows are several answers to one.

    Together they are another in each row; alone neither is.
    """
    ids = [name for name in header.paths() if _score("id", name)]
    for of_repeat in header.paths():
        if not _score("repeat", of_repeat):
            continue
        numbers = list(map(str, header.values(of_repeat)))
        for name in ids:
            pairs = list(zip(map(str, header.values(name)), numbers, strict=True))
            n_ids = len({one for one, _ in pairs})
            if name != of_repeat and n_ids < len(pairs) == len({*pairs}):
                return name, of_repeat
    return None


def with_labels(
    header: Header, labels: Collection[Any], *, taken: Collection[str]
) -> str | None:
    """Return the one column whose values are labels that another file has."""
    known = {str(value) for value in labels}
    found = [
        name
        for name in header.paths()
        if name not in taken
        and _fits("gold", header.values(name))
        and sum(str(value) in known for value in header.values(name))
        >= _ALIKE * len(header.rows)
    ]
    return found[0] if len(found) == 1 else None


def with_values(
    header: Header, values: Collection[Any], *, taken: Collection[str]
) -> str | None:
    """Return the column that holds the same ids as another file."""
    known = {str(value) for value in values}
    for name in header.paths():
        mine = header.values(name)
        found = sum(str(value) in known for value in mine)
        if name not in taken and _fits("id", mine) and found >= _ALIKE * len(mine):
            return name
    return None


def is_sure(ours: str, name: str) -> bool:
    """Whether a name alone tells what a column is."""
    return _score(ours, name) >= _SURE


def _candidates(
    header: Header, ours: str, taken: Collection[str], moved: Mapping[str, bool]
) -> Iterator[tuple[int, str]]:
    for place, name in enumerate(header.paths()):
        score = _score(ours, name)
        if name in taken or not score or not _fits(ours, header.values(name)):
            continue
        if ours == "prediction" and moved:
            score += 30 if moved.get(name) else -20
        elif moved.get(name):
            score -= 60
        if score > 0:
            yield 2 * score, name or str(place)


def _score(ours: str, name: str) -> int:
    """Return how well a name fits: an exact one, a word of it, or not at all."""
    *above, leaf = name.split(".")
    words, cost = _words(name), _NESTED * len(above)
    names = (ours, *_NAMES[ours])
    for joined in ("".join(_words(leaf)), "".join(words)):
        if joined in names:
            return 100 - names.index(joined) - cost
    if ours == "id":
        return _BY_WORD - cost if words and words[-1] in _WORDS["id"] else 0
    # The last of the words tells what a column holds: a pred_label is a label.
    at = [_WORDS[ours].index(word) for word in words if word in _WORDS[ours]]
    return _BY_WORD + 10 - min(at) - cost if at else 0


def _words(name: str) -> list[str]:
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W_]+", parts.casefold())


def _fits(ours: str, values: Sequence[Any]) -> bool:
    """Whether a column can be one of ours, by its first values."""
    there = [value for value in values if value is not None and value != ""]
    if not there or any(isinstance(value, dict | list) for value in there):
        return False
    if ours == "id":
        texts = [str(value) for value in there]
        return (
            len(there) == len(values)
            and len(set(texts)) == len(texts)
            and max(map(len, texts)) <= _LONGEST_ID
        )
    if ours == "correct":
        return len({str(value).casefold() for value in there}) <= 2  # noqa: PLR2004
    if ours == "input":
        return any(isinstance(value, str) for value in there)
    return not all(map(_is_share, there)) or len(there) < _FEWEST_ROWS


def _is_share(value: object) -> bool:
    """Whether a value looks like a probability, and not like a label."""
    try:
        number = float(str(value))
    except ValueError:
        return False
    return math.isfinite(number) and number != round(number)


def _moved(header: Header, other: Header | None) -> dict[str, bool]:
    """Return by column whether two files differ in it; nothing if that cannot be said.

    Their rows must be of the same examples: some column of texts is the same in both.
    """
    if other is None or len(header.rows) != len(other.rows):
        return {}
    shared = [name for name in header.paths() if name in other.paths()]
    found = {name: header.values(name) != other.values(name) for name in shared}
    return found if any(found.values()) and not all(found.values()) else {}


def _left_over(
    header: Header, taken: Collection[str], moved: Mapping[str, bool]
) -> dict[str, str]:
    """Find an answer of any name: the one column that differs between the files."""
    if len(header.rows) < _FEWEST_ROWS:
        return {}
    fitting = [
        name
        for name in header.paths()
        if name not in taken
        and moved.get(name)
        and _fits("prediction", header.values(name))
    ]
    return {"prediction": fitting[0]} if len(fitting) == 1 else {}


def _by_likeness(
    header: Header,
    found: Mapping[str, str],
    wanted: Collection[str],
    taken: Collection[str],
) -> dict[str, str]:
    """Find an answer or gold whose name says nothing by the labels in it."""
    result = dict(found)
    for ours, like in (("prediction", "gold"), ("gold", "prediction")):
        if ours not in wanted or ours in result:
            continue
        known = result.get(like) or (like if like in header.names else None)
        alike = _like(header, known, {*taken, *result.values()})
        if len(alike) == 1:
            result[ours] = alike[0]
    return result


def _like(header: Header, known: str | None, taken: Collection[str]) -> list[str]:
    """Return the other columns whose values are labels of a known one."""
    if known is None or len(header.rows) < _FEWEST_ROWS:
        return []
    labels = {str(value) for value in header.values(known)}
    if len(labels) > len(header.rows) / 2:
        return []
    return [
        name
        for name in header.paths()
        if name not in {*taken, known}
        and len({str(value) for value in header.values(name)}) > 1
        and sum(str(value) in labels for value in header.values(name))
        >= _ALIKE * len(header.rows)
    ]
