"""What breakdowns of semantic trees group utterances and spans by, and where spans are.

Everything is said of the gold tree, so that both sides have the same groups.

Source: the groupings are those of the analyses that Cai et al., "Measuring and
Reducing Model Update Regression in Structured Prediction for NLP", NeurIPS 2022,
https://arxiv.org/abs/2202.02976, released with their code.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Ints
from compat_eval.core.places import Places
from compat_eval.tasks.binned_facets import binned, named
from compat_eval.tasks.semantic.trees import Node, outermost

_LENGTHS = (1, 2, 3, 4, 5, 6, 11, 21)
_DEPTHS = (1, 2, 3, 4)

_Placed = tuple[Node, int, int]
"""A node, the number of the one above it (-1 above the root), and its depth."""


def utterance_facets(trees: Sequence[Node]) -> pa.Table:
    """Return the facets of whole utterances."""
    depths = [max(depth for _, _, depth in _placed(tree)) for tree in trees]
    return pa.table(
        {
            "intent": named([tree.label for tree in trees]),
            "utterance_length": binned(_ints([t.end for t in trees]), _LENGTHS),
            "nesting": binned(_ints(depths), _DEPTHS, zero="none"),
        }
    )


def span_facets(trees: Sequence[Node]) -> pa.Table:
    """Return the facets of the gold spans, in the order of `outermost`."""
    spans = [(tree, node, depth) for tree in trees for node, _, depth in _spans(tree)]
    lengths = _ints([node.end - node.begin for _, node, _ in spans])
    return pa.table(
        {
            "label": named([node.label for _, node, _ in spans]),
            "intent": named([tree.label for tree, _, _ in spans]),
            "span_length": binned(lengths, _LENGTHS),
            "depth": binned(_ints([d for _, _, d in spans]), _DEPTHS, zero="root"),
        }
    )


def span_places(trees: Sequence[Node]) -> Places:
    """Return where the gold spans stand; every node of the trees is a node."""
    parent: list[int] = []
    spans: list[tuple[int, int, int]] = []
    for tree in trees:
        first = len(parent)
        chosen = {id(node) for node in outermost(tree).values()}
        for at, (node, above, _) in enumerate(_placed(tree), start=first):
            parent.append(above if above < 0 else first + above)
            if id(node) in chosen:
                spans.append((node.begin, node.end, at))
    columns = _ints(spans).reshape(-1, 3)
    return Places(
        begin=columns[:, 0],
        end=columns[:, 1],
        node=columns[:, 2],
        parent=_ints(parent),
    )


def _placed(root: Node) -> Iterator[_Placed]:
    """Yield the nodes of a tree in reading order, parents first.

    Examples:
        >>> from compat_eval.tasks.semantic.trees import parse_tree
        >>> tree = parse_tree("[IN:GO to [SL:WHERE [IN:FIND home ] ] ]")
        >>> [(node.label, above, depth) for node, above, depth in _placed(tree)]
        [('IN:GO', -1, 0), ('SL:WHERE', 0, 1), ('IN:FIND', 1, 2)]

    """
    left: list[_Placed] = [(root, -1, 0)]
    number = -1
    while left:
        node, above, depth = left.pop()
        number += 1
        yield node, above, depth
        below = [child for child in node.children if isinstance(child, Node)]
        left += [(child, number, depth + 1) for child in reversed(below)]


def _spans(tree: Node) -> Iterator[_Placed]:
    chosen = {id(node) for node in outermost(tree).values()}
    return (one for one in _placed(tree) if id(one[0]) in chosen)


def _ints(values: Sequence[int] | Sequence[tuple[int, ...]]) -> Ints:
    return np.array(values, np.int64)
