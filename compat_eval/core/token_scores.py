"""How well a language model predicted each token of some documents."""

from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Bools, Ints, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenScores:
    """What a model made of each token that was predicted.

    Attributes:
        log_p: Log-probability of each token in nats, shape (n_tokens,).
        ranks: How many tokens the model takes for at least as probable, the token
            itself among them. A rank of 1 is that of a token that is more probable than
            all others. Shape (n_tokens,).
        top: Number of the most probable token, shape (n_tokens,).
        offsets: The tokens of document `i` are `offsets[i]` to `offsets[i + 1]`; shape
            (n_documents + 1,).
        is_text: Which documents are texts; others have no score. Shape (n_documents,).

    """

    log_p: Values
    ranks: Ints
    top: Ints
    offsets: Ints
    is_text: Bools

    @property
    def n_tokens(self) -> Ints:
        """How many tokens of each document were predicted, shape (n_documents,)."""
        return np.diff(self.offsets)

    def totals(self) -> Values:
        """Return log p of each document in nats, shape (n_documents,).

        0 of a text without tokens; nan of what is no text.

        Examples:
            >>> offsets = np.array([0, 2, 2])
            >>> TokenScores(
            ...     log_p=np.array([-1.0, -0.5]), ranks=np.array([1, 2]),
            ...     top=np.array([7, 7]), offsets=offsets,
            ...     is_text=np.array([True, False]),
            ... ).totals().tolist()
            [-1.5, nan]

        """
        owner = np.repeat(np.arange(len(self.is_text)), self.n_tokens)
        found = np.bincount(owner, weights=self.log_p, minlength=len(self.is_text))
        return np.where(self.is_text, found, np.nan)
