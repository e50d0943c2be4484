"""The official UD scores, as counts for each gold sentence and as metrics.

Definitions: Zeman et al., "CoNLL 2018 Shared Task: Multilingual Parsing from
Raw Text to Universal Dependencies", CoNLL 2018,
https://aclanthology.org/K18-2001. Words and sentences of the system belong to
the gold sentence in which they start, so that the counts of all gold sentences
sum to those of the document.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints, Rows
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.families.f1 import f1
from compat_eval.tasks.dependency.alignment import (
    Alignment,
    Pairs,
    document_heads,
    heads_in_gold,
)
from compat_eval.tasks.dependency.grade import GradedWords
from compat_eval.tasks.dependency.trees import (
    Counts,
    flat_relations,
    official_counts_in,
)

_CONTENT = frozenset(
    """
    nsubj obj iobj csubj ccomp xcomp obl vocative expl dislocated advcl advmod
    discourse nmod appos nummod acl amod conj fixed flat compound list parataxis
    orphan goeswith reparandum root dep
    """.split()  # noqa: SIM905
)
"""Relations of content words, without subtype."""

_FUNCTIONAL = frozenset(["aux", "cop", "mark", "det", "clf", "case", "cc"])
"""Relations of the function words that MLAS checks with their content word."""

_FEATURES = frozenset(
    """
    PronType NumType Poss Reflex Foreign Abbr Gender Animacy Number Case Definite
    Degree VerbForm Mood Tense Aspect Voice Evident Polarity Person Polite
    """.split()  # noqa: SIM905
)

_DESCRIPTIONS = {
    "tokens": "tokens",
    "sentences": "sentences",
    "words": "words",
    "upos": "universal parts of speech",
    "xpos": "language-specific parts of speech",
    "ufeats": "universal features",
    "alltags": "parts of speech and features together",
    "lemmas": "lemmas",
    "uas": "heads",
    "las": "heads and universal relations",
    "clas": "heads and relations of content words",
    "mlas": "heads and relations of content words with morphology and function words",
    "blex": "heads, relations and lemmas of content words",
}

_FROM_TREES = ("uas", "las", "clas")


def _universal_relation(relation: str) -> str:
    """Return a relation without its subtype.

    Examples:
        >>> _universal_relation("nmod:poss")
        'nmod'

    """
    return relation.partition(":")[0]


def _universal_features(features: str) -> str:
    """Return the features that UD defines for all languages, sorted.

    Examples:
        >>> _universal_features("Typo=Yes|Number=Sing|Case=Nom")
        'Case=Nom|Number=Sing'

    """
    kept = (f for f in features.split("|") if f.partition("=")[0] in _FEATURES)
    return "|".join(sorted(kept))


def official_counts(gold: pa.Table, system: pa.Table, alignment: Alignment) -> Counts:
    """Return the counts of each score, shape (n_gold_sentences, 4).

    Tables are as `read_conllu` gives them.
    """
    g, s = alignment.pairs()
    pairs = Pairs(gold=gold, system=system, g=g, s=s)
    g_heads = document_heads(gold, alignment.gold)
    s_heads = document_heads(system, alignment.system)
    upos, xpos = pairs.same("upos"), pairs.same("xpos")
    feats = pairs.same("feats", _universal_features)
    lemmas = pairs.same("lemmas") | pairs.gold_is("lemmas", "_")
    uas = g_heads[g] == heads_in_gold(s_heads, alignment.gold_of)[s]
    las = uas & pairs.same("deprels", _universal_relation)
    morphology = las & upos & feats
    helped = _function_words_agree(pairs, morphology, g_heads, s_heads)
    words = _Tally.of_words(alignment)
    content = _Tally.of_words(
        alignment, *pairs.among("deprels", _CONTENT, _universal_relation)
    )
    return {
        "tokens": _tokens(alignment),
        "sentences": _sentences(alignment),
        "words": words.counts(np.ones(len(g), np.bool_)),
        "upos": words.counts(upos),
        "xpos": words.counts(xpos),
        "ufeats": words.counts(feats),
        "alltags": words.counts(upos & xpos & feats),
        "lemmas": words.counts(lemmas),
        "uas": words.counts(uas),
        "las": words.counts(las),
        "clas": content.counts(las),
        "mlas": content.counts(morphology & helped),
        "blex": content.counts(las & lemmas),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tally:
    """Words of either side and of both, in each gold sentence."""

    sentence: Ints  # of each pair
    counted: Bools  # pairs
    system: Ints
    gold: Ints

    @classmethod
    def of_words(
        cls,
        alignment: Alignment,
        gold: Bools | None = None,
        system: Bools | None = None,
    ) -> "_Tally":
        """Count the words that masks over gold and system words leave."""
        g, _ = alignment.pairs()
        n = len(alignment.gold.offsets) - 1
        everything = np.ones(len(alignment.gold.start), np.bool_)
        gold = everything if gold is None else gold
        homes = alignment.home if system is None else alignment.home[system]
        return cls(
            sentence=alignment.gold.sentence[g],
            counted=gold[g],
            system=np.bincount(homes, minlength=n),
            gold=np.bincount(alignment.gold.sentence[gold], minlength=n),
        )

    def counts(self, right: Bools) -> Ints:
        n = len(self.gold)
        aligned = np.bincount(self.sentence[self.counted], minlength=n)
        correct = np.bincount(self.sentence[self.counted & right], minlength=n)
        return np.stack([correct, self.system, self.gold, aligned], axis=1)


def _function_words_agree(
    pairs: Pairs, agree: Bools, g_heads: Ints, s_heads: Ints
) -> Bools:
    """Return which pairs have the same function words below them.

    Two words have if they have as many, and each of gold's is matched by one
    that agrees in head, relation, part of speech and features.
    """
    of_gold, of_system = pairs.among("deprels", _FUNCTIONAL, _universal_relation)
    in_gold = _children(g_heads, of_gold)
    in_system = _children(s_heads, of_system)
    agreeing = np.zeros(len(g_heads), np.bool_)
    agreeing[pairs.g] = agree
    matched = _children(g_heads, of_gold & agreeing)
    return np.asarray(
        (matched[pairs.g] == in_gold[pairs.g])
        & (in_gold[pairs.g] == in_system[pairs.s]),
        np.bool_,
    )


def _children(heads: Ints, which: Bools) -> Ints:
    """Return how many of some words hang directly below each word."""
    below = heads[which & (heads >= 0)]
    return np.bincount(below, minlength=len(heads))


def _tokens(alignment: Alignment) -> Ints:
    gold, system = alignment.gold, alignment.system
    return _span_counts(
        (gold.start[gold.first], gold.end[gold.first]),
        (system.start[system.first], system.end[system.first]),
        homes=(gold.sentence[gold.first], alignment.home[system.first]),
        n=len(gold.offsets) - 1,
    )


def _sentences(alignment: Alignment) -> Ints:
    gold, system = alignment.gold, alignment.system
    n = len(gold.offsets) - 1
    return _span_counts(
        (gold.sentence_starts(), gold.sentence_ends()),
        (system.sentence_starts(), system.sentence_ends()),
        homes=(np.arange(n), alignment.home[system.offsets[:-1]]),
        n=n,
    )


def _span_counts(
    gold: tuple[Ints, Ints],
    system: tuple[Ints, Ints],
    *,
    homes: tuple[Ints, Ints],
    n: int,
) -> Ints:
    size = max(gold[1].max(initial=0), system[1].max(initial=0)) + 1
    found = np.isin(gold[0] * size + gold[1], system[0] * size + system[1])
    correct = np.bincount(homes[0][found], minlength=n)
    counts = [np.bincount(home, minlength=n) for home in homes]
    return np.stack([correct, counts[1], counts[0], correct], axis=1)


def official_metrics(predictions: Predictions) -> tuple[Statistic, ...]:
    """Return the F1 of each official score that these columns allow."""
    scores = _DESCRIPTIONS if "official" in predictions else _FROM_TREES
    return tuple(_official_metric(score) for score in scores)


def _official_metric(score: str) -> Statistic:
    """Return one official score, `las` say, as the metric `official_las_f1`.

    Its rows are correct, predicted and gold units of each gold sentence.
    """

    def rows(examples: Examples, predictions: Predictions) -> CodedRows:
        if "official" in predictions:
            counts = official_counts_in(predictions.column("official"), score)
            return CodedRows.plain(counts[:, :3].astype(np.float64))
        return CodedRows.plain(_counts_of_trees(examples, predictions, score))

    return Statistic(
        name=f"official_{score}_f1",
        better="higher",
        rows=rows,
        value=f1,
        description=f"Official UD score, F1 of {_DESCRIPTIONS[score]}.",
        ends=(0.0, 1.0),
    )


def _counts_of_trees(examples: Examples, predictions: Predictions, score: str) -> Rows:
    """Count where the predicted words are the gold words."""
    words = GradedWords.of(examples, predictions, "universal")
    right = words.heads if score == "uas" else words.heads & words.relations
    gold, predicted = np.ones(len(right), np.bool_), words.answered
    if score == "clas":
        gold = _content(examples.column("gold"))
        predicted = predicted.copy()
        predicted[words.answered] = _content(predictions.column("prediction"))
    sums = np.zeros((len(right) + 1, 3))
    sums[1:] = np.cumsum(np.stack([right & gold, predicted, gold], axis=1), axis=0)
    return np.diff(sums[words.offsets], axis=0)


def _content(trees: pa.ChunkedArray) -> Bools:
    relations = flat_relations(trees, "universal")
    among = pc.is_in(relations, value_set=pa.array(sorted(_CONTENT)))
    return np.asarray(among, np.bool_)
