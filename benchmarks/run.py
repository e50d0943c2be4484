"""Every benchmark, one after the other, and the page of their results.

    python benchmarks/run.py [NAME ...]

Each is a program of its own as well. One that fails is said so at the end; the
others' rows are still written.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from page import write_page

BENCHMARKS = (
    "start_up",
    "file_compare",
    "log_samples",
    "warm_rerun",
    "hf_throughput",
    "lm_scoring",
    "token_budget",
    "training_step",
    "parser_costs",
    "parser_evaluation",
)


def main() -> int:
    """Run them; return 1 where one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or BENCHMARKS
    unknown = sorted({*names} - {*BENCHMARKS})
    if unknown:
        parser.error(f"no {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        done = subprocess.run([sys.executable, str(script)], check=False)
        if done.returncode:
            failed.append(name)
    print(f"wrote {write_page()}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
