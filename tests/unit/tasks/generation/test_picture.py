from compat_eval.core.picture import WrittenTree
from compat_eval.tasks.generation.picture import compared, sampled


def trees(drawn: object) -> list[WrittenTree]:
    assert isinstance(drawn, tuple)
    return list(drawn)


def test_samples_stand_with_how_often_they_were_given_and_whether_wrong() -> None:
    old = [("4", True), ("5", False), ("4", True)]
    gold, before, after = trees(sampled("4", old, [(None, False)]).draw())
    assert [(x.label, x.words, x.mark) for x in before.lines] == [
        ("2 ×", "4", ""),
        ("1 ×", "5", "wrong"),
    ]
    assert [(x.label, x.words) for x in after.lines] == [("1 ×", "no answer")]
    assert [x.words for x in gold.lines] == ["4"]


def test_the_end_of_a_long_sample_is_shown() -> None:
    (line,) = trees(sampled("4", [("word " * 99 + "4.", True)], []).draw())[1].lines
    assert line.words.startswith("…")
    assert line.words.endswith("word 4.")


def test_of_two_long_answers_the_lines_that_differ_are_shown() -> None:
    steps = [f"Step {at} of the long way." for at in range(20)]
    picture = compared("4", "\n".join([*steps, "4"]), "\n".join([*steps, "so", "5"]))
    assert picture is not None
    _, old, new = trees(picture.draw())
    assert [(x.label, x.words) for x in old.lines] == [
        ("=", "20 lines that both have"),
        ("≠", "4"),
    ]
    assert [x.words for x in new.lines][1:] == ["so", "5"]


def test_many_lines_that_differ_are_counted() -> None:
    old, new = ("\n".join(f"{x} {at}" for at in range(100)) for x in "ab")
    picture = compared(["4", "four"], old, new)
    assert picture is not None
    gold, before, _ = trees(picture.draw())
    assert len(before.lines) == 13
    assert before.lines[-1].words == "88 more lines"
    assert len(gold.lines) == 2


def test_short_answers_are_read_whole() -> None:
    assert compared("4", "It is 4", "5") is None
    assert compared("4", None, "5") is None
