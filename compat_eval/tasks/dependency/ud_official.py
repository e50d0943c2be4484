"""The official UD scores, as counts for each gold sentence.

Definitions: Zeman et al., "CoNLL 2018 Shared Task: Multilingual Parsing from
Raw Text to Universal Dependencies", CoNLL 2018,
https://aclanthology.org/K18-2001. Words and sentences of the system belong to
the gold sentence in which they start, so that the counts of all gold sentences
sum to those of the document.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints
from compat_eval.tasks.dependency.ud_pairs import (
    Alignment,
    Pairs,
    document_heads,
    heads_in_gold,
)
from compat_eval.tasks.dependency.ud_relations import (
    CONTENT,
    FUNCTIONAL,
    universal_features,
    universal_relation,
)

COUNTS = ("correct", "system", "gold", "aligned")
"""What the columns of every count are."""

Counts = dict[str, Ints]


def official_counts(gold: pa.Table, system: pa.Table, alignment: Alignment) -> Counts:
    """Return the counts of each score, shape (n_gold_sentences, 4).

    Tables are as `read_conllu` gives them.
    """
    g, s = alignment.pairs()
    pairs = Pairs(gold=gold, system=system, g=g, s=s)
    g_heads = document_heads(gold, alignment.gold)
    s_heads = document_heads(system, alignment.system)
    upos, xpos = pairs.same("upos"), pairs.same("xpos")
    feats = pairs.same("feats", universal_features)
    lemmas = pairs.same("lemmas") | pairs.gold_is("lemmas", "_")
    uas = g_heads[g] == heads_in_gold(s_heads, alignment.gold_of)[s]
    las = uas & pairs.same("deprels", universal_relation)
    morphology = las & upos & feats
    helped = _function_words_agree(pairs, morphology, g_heads, s_heads)
    words = _Tally.of_words(alignment)
    content = _Tally.of_words(
        alignment, *pairs.among("deprels", CONTENT, universal_relation)
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
    g_functional, s_functional = pairs.among("deprels", FUNCTIONAL, universal_relation)
    in_gold = _children(g_heads, g_functional)
    in_system = _children(s_heads, s_functional)
    agreeing = np.zeros(len(g_heads), np.bool_)
    agreeing[pairs.g] = agree
    matched = _children(g_heads, g_functional & agreeing)
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
