"""Relations are compared by name, as labels are.

Unlike a classifier's labels, several relations of a parser may be called the
same: its `dobj` and `iobj` may both be the suite's `obj`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from compat_eval.core.errors import ModelError, some

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
