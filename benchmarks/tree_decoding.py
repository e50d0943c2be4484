"""Sentences a second of the tree decoders, at sentence lengths like those of EWT.

Scores are random (every word likes every head, the worst case for the greedy
pass) or peaked at a random tree, as a trained parser's are.

Run: `python benchmarks/tree_decoding.py [n_sentences]`.
"""

import json
import platform
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from compat_eval.models.decoding import (
    k_best_trees,
    max_spanning_trees,
    tree_log_partition,
)

N_LABELS, BATCH = 49, 32


def ewt_like_lengths(n: int, rng: np.random.Generator) -> list[int]:
    """Mean 12, median 9: a gamma law cut to 1–81."""
    return np.clip(rng.gamma(1.15, 10.5, n).round(), 1, 81).astype(int).tolist()


def batches(
    lengths: list[int], *, peak: float, rng: np.random.Generator
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    ordered = sorted(lengths)
    made = []
    for start in range(0, len(ordered), BATCH):
        part = ordered[start : start + BATCH]
        n = part[-1]
        scores = rng.normal(size=(len(part), n, n + 1, N_LABELS)).astype(np.float32)
        for sentence, size in enumerate(part):
            for word in range(1, size):
                head = rng.integers(0, word) + 1
                scores[sentence, word, head, rng.integers(N_LABELS)] += peak
            scores[sentence, 0, 0, 0] += peak
        made.append((torch.from_numpy(scores), torch.tensor(part)))
    return made


def rate(
    decode: Callable[[torch.Tensor, torch.Tensor], object],
    data: list[tuple[torch.Tensor, torch.Tensor]],
) -> float:
    started = time.perf_counter()
    for scores, lengths in data:
        decode(scores, lengths)
    return sum(len(n) for _, n in data) / (time.perf_counter() - started)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    torch.set_num_threads(1)
    decoders: dict[str, Callable[[torch.Tensor, torch.Tensor], object]] = {
        "max_spanning": lambda s, n: max_spanning_trees(s.amax(3), n),
        "k_best_10_labelled": lambda s, n: k_best_trees(s, n, 10),
        "log_partition": lambda s, n: tree_log_partition(s.logsumexp(3), n),
    }
    rows = []
    for kind, peak in (("random", 0.0), ("peaked", 9.0)):
        rng = np.random.default_rng(0)
        data = batches(ewt_like_lengths(n, rng), peak=peak, rng=rng)
        for name, decode in decoders.items():
            rows.append(
                {
                    "name": f"{name}, {kind} scores",
                    "sentences_per_second": round(rate(decode, data), 1),
                    "n_sentences": n,
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    print(json.dumps({"machine": f"{platform.processor()} 1 thread", "batch": BATCH}))


if __name__ == "__main__":
    main()
