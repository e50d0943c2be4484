from pathlib import Path

import pytest

from compat_eval.core.errors import UsageError
from compat_eval.core.recorded import Request
from compat_eval.readers.conllu import read_gold
from compat_eval.readers.files import read
from compat_eval.tasks import task

GOLD = """# sent_id = s1
# text = She sleeps
1\tShe\tshe\tPRON\t_\t_\t2\tnsubj\t_\t_
2\tsleeps\tsleep\tVERB\t_\t_\t0\troot\t_\t_

"""


def test_a_parsers_output_is_graded_against_a_gold_treebank(tmp_path: Path) -> None:
    gold, old = tmp_path / "gold.conllu", tmp_path / "old.conllu"
    gold.write_text(GOLD, "utf-8")
    old.write_text(GOLD.replace("2\tnsubj", "2\tobj"), "utf-8")
    asked = read_gold(gold, Request(name="gold.conllu", kind="dependency"))

    side = read(str(old), Request(name="old.conllu", kind="dependency", examples=asked))

    kind = task("dependency")
    las = kind.grade(asked, side.predictions)["las"]
    uas = kind.grade(asked, side.predictions)["uas"]
    assert las.right.tolist() == [False, True]
    assert uas.right.tolist() == [True, True]


def test_without_gold_it_says_what_to_give(tmp_path: Path) -> None:
    path = tmp_path / "old.conllu"
    path.write_text(GOLD, "utf-8")

    with pytest.raises(UsageError, match=r"--gold FILE\.conllu"):
        read(str(path), Request(name="old.conllu", kind="dependency"))
