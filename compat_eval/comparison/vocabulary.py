"""Whether both sides spell labels as the gold answers do.

Labels are compared as text: `True` is not `true`, and `1.0` is not `1`. A side that
spells labels in its own way is wrong wherever it does, and what is never right cannot
break. Such answers are refused before anything is counted. All checks look at distinct
labels, so their cost does not grow with the number of examples.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.normalise import (
    NORMALISERS,
    NUMBER,
    as_number,
    normalised,
    stripped,
)
from compat_eval.core.predictions import Predictions
from compat_eval.core.recorded import Recorded
from compat_eval.core.table import Keyed, positions
from compat_eval.core.text import clipped, with_nearest

_LONGEST_SHOWN = 60
_FEWEST_RENAMED, _RARE = 10, 0.02
_PREFIX = re.compile(r"__label__|label_(?=[0-9]+$)")
_CARRIER = re.compile(
    r"(?:label|intent|class|category|answer|prediction|name|value|output|result)"
    r"""s?["'”]?\s*[:=]\s*"""
)
"""What stands before a label in an answer that was not taken apart: `answer: yes`."""
_AROUND = " \t\r\n\"'`“”‘’„«»()[]{}<>.,;!?"
_BETWEEN_WORDS = re.compile(r"(?<=[^\W_])[\s_-]+(?=[^\W_])")
_LONGEST_LABEL = 1000
_BY_MAP = "--label-map FILE (YAML lines LABEL: GOLD_LABEL)"
_TRUE, _FALSE = {"true", "yes", "1", "t", "y"}, {"false", "no", "0", "f", "n"}

_AnyKeyed = TypeVar("_AnyKeyed", bound=Keyed)


def spelled(
    side: Recorded, *, label_map: Mapping[str, str], forms: Collection[str]
) -> Recorded:
    """Return a side whose labels are renamed, and then evened out like its gold's."""
    predictions = side.predictions
    if label_map:
        predictions = _each(predictions, "prediction", lambda x: label_map.get(x, x))
    return replace(
        side,
        predictions=evened(predictions, "prediction", forms),
        examples=evened(side.examples, "gold", forms),
    )


def evened(table: _AnyKeyed, column: str, forms: Collection[str]) -> _AnyKeyed:
    """Return a table in which the labels of one column are `normalised`."""
    if not set(forms) & set(NORMALISERS):
        return table
    return _each(table, column, lambda label: normalised(label, forms))


@dataclass(frozen=True, slots=True, kw_only=True)
class SideLabels:
    """The labels that one side answered.

    Attributes:
        name: OLD or NEW, for messages.
        answers: Shape (n_examples,).
        golds: The gold labels of the same rows; `None` where a file and not the task
            says what is right.

    """

    name: str
    answers: pa.ChunkedArray
    golds: pa.ChunkedArray | None

    @classmethod
    def of(cls, name: str, said: Predictions, examples: Examples | None) -> Self:
        """Return the labels of predictions, each beside the gold of its example."""
        golds = None
        if examples is not None and "gold" in examples:
            at = positions(said.ids, examples.ids)
            golds = examples.column("gold").take(pa.array(at, mask=at < 0))
        return cls(name=name, answers=said.column("prediction"), golds=golds)


def check_map(
    label_map: Mapping[str, str],
    forms: Collection[str],
    sides: Iterable[SideLabels],
    labels: Collection[str],
) -> None:
    """Refuse a label map that takes gold labels away, or calls all answers the same.

    Raises:
        DataError: A gold label that is renamed can be no answer any more; or all
            answers of a side have one name, which the map gives to several.

    """
    to = {their: normalised(ours, forms) for their, ours in label_map.items()}
    left = {to.get(label, label) for label in labels} | set(to.values())
    lost = sorted(set(labels) - left)
    if lost:
        raise DataError(
            f"the label map renames {some(map(_quoted, lost))}, which gold has: gold "
            "is not renamed, so these examples would be wrong whatever is answered. "
            "Leave gold labels out of the map."
        )
    names = Counter(to.values())
    for side in sides:
        said = _distinct(side.answers)
        if len(said) == 1 and len(labels) > 1 and names[said[0]] > 1:
            raise DataError(
                f"{side.name}: every answer is {_quoted(said[0])}, as the label map "
                f"calls {names[said[0]]} labels. Give each label its own."
            )


def check_labels(
    old: SideLabels,
    new: SideLabels,
    *,
    labels: Collection[str],
    declared: Collection[str],
    as_written: bool,
) -> tuple[str, ...]:
    """Refuse labels that are only spelled in another way, or that nobody knows.

    Args:
        old: What OLD answered; its examples are those of `new`, in the same order.
        new: What NEW answered.
        labels: The gold labels of all examples.
        declared: The labels that a suite lists; none where it lists none.
        as_written: Whether to tell what is found, and not to refuse it.

    Returns:
        What a reader must know, in sentences.

    Raises:
        DataError: Labels differ in spelling only, are unknown to the suite, or no
            answer of a side is a gold label.

    """
    found = [
        finding
        for side in (old, new)
        if side.golds is not None
        for finding in _of_gold(side, side.golds, labels, declared)
    ]
    pairs = _differing_in_spelling(old.answers, new.answers, declared)
    if pairs and not any(one.refused for one in found):
        told = f"OLD and NEW spell labels differently: {_shown(pairs)}."
        graded = old.golds is None or new.golds is None
        found.append(_Finding(text=told, cure=_cure(pairs), refused=not graded))
    refused = [one for one in found if one.refused]
    if refused and not as_written:
        said = dict.fromkeys([one.text for one in refused])
        cures = dict.fromkeys([one.cure for one in refused])
        raise DataError(
            f"{' '.join(said)} {' '.join(cures)} To count all labels as written, give "
            "--normalise none."
        )
    return tuple(
        f"{one.text} Counted as written (--normalise none)."
        if one.refused
        else one.text
        for one in found
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """What is odd about labels, and what mends it."""

    text: str
    cure: str = ""
    refused: bool = True


def _of_gold(
    side: SideLabels,
    golds: pa.ChunkedArray,
    labels: Collection[str],
    declared: Collection[str],
) -> Iterator[_Finding]:
    known = {*labels, *declared, *_distinct(golds)}
    counts = _counts(side.answers)
    unknown = sorted(label for label in counts if label not in known)
    if not known:
        return
    is_text = len(known) > len(side.answers) / 2  # hardly any gold answer repeats
    twins = {} if is_text or not unknown else dict(_twins(unknown, known))
    pairs = _differing_in_spelling(side.answers, golds, declared)
    pairs |= {(label, twin): counts[label] for label, twin in twins.items()}
    if pairs:
        yield _Finding(
            text=f"{side.name} spells labels in another way than gold: "
            f"{_shown(pairs)}.",
            cure=_cure(pairs),
        )
    strange = [label for label in unknown if label not in twins]
    renamed = {}
    if strange and not is_text and not declared:
        renamed = _renamed(side.answers, golds, strange)
    if renamed and len(renamed) < len(counts):
        yield _Finding(
            text=f"{side.name} seems to have other names for gold labels that it never "
            f"says: {_shown(renamed)}.",
            cure=f"Map labels with {_BY_MAP}.",
        )
        strange = [label for label in strange if label not in {s for s, _ in renamed}]
    if strange and (declared or len(strange) == len(counts) or not is_text):
        yield _of_strangers(side, strange, counts, known, declared)


def _of_strangers(
    side: SideLabels,
    strange: Sequence[str],
    counts: Mapping[str, int],
    known: Collection[str],
    declared: Collection[str],
) -> _Finding:
    """Tell of labels that are no gold labels; they may just be wrong answers."""
    said = some([f"{_quoted(label)} ({counts[label]})" for label in strange])
    total, n = sum(counts.values()), sum(counts[label] for label in strange)
    if declared:
        hints = some([with_nearest(label, known) for label in strange[:6]])
        return _Finding(
            text=f"{side.name} has {n} answers with labels that the suite does not "
            f"know: {hints}.",
            cure=f"Map labels with {_BY_MAP}, or list them under labels.names.",
        )
    if len(strange) == len(counts):
        return _Finding(
            text=f"{side.name}: none of {total} answers is a gold label: it says "
            f"{said}; gold labels are {some(map(_quoted, sorted(known)))}.",
            cure=f"Map labels with {_BY_MAP}.",
        )
    return _Finding(
        text=f"{side.name}: {n} of {total} answers are no gold label and count as "
        f"wrong: {said}.",
        refused=False,
    )


def _twins(unknown: Sequence[str], known: set[str]) -> Iterator[tuple[str, str]]:
    """Yield unknown labels with the gold label that they seem to mean."""
    by_key = {_key(label): label for label in sorted(known)}
    truth = by_key.keys() <= _TRUE | _FALSE
    numbered = _are_numbers(map(_key, unknown), below=len(known) + 1)
    numbered &= not any(NUMBER.fullmatch(key) for key in by_key)
    for label in unknown:
        key = _key(label)
        alike = {key}
        if truth:
            alike = next((words for words in (_TRUE, _FALSE) if key in words), alike)
        found = sorted(by_key[one] for one in alike & by_key.keys())
        if found:
            yield label, found[0]
        elif numbered:
            yield label, f"label number {key}"


def _renamed(
    answers: pa.ChunkedArray, golds: pa.ChunkedArray, strange: Collection[str]
) -> dict[tuple[str, str], int]:
    """Count the answers that take the place of a gold label, under a name of their own.

    Most examples of that gold label have the answer, most that have the answer are of
    that gold label, and hardly any is right: then none of them could break.
    """
    both = pa.table({"said": answers, "gold": golds}).drop_null()
    grouped = both.group_by(["said", "gold"]).aggregate([([], "count_all")]).to_pydict()
    pairs = dict(
        zip(
            zip(grouped["said"], grouped["gold"], strict=True),
            grouped["count_all"],
            strict=True,
        )
    )
    of_said, of_gold = Counter[str](), Counter[str]()
    for (said, gold), n in pairs.items():
        of_said[said] += n
        of_gold[gold] += n
    among = set(strange) if len(of_gold) > 1 else set()
    return {
        (said, gold): n
        for (said, gold), n in pairs.items()
        if said in among
        and n >= _FEWEST_RENAMED
        and 2 * n > max(of_said[said], of_gold[gold])
        and pairs.get((gold, gold), 0) <= _RARE * of_gold[gold]
    }


def _are_numbers(keys: Iterable[str], *, below: int) -> bool:
    return all(key.isdecimal() and int(key) < below for key in keys)


def _differing_in_spelling(
    one: pa.ChunkedArray, other: pa.ChunkedArray, declared: Collection[str]
) -> dict[tuple[str, str], int]:
    """Count the pairs of labels of the same examples that differ in spelling only.

    Two labels that a suite declares are two labels, however alike.
    """
    both = pa.chunked_array([*one.chunks, *other.chunks], one.type).combine_chunks()
    encoded = both.dictionary_encode()
    codes = np.asarray(pc.fill_null(encoded.indices, -1), np.int64)
    a, b = codes[: len(one)], codes[len(one) :]
    pairs = np.stack([a, b])[:, (a != b) & (a >= 0) & (b >= 0)]
    used = np.unique(pairs)
    labels = encoded.dictionary.take(pa.array(used)).to_pylist()
    numbers: dict[str, int] = {}
    keys = [numbers.setdefault(_key(label), len(numbers)) for label in labels]
    if len(numbers) == len(labels):
        return {}
    first, second = np.searchsorted(used, pairs)
    alike = np.array(keys)[first] == np.array(keys)[second]
    found = Counter(zip(first[alike].tolist(), second[alike].tolist(), strict=True))
    return {
        (labels[i], labels[j]): n
        for (i, j), n in found.items()
        if not {labels[i], labels[j]} <= set(declared)
    }


def _key(label: str) -> str:
    """Return what labels have in common that differ in spelling only."""
    if len(label) > _LONGEST_LABEL:  # a text
        return label
    text = label.casefold()
    if not text.isascii():
        text = unicodedata.normalize(
            "NFKC", unicodedata.normalize("NFKC", label).casefold()
        )
    if not text.isprintable():
        text = "".join(c for c in text if c.isspace() or not _is_invisible(c))
    text = as_number(_PREFIX.sub("", _bare(stripped(text)), count=1))
    return _BETWEEN_WORDS.sub(" ", text)


def _bare(text: str) -> str:
    """Return a label without quotes, brackets and names around it.

    Examples:
        >>> [_bare(text) for text in ('{"label": "yes"}', "answer: no.", "-1", "?")]
        ['yes', 'no', '-1', '?']

    """
    inner = text.strip(_AROUND)
    carrier = _CARRIER.match(inner)
    if carrier:
        inner = inner[carrier.end() :].strip(_AROUND)
    return text if not inner or NUMBER.fullmatch(text) else inner


def _is_invisible(char: str) -> bool:
    """Whether a character is one of control or format, such as a soft hyphen."""
    return unicodedata.category(char) in ("Cc", "Cf")


def _cure(pairs: Collection[tuple[str, str]]) -> str:
    for size in range(1, len(NORMALISERS) + 1):
        for forms in combinations(NORMALISERS, size):
            if all(normalised(a, forms) == normalised(b, forms) for a, b in pairs):
                named = ",".join(forms)
                return f"Even labels out with --normalise {named}, or use {_BY_MAP}."
    return f"Map labels with {_BY_MAP}."


def _shown(pairs: Mapping[tuple[str, str], int]) -> str:
    return some([f"{_quoted(a)} for {_quoted(b)} ({n})" for (a, b), n in pairs.items()])


def _quoted(label: str) -> str:
    return repr(clipped(label, _LONGEST_SHOWN))


def _distinct(column: pa.ChunkedArray) -> list[str]:
    return [label for label in pc.unique(column).to_pylist() if label is not None]


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    found = pc.value_counts(column.drop_null())
    values, counts = found.field("values"), found.field("counts")
    return dict(zip(values.to_pylist(), counts.to_pylist(), strict=True))


def _each(table: _AnyKeyed, column: str, change: Callable[[str], str]) -> _AnyKeyed:
    """Change each distinct value of a column of texts."""
    if column not in table or not pa.types.is_string(table.column(column).type):
        return table
    encoded = table.column(column).combine_chunks().dictionary_encode()
    texts = [change(text) for text in encoded.dictionary.to_pylist()]
    return table.with_column(column, pa.array(texts, pa.string()).take(encoded.indices))
