"""Labels and relations are compared by name, never by number.

A model's names are mapped to the suite's by an explicit map; what the map
leaves out keeps its name. A model that knows only its own numbers
(`LABEL_0`, …) must be mapped. Unlike a classifier's labels, several relations of
a parser may be called the same: its `dobj` and `iobj` may both be the suite's `obj`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from compat_eval.core.errors import ModelError, some
from compat_eval.core.text import with_nearest

_GENERIC = re.compile(r"LABEL_\d+")
_CURE = "Map them with --label-map FILE, of lines MODEL_LABEL: SUITE_LABEL"


def suite_labels(
    labels: Sequence[str], label_map: Mapping[str, str], *, reference: str
) -> tuple[str, ...]:
    """Return a model's labels under the suite's names, in the model's order.

    Args:
        labels: The model's own names, by id.
        label_map: From the model's names to the suite's.
        reference: The model, for messages.

    One map may serve two models: an entry for a label that this model does not
    have is left alone where the model uses the suite's name already.

    Raises:
        ModelError: The map names a label the model does not have; two labels
            end up with one name; or names are mere numbers and not mapped.

    Examples:
        >>> suite_labels(["pos", "neg"], {"pos": "positive"}, reference="hf:m")
        ('positive', 'neg')

    """
    renamed = tuple(label_map.get(label, label) for label in labels)
    for_others = {key for key, name in label_map.items() if name in renamed}
    _refuse_strangers(labels, set(label_map) - for_others, reference)
    _refuse_numbers(labels, label_map, reference)
    _refuse_merged(labels, renamed, reference)
    return renamed


def refuse_unknown_labels(
    labels: Iterable[str], suite: Iterable[str], *, reference: str
) -> None:
    """Check that a suite knows every label that a model may answer.

    Args:
        labels: The model's labels under the suite's names.
        suite: The labels that the suite knows.
        reference: The model, for messages.

    Raises:
        ModelError: The model may answer with labels that the suite does not
            know; the message lists them with the nearest names.

    """
    may_answer, known = set(labels), set(suite)
    unknown = sorted(may_answer - known)
    if unknown:
        hints = [with_nearest(label, known) for label in unknown]
        raise ModelError(
            f"{reference}: the suite does not know {len(unknown)} of the model's "
            f"{len(may_answer)} labels: {some(hints)}. {_CURE}, or list them under "
            "`labels:` in the suite."
        )


def _refuse_strangers(labels: Sequence[str], mapped: set[str], reference: str) -> None:
    strangers = sorted(mapped - set(labels))
    if strangers:
        hints = [with_nearest(label, set(labels)) for label in strangers]
        raise ModelError(
            f"{reference}: the label map names {some(hints)}, which the model does "
            f"not have; it has {some(labels, limit=10)}."
        )


def _refuse_numbers(
    labels: Sequence[str], label_map: Mapping[str, str], reference: str
) -> None:
    numbers = [
        label
        for label in labels
        if _GENERIC.fullmatch(label) and label not in label_map
    ]
    if numbers:
        raise ModelError(
            f"{reference}: the model names its labels only by number "
            f"({some(numbers)}), so which is which cannot be known. {_CURE}, one for "
            "each, or write the names into `id2label` of its config.json."
        )


def _refuse_merged(
    labels: Sequence[str], renamed: Sequence[str], reference: str
) -> None:
    for name, times in Counter(renamed).items():
        if times > 1:
            pairs = zip(labels, renamed, strict=True)
            sources = [label for label, to in pairs if to == name]
            raise ModelError(
                f"{reference}: {times} labels of the model are all called {name!r} "
                f"(from {some(sources)}); each needs a name of its own."
            )


_NONE: Mapping[str, str] = MappingProxyType({})


def suite_relations(
    relations: Iterable[str],
    label_map: Mapping[str, str],
    *,
    reference: str,
    known: Mapping[str, str] = _NONE,
) -> dict[str, str]:
    """Return the suite's name of each relation of a parser.

    Args:
        relations: The parser's own names.
        label_map: From the parser's names to the suite's. One map may serve two
            parsers: an entry for a name that this one does not have is left alone
            where it uses the suite's name already.
        reference: The parser, for messages.
        known: Names that a kind of parser is known to use, and the suite's; the
            map goes before them.

    Raises:
        ModelError: The map names a relation that the parser does not have.

    Examples:
        >>> suite_relations(["ROOT", "dobj"], {"dobj": "obj"}, reference="m",
        ...     known={"ROOT": "root"})
        {'ROOT': 'root', 'dobj': 'obj'}

    """
    names = {**known, **label_map}
    renamed = {relation: names.get(relation, relation) for relation in relations}
    used = set(renamed.values())
    strangers = sorted(
        key
        for key, name in label_map.items()
        if key not in renamed and name not in used
    )
    if strangers:
        raise ModelError(
            f"{reference}: the label map names {some(map(repr, strangers))}, relations "
            f"that the parser does not have; it has {some(sorted(renamed), limit=50)}."
        )
    return renamed
