"""Progress of mitigations, as a user reads it."""

from compat_eval.core.progress import Silence
from compat_eval.workflows.progress import NamedProgress, SweepProgress


class Labels(Silence):
    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        self.said.append(label)

    def note(self, message: str) -> None:
        self.said.append(message)


def test_each_stretch_says_which_setting_and_how_long_the_rest_takes() -> None:
    shown, times = Labels(), iter([0.0, 1.0, 61.0, 70.0])
    sweep = SweepProgress(shown, name="focal", total=4, clock=lambda: next(times))

    with sweep.setting("beta=1"):  # stored: it says nothing of the others
        sweep.start("epoch 1", total=10)
    with sweep.setting("beta=2"):
        sweep.start("epoch 1", total=10)
        sweep.advance(10)
    with sweep.setting("beta=5"):
        sweep.start("focal: epoch 1", total=10)

    assert shown.said == [
        "focal 1 of 4 (beta=1): epoch 1",
        "focal 2 of 4 (beta=2): epoch 1",
        "focal 3 of 4 (beta=5), 60 s each, about 2 min left: epoch 1",
    ]


def test_what_all_settings_note_is_said_once() -> None:
    shown = Labels()
    sweep = SweepProgress(shown, name="focal", total=2)

    for words in ("beta=1", "beta=2"):
        with sweep.setting(words):
            sweep.note("OLD does not know 3 labels")

    assert shown.said == ["OLD does not know 3 labels"]


def test_a_trained_model_is_called_by_its_recipe() -> None:
    shown = Labels()
    named = NamedProgress(shown, "/cache/trained/ab", "distill")

    named.start("epoch 1", total=1)
    named.start("compat:/cache/trained/ab: encoding", total=1)
    named.note("/cache/trained/ab: trained before")

    assert shown.said == [
        "distill: epoch 1",
        "compat:distill: encoding",
        "distill: trained before",
    ]
