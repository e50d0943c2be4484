from compat_eval.models.parsing.samples import Samples, sentence_seeds
from compat_eval.models.parsing.sentence import Sentence

A = Sentence(("a",), ("X",))
OTHER = Sentence(("a", "b"), ("X", "X"))


def test_seeds_follow_from_the_words_and_the_sample() -> None:
    # 0xE8B7BE43 is the published CRC-32 of "a".
    found = sentence_seeds([A], [0, 5]).tolist()

    assert found == [[0xE8B7BE43 * 2**31, 0xE8B7BE43 * 2**31 + 5]]


def test_seeds_do_not_depend_on_neighbours() -> None:
    together = sentence_seeds([OTHER, A], [1, 2])

    assert together[1].tolist() == sentence_seeds([A], [1, 2])[0].tolist()
    assert together[0].tolist() != together[1].tolist()


def test_samples_are_read_in_groups_of_about_2000_tokens() -> None:
    samples = Samples(p=0.1, seeds=(1, 2, 3, 4, 5), shared_encoder=True)

    seeds = [group.seeds for group in samples.groups(900)]

    assert seeds == [(1, 2), (3, 4), (5,)]
    assert [group.seeds for group in samples.groups(5000)] == [
        (seed,) for seed in samples.seeds
    ]
    assert [one.seeds for one in samples.apart()] == [(seed,) for seed in samples.seeds]
    assert all(group.shared_encoder for group in samples.groups(900))
