"""Streams of texts: who receives which when, and the language model that learns them.

| stream | clients | periods |
|---|---|---|
| `topv2` | 64, each with intents of its own | one main domain each, 90 % of all |
| `shakespeare-irc` | 64: a speaker, then a group of nicks | plays, plays, chat, chat |
| `irc` | 64 groups of nicks | four spans of years |

The order of `topv2`'s domains is a row of a Latin square, by the random seed: over five
seeds each of five domains is in each place once. Every model starts from one that was
trained on other texts of the kind: requests of two further domains, or chat of other
days. Its tokens are learnt from texts that no client holds.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.files import replacing
from compat_eval.core.fingerprint import digest
from compat_eval.federated.clients import Clients, clients_of
from compat_eval.federated.problem import LanguageProblem
from compat_eval.models.language_models.network import CausalNetwork, TransformerNetwork
from compat_eval.models.language_models.tokens import token_ids, trained_tokenizer
from compat_eval.models.training.loop import seeded
from experiments.updates.places import data_folder, work_folder

N_CLIENTS = 64
N_SAMPLES = 100
"""Of each client and period; a fifth is tested on."""
SIZES: Mapping[str, Mapping[str, int]] = {
    "small": {"width": 32, "layers": 1, "heads": 4},
    "medium": {"width": 64, "layers": 1, "heads": 4},
}
"""Of the model."""
_DOMAINS = ("alarm", "messaging", "music", "navigation", "weather")
_OTHER_DOMAINS = ("event", "timer")
_MAIN_SHARE = 0.9
_VOCABULARY = 1000
_LONGEST = 20
_YEARS = ("2004", "2007", "2009", "2012", "2019")
_START_STEPS, _START_BATCH, _START_RATE = 1500, 32, 3e-3

Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What is simulated.

    Attributes:
        problem: Its network has the weights that every method starts from.
        clients: Who has which texts when.
        periods: What each period is about.

    """

    problem: LanguageProblem
    clients: Clients
    periods: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """Texts in the order in which clients received them."""

    texts: list[str]
    clients: list[str]
    periods: list[str]

    def add(self, client: int, period: int, texts: Sequence[str]) -> None:
        self.texts.extend(texts)
        self.clients.extend([f"{client:02}"] * len(texts))
        self.periods.extend([str(period)] * len(texts))


def stream(name: str, size: str, seed: int) -> Stream:
    """Return a stream, and a model of a size that starts on it."""
    held, periods = STREAMS[name](np.random.default_rng([seed, 12]), seed)
    texts = START_TEXTS[name]()
    tokenizer = _tokenizer("topv2" if name == "topv2" else "irc")
    network = _started(name, size, _tokens(tokenizer, texts))
    ids = [f"{at:05}" for at in range(len(held.texts))]
    examples = Examples(
        pa.table(
            {
                "id": ids,
                "input": held.texts,
                "cluster": held.clients,
                f"{SLICE_PREFIX}period": held.periods,
            }
        )
    )
    problem = LanguageProblem(
        network=network, names=ids, tokens=_tokens(tokenizer, held.texts)
    )
    clients = clients_of(examples, period="period")
    return Stream(problem=problem, clients=clients, periods=periods)


@cache
def _tokenizer(kind: str) -> Tokenizer:
    texts = _eval_requests() if kind == "topv2" else _other_chat()
    return trained_tokenizer("bpe", texts, size=_VOCABULARY, min_count=2)


def _tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> Tensor:
    found = torch.full((len(texts), _LONGEST), -1)
    for at, ids in enumerate(token_ids(tokenizer, [*texts])):
        row = torch.tensor([0, *ids][:_LONGEST])
        found[at, : len(row)] = row
    return found


def _started(name: str, size: str, tokens: Tensor) -> CausalNetwork:
    """Return the model that is updated, trained here if it was not before."""
    network = seeded(
        lambda: TransformerNetwork(
            n_tokens=_VOCABULARY, longest=_LONGEST, **SIZES[size]
        ),
        0,
    )
    kept = f"start-{'topv2' if name == 'topv2' else 'irc'}-{size}.pt"
    path = work_folder("federated") / kept
    if path.is_file():
        network.load_state_dict(torch.load(path, weights_only=True))
        return network
    problem = LanguageProblem(network=network, names=(), tokens=tokens)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_START_RATE)
    rng = np.random.default_rng(0)
    for at in range(_START_STEPS):
        optimizer.param_groups[0]["lr"] = _START_RATE * (1 - at / _START_STEPS)
        optimizer.zero_grad()
        batch = problem.batch(rng.choice(len(tokens), _START_BATCH).tolist())
        torch.autograd.backward(problem.losses(network, *batch).mean())
        optimizer.step()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        torch.save(network.state_dict(), draft)
    return network


@cache
def _requests(domain: str) -> list[tuple[str, str]]:
    """Return intent and text of all training requests of a domain, each text once."""
    return _read_requests(f"{domain}_train.tsv")


@cache
def _eval_requests() -> Texts:
    """Return the requests of the eval splits of all domains, which no client holds."""
    files = [f"{domain}_eval.tsv" for domain in (*_DOMAINS, *_OTHER_DOMAINS)]
    return tuple(text for file in files for _, text in _read_requests(file))


def _read_requests(file: str) -> list[tuple[str, str]]:
    path = data_folder() / "topv2" / file
    table = csv.DictReader(
        io.StringIO(path.read_text("utf-8")), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    found = {
        row["utterance"].lower(): row["semantic_parse"].split(maxsplit=1)[0]
        for row in table
    }
    return [(intent, text) for text, intent in found.items()]


def _topv2(rng: np.random.Generator, seed: int) -> tuple[_Held, list[str]]:
    """Return requests; each client prefers some intents of a domain."""
    step = 1 + (seed - 1) // len(_DOMAINS) % 4
    order = [_DOMAINS[(seed + step * at) % len(_DOMAINS)] for at in range(4)]
    pools = {domain: _Pool.of(domain, rng) for domain in _DOMAINS}
    held = _Held(texts=[], clients=[], periods=[])
    for period, main in enumerate(order):
        others = [domain for domain in _DOMAINS if domain != main]
        for client in range(N_CLIENTS):
            n_main = int(rng.binomial(N_SAMPLES, _MAIN_SHARE))
            texts = pools[main].drawn(client, n_main, rng)
            for domain in rng.choice(others, N_SAMPLES - n_main).tolist():
                texts += pools[domain].drawn(client, 1, rng)
            held.add(client, period, [texts[at] for at in rng.permutation(N_SAMPLES)])
    return held, order


@dataclass(frozen=True, slots=True)
class _Pool:
    """Requests of a domain that nobody has yet, with what each client prefers."""

    texts: list[str]
    intents: Ints
    likes: NDArray[np.float64]
    left: NDArray[np.bool_]

    @classmethod
    def of(cls, domain: str, rng: np.random.Generator) -> "_Pool":
        found = _requests(domain)
        names = sorted({intent for intent, _ in found})
        intents = np.array([names.index(intent) for intent, _ in found])
        likes = rng.gamma(0.5, size=(N_CLIENTS, len(names))) + 1e-3
        texts = [text for _, text in found]
        return cls(texts, intents, likes, np.ones(len(found), np.bool_))

    def drawn(self, client: int, n: int, rng: np.random.Generator) -> list[str]:
        places = np.flatnonzero(self.left)
        shares = self.likes[client, self.intents[places]]
        taken = rng.choice(places, n, replace=False, p=shares / shares.sum())
        self.left[taken] = False
        return [self.texts[at] for at in taken]


@cache
def _messages() -> list[tuple[str, str, str, str]]:
    """Return split, day, group of the nick, and text of all chat."""
    path = data_folder() / "irc_ubuntu" / "messages.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        (row["split"], row["date"], f"{_group(row['nick'])}", row["text"].lower())
        for row in rows
    ]


def _group(nick: str) -> int:
    return int(digest(nick.lower())[:8], 16) % N_CLIENTS


def _chat(first: str, last: str) -> list[list[str]]:
    """Return what each group of nicks wrote from a year to before another."""
    found: list[list[str]] = [[] for _ in range(N_CLIENTS)]
    for split, day, group, text in _messages():
        if split != "dev" and first <= day < last:
            found[int(group)].append(text)
    return found


def _irc(rng: np.random.Generator, seed: int) -> tuple[_Held, list[str]]:
    """Return chat; the order of the years is that of the calendar for every seed."""
    del seed
    held = _Held(texts=[], clients=[], periods=[])
    for period, (first, last) in enumerate(pairwise(_YEARS)):
        for client, texts in enumerate(_chat(first, last)):
            start = int(rng.integers(max(len(texts) - N_SAMPLES, 0) + 1))
            held.add(client, period, texts[start : start + N_SAMPLES])
    return held, [f"{first}-{last}" for first, last in pairwise(_YEARS)]


def _shakespeare_irc(rng: np.random.Generator, seed: int) -> tuple[_Held, list[str]]:
    """Return lines of plays and then chat, or with even seeds the other way round."""
    plays = _plays()
    chats = [_chat("2004", "2008"), _chat("2008", "2019")]
    parts: list[tuple[str, list[list[str]]]] = [
        ("plays, first half", [own[: len(own) // 2] for own in plays]),
        ("plays, second half", [own[len(own) // 2 :] for own in plays]),
        ("chat to 2007", chats[0]),
        ("chat from 2008", chats[1]),
    ]
    if seed % 2 == 0:
        parts = [*parts[2:], *parts[:2]]
    held = _Held(texts=[], clients=[], periods=[])
    for period, (_, owned) in enumerate(parts):
        for client, texts in enumerate(owned):
            start = int(rng.integers(max(len(texts) - N_SAMPLES, 0) + 1))
            held.add(client, period, texts[start : start + N_SAMPLES])
    return held, [name for name, _ in parts]


@cache
def _plays() -> list[list[str]]:
    """Return the lines of the speakers who say most."""
    text = (data_folder() / "tinyshakespeare" / "input.txt").read_text("utf-8")
    found: dict[str, list[str]] = {}
    for block in text.split("\n\n"):
        head, *lines = block.strip().split("\n")
        if head.endswith(":"):
            found.setdefault(head.lower(), []).extend(line.lower() for line in lines)
    return sorted(found.values(), key=len, reverse=True)[:N_CLIENTS]


@cache
def _other_requests() -> Texts:
    return tuple(text for domain in _OTHER_DOMAINS for _, text in _requests(domain))


@cache
def _other_chat() -> Texts:
    return tuple(text for split, _, _, text in _messages() if split == "dev")


STREAMS: Mapping[str, Callable[[np.random.Generator, int], tuple[_Held, list[str]]]] = {
    "topv2": _topv2,
    "shakespeare-irc": _shakespeare_irc,
    "irc": _irc,
}
START_TEXTS: Mapping[str, Callable[[], Texts]] = {
    "topv2": _other_requests,
    "shakespeare-irc": _other_chat,
    "irc": _other_chat,
}
