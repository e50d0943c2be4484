"""One sentence and one tree as text."""

from collections.abc import Mapping, Sequence
from typing import Any


def shown_sentence(sentence: Mapping[str, Any]) -> str:
    """Return the words of a sentence.

    Examples:
        >>> shown_sentence({"words": ["Stay", "here"]})
        'Stay here'

    """
    words: Sequence[str] = sentence["words"] or ()
    return " ".join(words)


def shown_tree(tree: Mapping[str, Any]) -> str:
    """Return each word's number, relation and head.

    Examples:
        >>> shown_tree({"heads": [0, 1], "deprels": ["root", "advmod"]})
        '1:root←0 2:advmod←1'

    """
    arcs = zip(tree["heads"] or (), tree["deprels"] or (), strict=True)
    return " ".join(
        f"{i}:{'?' if relation is None else relation}←{'?' if head < 0 else head}"
        for i, (head, relation) in enumerate(arcs, start=1)
    )
