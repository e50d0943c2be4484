# ruff: noqa: INP001 - a script, no package
"""Write docs/images/report.png: the head of a report, as Debian's Chromium shows it.

Run `python docs/picture.py [REPORT.html]`; by default it is the report of the
classification experiment.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "experiments" / "classification" / "report.html"
PICTURE = ROOT / "docs" / "images" / "report.png"
WIDTH, HEIGHT = 1360, 1400


def main() -> None:
    """Take the picture; say what is missing where it cannot be taken."""
    report = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else REPORT
    browser = shutil.which("chromium")
    if browser is None or not report.is_file():
        sys.exit(f"needs chromium, and a report: {report}")
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
