"""What the list of methods costs."""

import subprocess
import sys

_LISTED = """
import sys
from compat_eval.mitigations import MITIGATIONS
for name in MITIGATIONS.builtin:
    MITIGATIONS.load(name)
print([one for one in ("torch", "transformers", "sklearn") if one in sys.modules])
"""


def test_methods_are_known_without_what_computes_them() -> None:
    # `mitigate --help` and `schema` load every method for its settings.
    done = subprocess.run(
        [sys.executable, "-c", _LISTED], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
