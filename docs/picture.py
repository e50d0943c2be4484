# ruff: noqa: INP001 - a script, no package
"""Write docs/images/report.png: the head of a report, as Debian's Chromium shows it.

Two files hold what the demo's models answer; README's gate judges them.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "report.png"
WIDTH, HEIGHT = 1280, 1080


def main() -> None:
    """Take the picture; say what is missing where it cannot be taken."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.exit("needs chromium")
    with tempfile.TemporaryDirectory() as folder:
        _take(browser, _report(Path(folder)))


def _report(folder: Path) -> Path:
    suite = ("--suite", "library-desk")
    _run(folder, "demo", "--out", "demo")
    for side in ("old", "new"):
        model = f"demo-models/{side}-tfidf-1"
        _run(folder, "predict", model, *suite, "--out", f"{side}.csv")
    (folder / "gates.yaml").write_text("gates: [{quantity: nfr, at_most: 1%}]\n")
    files = ("old.csv", "new.csv", "--gates", "gates.yaml")
    _run(folder, "compare", *files, *suite, "--out", "run", fails=True)
    return folder / "run" / "report.html"


def _run(folder: Path, *words: str, fails: bool = False) -> None:
    command = [sys.executable, "-m", "compat_eval", *words]
    done = subprocess.run(command, cwd=folder, check=False)  # noqa: S603 - our own program
    if done.returncode != fails:
        sys.exit(f"{words[0]} ended with {done.returncode}")


def _take(browser: str, report: Path) -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    subprocess.run(  # noqa: S603 - a program of the system, on our own file
        [
            browser,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--window-size={WIDTH},{HEIGHT}",
            f"--screenshot={PICTURE}",
            report.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )


if __name__ == "__main__":
    main()
