"""Encoders that are made here: latent semantics, MiniLM, and projections of it.

`lsa-N` is TF-IDF of character n-grams and N singular vectors of the index (Deerwester
et al., "Indexing by latent semantic analysis", JASIS 41, 1990). `pca-N` cuts MiniLM to
N principal components of the index. `lda` and `lda-half` project MiniLM on what tells
classes apart, all of them or half, as a fine-tuning would (shrunken linear
discriminants, one dimension a class less one).
"""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Array, Rows
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Silence
from compat_eval.models.encoders.sentences import FrozenEncoderSource
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Embed
from experiments.classification.run import encoder_directory
from experiments.embeddings.decision_corpora import Corpus
from experiments.updates.places import work_folder

WORK = work_folder("embeddings").resolve()
Encoder = Callable[[Sequence[str]], Rows]

_SHRINKAGE = 0.1


def encoder_of(name: str, corpus: Corpus) -> Encoder:
    """Return an encoder: from texts to unit vectors, shape (n, d)."""
    kind, _, size = name.partition("-")
    if kind == "lsa":
        return _unit(_lsa(corpus, int(size)))
    if kind == "pca":
        return _unit(_projected(_components(minilm(corpus.index), int(size))))
    if kind == "lda":
        assert corpus.train is not None, "discriminants need classes"
        texts, labels = corpus.train
        kept = np.unique(labels)
        if size == "half":
            inside = np.isin(labels, kept[::2])
            texts = [t for t, one in zip(texts, inside, strict=True) if one]
            labels = labels[inside]
        return _unit(_projected(_discriminants(minilm(texts), labels)))
    return minilm


def minilm(texts: Sequence[str]) -> Rows:
    """Return unit vectors of all-MiniLM-L6-v2; each text is embedded once."""
    distinct = list(dict.fromkeys(texts))
    names = [str(at) for at in range(len(distinct))]
    examples = Examples(pa.table({"id": names, "input": distinct}))
    source = FrozenEncoderSource(directory=encoder_directory())
    cache = Cache(WORK / "cache")
    answers = ask(source, examples, Embed(), cache=cache, progress=Silence())
    flat = np.asarray(answers.column(Embed.column).combine_chunks().flatten())
    rows = flat.reshape(len(distinct), -1).astype(np.float64)
    place = {text: at for at, text in enumerate(distinct)}
    found = rows[[place[text] for text in texts]]
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def _unit(encoder: Encoder) -> Encoder:
    def encode(texts: Sequence[str]) -> Rows:
        rows = np.asarray(encoder(texts), np.float64)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        # A text without a known n-gram has no direction: all such get one.
        rows = np.where(lengths > 0, rows, np.eye(1, rows.shape[1]))
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    return encode


def _lsa(corpus: Corpus, size: int) -> Encoder:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    counted = words.fit_transform(corpus.index)
    svd = TruncatedSVD(size, random_state=0).fit(counted)
    return lambda texts: np.asarray(svd.transform(words.transform(texts)))


def _projected(matrix: Rows) -> Encoder:
    return lambda texts: np.asarray(minilm(texts) @ matrix)


def _components(rows: Rows, size: int) -> Rows:
    centred = rows - rows.mean(axis=0)
    return np.linalg.svd(centred, full_matrices=False)[2][:size].T


def _discriminants(rows: Rows, labels: Array) -> Rows:
    codes = np.unique(labels, return_inverse=True)[1]
    means = np.stack([rows[codes == at].mean(axis=0) for at in range(codes.max() + 1)])
    within = np.cov((rows - means[codes]).T)
    spread = np.trace(within) / len(within) * np.eye(len(within))
    values, axes = np.linalg.eigh((1 - _SHRINKAGE) * within + _SHRINKAGE * spread)
    whitening = axes / np.sqrt(values)
    inner = np.linalg.svd((means - means.mean(axis=0)) @ whitening)[2]
    return np.asarray(whitening @ inner[: len(means) - 1].T)
