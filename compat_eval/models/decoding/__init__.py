"""From arc scores to trees: batched, padded, masked.

Everywhere, arc scores have shape (batch, n_words, n_words + 1): entry
`[b, d, h]` is the score of head `h` for word number `d + 1` of sentence `b`,
where head 0 is the root and head `h` word number `h`. Labelled scores have a
last axis of labels. `lengths` holds the number of words of each sentence,
shape (batch,); everything beyond is padding and never looked at. An impossible
arc scores -inf. Heads come back with shape (batch, n_words), 0 at padding.
"""

from compat_eval.models.decoding.k_best import k_best_trees
from compat_eval.models.decoding.log_partition import tree_log_partition
from compat_eval.models.decoding.spanning import are_trees, max_spanning_trees

__all__ = ["are_trees", "k_best_trees", "max_spanning_trees", "tree_log_partition"]
