"""`compat-eval train`: train one of our own models on a suite."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import examples

if TYPE_CHECKING:
    from compat_eval.models.multitask.suites import LearnedSuite
    from compat_eval.suite.suite import Suite

app = typer.Typer(rich_markup_mode=None)

_HELP = """Train one of our own models on a suite, or one model on several.

The model's directory is then a reference for compare, as compat:DIR. A training that
was interrupted goes on where it was when the same command is given again.

\b
Models:
  tfidf          TF-IDF and logistic regression (scikit-learn)
  embedding-bag  summed embeddings of words and pieces of words (torch)
  text-cnn       a small convolutional text encoder (torch)
  text-transformer  a small transformer text encoder (torch)
  encoder        a pretrained encoder, fine-tuned; needs --encoder
  head           a head on a frozen encoder's vectors; needs --encoder
  lqf            a linearised classifier, solved; needs --encoder
  cnn            a small network for images or recordings (torch)
  biaffine       dependency parser that scores every arc (torch)
  stack-pointer  dependency parser that builds trees from the root (torch)
  seq2seq        semantic parser: writes intents and slots, copies words
  language-model small causal language model: transformer or GRU (torch)
  n-gram         Kneser-Ney smoothed n-grams, a baseline of language models
  causal-lm      a language model of transformers, trained on; needs start
  multitask      one network for all suites, a head for each (torch)

biaffine and stack-pointer are for suites of the task dependency, seq2seq is for those
of the task semantic (--encoder is possible there), language-model, n-gram and causal-lm
for those of the task language_modeling, the others for classification. multitask takes
one or more suites; compat:DIR#SUITE is then the task of one of them.
"""

_EXAMPLES = examples(
    "compat-eval train library-desk --model tfidf --split train-small --out models/old",
    "compat-eval train clinc150 --model encoder --encoder minilm --out models/new",
    "compat-eval compare compat:models/old compat:models/new --suite clinc150",
    "compat-eval train ud-ewt --model biaffine --seed 1 --out models/parser",
    "compat-eval train ud-ewt --model stack-pointer --seed 1 --out models/other",
    "compat-eval train topv2 --model seq2seq --split train-six --out models/six",
    "compat-eval train clinc150 snips hwu64 --model multitask --out models/all",
)

_OF_SEVERAL = "multitask"
"""The model that learns several suites."""

_SCORES = {
    "dependency": "dev LAS {:.1%} on {} sentences",
    "semantic": "dev exact match {:.1%} of {}",
    "language_modeling": "dev 1 / perplexity {:.2%} on {} documents",
}
"""What stands for the best score on dev, by task kind; else it is an accuracy."""


@app.command(help=_HELP, epilog=_EXAMPLES)
def train(
    suites: Annotated[
        list[str],
        typer.Argument(
            metavar="SUITE…",
            help="Name of a suite, or its file; several for a model of several tasks.",
        ),
    ],
    model: Annotated[
        str, typer.Option(help="Kind of model to train; see the list above.")
    ],
    out: Annotated[Path, typer.Option(help="Directory for the trained model.")],
    seed: shared.Seed = 0,
    split: Annotated[str, typer.Option(help="Split to train on.")] = "train",
    dev: Annotated[
        str | None,
        typer.Option(
            help="Split that decides when to stop early. Default: the suite's dev "
            "split; without one, a tenth of the training examples. `none` for no "
            "early stop."
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings of the model: YAML or JSON.")
    ] = None,
    encoder: Annotated[
        Path | None, typer.Option(help="Directory of a pretrained encoder.")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of CPU threads that torch uses; another number gives other "
            "weights.",
        ),
    ] = None,
    no_cache: shared.NoCache = False,
    cache_dir: shared.CacheDir = None,
    data_dir: shared.DataDir = None,
    offline: shared.Offline = False,
    quiet: shared.Quiet = False,
) -> None:
    """Train a model; say where it is and how good on dev."""
    from compat_eval.cli.progress import progress_bar
    from compat_eval.core.errors import UsageError
    from compat_eval.models.multitask.suites import load_tasks
    from compat_eval.models.training.train import train_model
    from compat_eval.runner.cache import Cache

    if seed < 0:
        raise UsageError(f"--seed must be a whole number from 0; got {seed}")
    learned = [_learned(text, model, split, dev) for text in suites]
    settings = _settings(config, encoder)
    if model == _OF_SEVERAL:
        examples, held = load_tasks(learned, data_dir=data_dir, offline=offline)
    elif len(learned) == 1:
        examples, held = learned[0].load(data_dir=data_dir, offline=offline)
    else:
        raise UsageError(
            f"--model {model} learns one suite, and {len(suites)} are named; "
            f"--model {_OF_SEVERAL} learns several"
        )
    _use_threads(threads)
    folder = shared.cache_folder(cache_dir, no_cache=no_cache)
    record = train_model(
        model,
        examples,
        held,
        seed=seed,
        out=out,
        config=settings,
        progress=progress_bar(quiet=quiet),
        data="; ".join(map(str, learned)),
        cache=None if folder is None else Cache(folder),
    )
    typer.echo(_summary(record, out, learned))


def _learned(text: str, model: str, split: str, dev: str | None) -> "LearnedSuite":
    """Return a suite with the splits that are learned of it."""
    from compat_eval.models.multitask.suites import LearnedSuite
    from compat_eval.models.training.train import require_suited
    from compat_eval.suite.load import load_suite

    suite = load_suite(text)
    require_suited(model, suite.task.kind, suite=suite.name)
    return LearnedSuite(
        suite=suite,
        called=text if model == _OF_SEVERAL else suite.name,
        split=split,
        dev=_dev_split(suite, dev, split),
    )


def _settings(config: Path | None, encoder: Path | None) -> dict[str, Any]:
    from compat_eval.core.errors import UsageError

    settings = {} if config is None else shared.settings_file(config)
    if encoder is not None:
        if "encoder" in settings:
            raise UsageError(f"--encoder is given, and `encoder` in {config}; give one")
        settings["encoder"] = str(encoder)
    return settings


def _dev_split(suite: "Suite", dev: str | None, split: str) -> str:
    """Return the split to stop by, `none`, or what is not a split: held out."""
    from compat_eval.core.errors import UsageError
    from compat_eval.models.multitask.suites import HELD_OUT

    if dev is None:
        return suite.dev_split(besides=split) or HELD_OUT
    if dev != "none" and dev not in suite.data:
        known = ", ".join([*suite.data, "none"])
        raise UsageError(f"--dev {dev}: suite {suite.name} has {known}")
    if dev == split:
        raise UsageError(f"--dev {dev}: is what is trained on; choose another split")
    return dev


def _use_threads(threads: int | None) -> None:
    if threads is None:
        return
    from compat_eval.models.packages import package

    package("torch").set_num_threads(threads)


def _summary(
    record: Mapping[str, Any], out: Path, learned: "Sequence[LearnedSuite]"
) -> str:
    data = record["data"]
    accuracies = [done.get("dev_accuracy") for done in record["history"]]
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    score = _SCORES.get(learned[0].suite.task.kind, "dev accuracy {:.1%} of {}")
    best = ", " + score.format(max(known), data["n_dev"]) if known else ""
    places = [f"compat:{out}"]
    if record["model"] == _OF_SEVERAL:
        places = [f"compat:{out}#{one.suite.name}" for one in learned]
    said = f"{record['model']}, seed {record['seed']}, {data['n_train']} examples{best}"
    return "\n".join([said, *places])
