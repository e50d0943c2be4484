"""`compat-eval train`: train one of our own models on a suite."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compat_eval.cli import options as shared
from compat_eval.cli.help import examples

if TYPE_CHECKING:
    from compat_eval.core.examples import Examples
    from compat_eval.suite.suite import Suite

app = typer.Typer(rich_markup_mode=None)

_HELP = """Train one of our own models on a suite.

The model's directory is then a reference for compare, as compat:DIR. A training that
was interrupted goes on where it was when the same command is given again.

\b
Models:
  tfidf          TF-IDF and logistic regression (scikit-learn)
  embedding-bag  summed embeddings of words and pieces of words (torch)
  encoder        a pretrained encoder, fine-tuned; needs --encoder
  head           a head on a frozen encoder, whose vectors are stored; needs --encoder
  lqf            a linearised classifier on an encoder, solved; needs --encoder
  biaffine       dependency parser that scores every arc (torch)
  stack-pointer  dependency parser that builds trees from the root (torch)
  seq2seq        semantic parser: writes intents and slots, copies words
  language-model small causal language model: transformer or GRU (torch)

biaffine and stack-pointer are for suites of the task dependency, seq2seq is for those
of the task semantic (--encoder is possible there), language-model for those of the task
language_modeling, the others for classification.
"""

_EXAMPLES = examples(
    "compat-eval train library-desk --model tfidf --split train-small --out models/old",
    "compat-eval train clinc150 --model encoder --encoder minilm --out models/new",
    "compat-eval compare compat:models/old compat:models/new --suite clinc150",
    "compat-eval train ud-ewt --model biaffine --seed 1 --out models/parser",
    "compat-eval train ud-ewt --model stack-pointer --seed 1 --out models/other",
    "compat-eval train topv2 --model seq2seq --split train-six --out models/six",
)

_SCORES = {
    "dependency": "dev LAS {:.1%} on {} sentences",
    "semantic": "dev exact match {:.1%} of {}",
    "language_modeling": "dev 1 / perplexity {:.2%} on {} documents",
}
"""What stands for the best score on dev, by task kind; else it is an accuracy."""


@app.command(help=_HELP, epilog=_EXAMPLES)
def train(
    suite: shared.SuiteName,
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
    from compat_eval.models.training.data import hold_out
    from compat_eval.models.training.train import require_suited, train_model
    from compat_eval.runner.cache import Cache
    from compat_eval.suite.examples import load_examples
    from compat_eval.suite.load import load_suite

    if seed < 0:
        raise UsageError(f"--seed must be a whole number from 0; got {seed}")
    loaded = load_suite(suite)
    require_suited(model, loaded.task.kind, suite=loaded.name)
    settings = _settings(config, encoder)
    examples = load_examples(loaded, split, data_dir=data_dir, offline=offline)
    aside = _dev_split(loaded, dev, split)
    held: Examples | None = None
    if aside in loaded.data:
        held = load_examples(loaded, aside, data_dir=data_dir, offline=offline)
    elif aside != "none":
        examples, held = hold_out(examples)
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
        data=f"{loaded.name} {loaded.version} {split}, dev {aside}",
        cache=None if folder is None else Cache(folder),
    )
    typer.echo(_summary(record, out, loaded.task.kind))


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

    if dev is None:
        return suite.dev_split(besides=split) or "held out"
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


def _summary(record: Mapping[str, Any], out: Path, kind: str) -> str:
    data = record["data"]
    accuracies = [done.get("dev_accuracy") for done in record["history"]]
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    score = _SCORES.get(kind, "dev accuracy {:.1%} of {}")
    best = ", " + score.format(max(known), data["n_dev"]) if known else ""
    return (
        f"{record['model']}, seed {record['seed']}, {data['n_train']} examples{best}\n"
        f"compat:{out}"
    )
