"""Language modelling: how many nats a model needs for documents that nobody labels.

Levels: `document` (its score is nats per token, or bits per byte; worse where new needs
more than old by more than epsilon); where both sides tell of each token and have one
tokenizer, `token` (right where the most probable token is the document's own) and
`top_token` (whether both sides have the same most probable token, right or not).

The graded flips of documents follow MUSCLE (Echterhoff et al., Findings of EMNLP 2024,
https://arxiv.org/abs/2407.09435), with nats per token (or bits per byte) as the score.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level, chosen
from compat_eval.core.predictions import Predictions
from compat_eval.core.statistic import Statistic
from compat_eval.core.table import positions
from compat_eval.statistics.families.continual import FORGETTING, PERIOD, SEEN
from compat_eval.statistics.families.perplexity import (
    BITS_PER_BYTE,
    CLUSTER_BITS_STATISTICS,
    CLUSTER_STATISTICS,
    PERPLEXITY,
    PERPLEXITY_RATIO,
    bits,
    n_bytes,
)
from compat_eval.tasks.language_modeling.tokens import (
    RANKS,
    TOP,
    TokenLists,
    known_sizes,
    why_not_alike,
    why_other_numbers,
    why_unknown_numbers,
    why_untold,
)

_DOCUMENT, _TOKEN, _TOP_TOKEN = "document", "token", "top_token"
_TOKEN_LEVELS = (
    Level(
        _TOKEN,
        "token",
        "tokens",
        example="document",
        examples="documents",
        title="Tokens",
        needs_gold=False,
    ),
    Level(
        _TOP_TOKEN,
        "token",
        "tokens",
        example="document",
        examples="documents",
        scale="agreement",
        title="Most probable tokens",
        needs_gold=False,
    ),
)
_UNITS = {"token": "nats per token", "byte": "bits per byte"}
_GUESS = {"token": float(np.log(2**24)), "byte": 8.0}
"""What guessing costs: among more tokens than any vocabulary has, among 256 bytes."""
_EPSILON = 0.01


@dataclass(frozen=True, slots=True)
class _LanguageModeling:
    """Nats of documents; answers are `nll`, summed over `n_tokens` tokens.

    Attributes:
        per: Whether a document's score is nats per `token` or bits per `byte` of its
            text. Only the latter can be compared between tokenizers.
        levels: All that answers may have; those that they have once `suited`.
        withheld: Level to the reason why these answers do not have it.
        sizes: Ids of documents, and how many tokens each has, shape (n_documents,);
            `None` where answers tell alone.

    """

    per: str
    levels: tuple[Level, ...]
    withheld: Mapping[str, str] = field(default_factory=dict)
    sizes: tuple[pa.ChunkedArray, Ints] | None = field(
        default=None, repr=False, compare=False
    )
    kind: str = "language_modeling"
    answer_columns: tuple[str, ...] = ("nll", "n_tokens")

    def suited(
        self, examples: Sequence[Examples], answers: Sequence[Predictions]
    ) -> "_LanguageModeling":
        """Return the task with the levels that these sides allow.

        Args:
            examples: What is asked; not looked at.
            answers: Of each side.

        Raises:
            DataError: What a side tells of tokens contradicts itself.

        """
        told = [TokenLists.of(one) for one in answers]
        sides = [one for one in told if one is not None]
        if not sides or len(sides) < len(told):
            lacking = f"not every side tells {RANKS} and {TOP}"
            withheld = {_TOKEN: lacking, _TOP_TOKEN: lacking}
        else:
            why = (
                why_untold(sides, answers)
                or why_not_alike(sides)
                or why_other_numbers(sides)
            )
            withheld = {_TOKEN: why, _TOP_TOKEN: why or why_unknown_numbers(sides)}
        withheld = {name: why for name, why in withheld.items() if why}
        kept = tuple(level for level in self.levels if level.name not in withheld)
        sizes = None if _TOKEN in withheld else known_sizes(sides)
        return replace(self, levels=kept, withheld=withheld, sizes=sizes)

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Return the score of each document, and what of its tokens is right.

        No score where there is no answer, or nothing was predicted; all tokens of a
        document without an answer are wrong, and none are known where nobody tells.

        Raises:
            UsageError: There is no such level.
            DataError: Some nats are negative, infinite, or of no tokens; or there is
                no text to count bytes of.

        """
        asked = chosen(self.kind, self.levels, levels)
        found: dict[str, Grades] = {}
        if _DOCUMENT in asked:
            scores = self._scores(examples, predictions)
            found[_DOCUMENT] = Grades.per_example(scores)
        for name in (_TOKEN, _TOP_TOKEN):
            if name in asked:
                lists, sizes, offsets = self._tokens(predictions)
                if name == _TOKEN:
                    found[name] = Grades(
                        lists.spread(lists.ranks, sizes, 0) == 1, offsets
                    )
                else:
                    top = lists.spread(lists.top, sizes, -1).astype(np.float64)
                    found[name] = Grades(np.where(top < 0, np.nan, top), offsets)
        return found

    def changed(
        self, examples: Examples, old: Predictions, new: Predictions, level: str
    ) -> Bools | None:
        """Return which tokens have another most probable one; else `None`.

        `None`, too, where nothing shows that one number is one token on both sides.
        """
        if level != _TOKEN or _TOP_TOKEN in self.withheld:
            return None
        before, after = (
            lists.spread(lists.top, sizes, -1 - side)
            for side, (lists, sizes, _) in enumerate(map(self._tokens, (old, new)))
        )
        return np.asarray(before != after, np.bool_)

    def _scores(self, examples: Examples, predictions: Predictions) -> Values:
        nats = _nats(predictions)
        if self.per == "token":
            amount, count, what = nats, predictions.numbers("n_tokens"), "tokens"
        else:
            amount, count, what = bits(nats), n_bytes(examples), "text"
        free = (nats > 0) & (count == 0)
        if free.any():
            ids = predictions.ids.filter(pa.array(free)).to_pylist()
            raise DataError(
                f"{len(ids)} documents cost nats but have no {what} ({some(ids)}); "
                "leave them out"
            )
        return _over(amount, count)

    def _tokens(self, predictions: Predictions) -> tuple[TokenLists, Ints, Ints]:
        """Return what is told of tokens, how many documents have, and their offsets."""
        lists = TokenLists.of(predictions) or TokenLists.silent(predictions)
        sizes = lists.sizes
        if self.sizes is not None:
            ids, known = self.sizes
            at = positions(predictions.ids, ids)
            sizes = np.where(at >= 0, known[at], sizes)
        return lists, sizes, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return perplexity, where tokens are compared, and bits per byte of texts."""
        found = [PERPLEXITY, PERPLEXITY_RATIO] if self.per == "token" else []
        if found and examples.tells("cluster"):
            found += CLUSTER_STATISTICS
        if found and {SEEN, PERIOD} <= {*examples.slice_names}:
            found.append(FORGETTING)
        if examples.tells("input"):
            found.append(BITS_PER_BYTE)
            if self.per == "byte" and examples.tells("cluster"):
                found += CLUSTER_BITS_STATISTICS
        return tuple(found)

    def remarks(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterator[str]:
        """Refuse to compare tokens of two tokenizers; say what is left out.

        Raises:
            DataError: The same documents have other numbers of tokens.

        """
        other = old.numbers("n_tokens") != new.numbers("n_tokens")
        other &= old.answered() & new.answered()
        ids = examples.ids.filter(pa.array(other)).to_pylist()
        if ids and self.per == "token":
            raise DataError(
                f"OLD and NEW count other tokens in {len(ids)} of {len(examples)} "
                f"documents ({some(ids)}), so nats per token cannot be compared: "
                "their tokenizers differ, or one cut documents short. With other "
                "tokenizers compare bits per byte: per: byte among the task's "
                "options"
            )
        if ids:
            yield (
                f"OLD and NEW count other tokens in {len(ids)} of {len(examples)} "
                "documents, so their tokenizers differ: bits per byte are compared, "
                "and neither perplexities nor tokens."
            )
        elif _TOP_TOKEN in self.withheld and RANKS in old and RANKS in new:
            what = "Tokens" if _TOKEN in self.withheld else "Most probable tokens"
            yield f"{what} are not compared: {self.withheld[_TOP_TOKEN]}."

    def doubts(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterator[str]:
        """Yield why nothing may pass.

        A model that is worse than guessing can hardly get worse, and none is certain
        of every document. Nats per token of two vocabularies are no one scale: where
        they cut documents into as many tokens, counts do not tell; a small vocabulary
        then has little to choose from, and low perplexity.
        """
        for name, side in (("old", old), ("new", new)):
            yield from self._beyond_belief(name, self._scores(examples, side))
        sides = [one for one in map(TokenLists.of, (old, new)) if one is not None]
        if self.per == "token" and len(sides) > 1 and not why_not_alike(sides):
            why = why_other_numbers(sides)
            if why:
                yield (
                    f"{why}, and nats per token cannot be compared; bits per byte can "
                    "(per: byte)"
                )

    def _beyond_belief(self, name: str, scores: Values) -> Iterator[str]:
        known = scores[~np.isnan(scores)]
        unit, guess = _UNITS[self.per], _GUESS[self.per]
        if len(known) and np.median(known) > guess:
            yield (
                f"{name} needs {np.median(known):.3g} {unit} for half of its "
                f"documents, and guessing takes at most {guess:.3g}: it is no language "
                "model, and can hardly get worse"
            )
        if len(known) and not known.any():
            yield (
                f"{name} takes each token of all {len(known)} documents for certain (0 "
                f"{unit}), which no language model does"
            )

    def show(self, answer: object) -> str:
        """Return a document as it is; nothing for no answer."""
        return "" if answer is None else str(answer)


def language_modeling(
    *, per: str = "token", epsilon: float | str = _EPSILON
) -> _LanguageModeling:
    """Return the task.

    Args:
        per: `token` for nats per token, `byte` for bits per byte.
        epsilon: Documents whose scores differ by no more are the same.

    Raises:
        UsageError: An option has no such value.

    """
    if per not in _UNITS:
        raise UsageError(
            f"language_modeling: per must be {' or '.join(_UNITS)}, got {per!r}"
        )
    try:
        moves = float(epsilon)
    except (TypeError, ValueError):
        moves = np.nan
    if not (0 <= moves < np.inf):
        raise UsageError(
            f"language_modeling: epsilon must be a number from 0, got {epsilon!r}"
        )
    level = Level(
        _DOCUMENT,
        "document",
        "documents",
        example="document",
        examples="documents",
        scale="score",
        title="Documents",
        score_unit=_UNITS[per],
        better="lower",
        epsilon=moves,
        needs_gold=False,
    )
    return _LanguageModeling(per=per, levels=(level, *_TOKEN_LEVELS))


def _nats(predictions: Predictions) -> Values:
    nats = predictions.numbers("nll")
    if (nats < 0).any():
        ids = predictions.ids.filter(pc.less(predictions.column("nll"), 0.0))
        raise DataError(
            f"nll is below 0 for {len(ids)} documents ({some(ids.to_pylist())}); it is "
            "minus the log-likelihood in nats, summed over the document's tokens"
        )
    if np.isinf(nats).any():
        ids = predictions.ids.filter(pa.array(np.isinf(nats)))
        raise DataError(
            f"nll is infinite for {len(ids)} documents ({some(ids.to_pylist())}): the "
            "model takes a token of theirs for impossible, so its perplexity is "
            "infinite; let it give every token a probability, or leave them out"
        )
    return nats


def _over(amount: Values, count: Values) -> Values:
    found: Values = np.full(len(amount), np.nan)
    np.divide(amount, count, out=found, where=count > 0)
    return found
