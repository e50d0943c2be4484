import base64
import hashlib
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import pytest

from compat_eval.report.cards import MOST_SAMPLED, Deck, deck, listed
from compat_eval.report.render import render
from compat_eval.report.results import read_results
from tests.fakes import judged
from tests.unit.report.hostile import ACTS, HOSTILE
from tests.unit.report.made_mitigation import made_mitigation
from tests.unit.report.made_run import (
    Row,
    calibration,
    estimate,
    gate,
    made_run,
    share,
    varied_rows,
)

ROWS = varied_rows(1000, broken=13, fixed=26, missed=50)
VOID = {"meta", "link", "input", "br"}
SVG_EMPTY = {"rect", "line", "circle", "path", "polyline"}


class Reader(HTMLParser):
    """Collects elements, ids and text; checks that everything closes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def ids(self) -> list[str]:
        return [a["id"] or "" for _, a in self.tags if "id" in a]


def page(rows: Any = ROWS, **more: Any) -> str:
    return render(made_run(rows, **more))["report.html"].decode()


def deck_of(rows: Sequence[Row]) -> Deck:
    results = read_results(made_run(rows))
    return deck(results, listed(results))


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def words(html: str) -> str:
    return re.sub(r"\s+", " ", "".join(read(html).text)).replace("\xa0", " ")


def full_task() -> dict[str, Any]:
    metric = {
        "better": "higher",
        "description": "Mean F1.",
        "old": estimate(0.9, 0.89, 0.91),
        "new": estimate(0.92, 0.91, 0.93),
        "change": estimate(0.02, 0.01, 0.03),
    }
    return {
        "calibration": {s: calibration(ROWS, s) for s in ("old", "new")},
        "metrics": {"macro_f1": metric},
        "noise": {
            "flips": 2,
            "examples": 1000,
            "floor": share(2, 1000),
            "margin_envelope": 0.05,
            "what": "half the batch size",
        },
        "fragility": {
            "noise_band": 3,
            "labels_to_overturn": 4,
            "reason": None,
            "suspects": ["test-00004"],
        },
        "labels": {
            "only_old": [],
            "only_new": ["joke"],
            "missing_old": [],
            "missing_new": [],
        },
        "slice_search": [
            {
                "slice": "word=freeze",
                "units": 120,
                "broken": 11,
                "rate": 11 / 120,
                "rest_rate": 0.002,
                "p_value": 0.0001,
                "q_value": 0.002,
            }
        ],
    }


def test_the_verdict_says_what_happened_to_a_manager() -> None:
    text = words(page(gates=[gate()], verdict="fail"))

    assert (
        "13 of 1,000 examples broke, 26 were fixed. The negative flip rate is 1.3 % "
        "(95 % interval 0.8–2.2 %); the gate allows 0.5 %." in text
    )


def test_an_undecided_gate_says_how_many_examples_are_missing() -> None:
    text = words(
        page(
            gates=[gate("inconclusive", fresh_examples=1549, fresh_power=0.847)],
            verdict="inconclusive",
        )
    )

    assert "the evidence does not decide" in text
    assert "fresh sample of 1,549 examples" in text


def test_without_gates_the_page_says_that_nothing_was_judged() -> None:
    assert "No gates were set, so nothing was judged." in words(page())


def test_a_full_page_has_its_sections_in_order() -> None:
    ids = read(page(gates=[gate()], verdict="fail", task=full_task())).ids

    sections = [i for i in ids if i in SECTIONS]
    assert sections == SECTIONS


SECTIONS = [
    "verdict",
    "gates",
    "counts",
    "flips",
    "slices",
    "flow",
    "calibration",
    "metrics",
    "doubts",
    "coverage",
    "provenance",
]


def test_every_flip_is_listed_and_every_id_is_unique() -> None:
    reader = read(page())

    cards = [i for i in reader.ids if i.startswith("ex-")]
    assert len(cards) == 13 + 26 + 100 + 50
    assert len(set(reader.ids)) == len(reader.ids)


@pytest.mark.parametrize(
    ("score", "noise", "expected"),
    [
        (0.5, None, "first, those with the highest score of the new model at the top."),
        (None, None, "first, otherwise they stand in the order of the data."),
        (0.5, 0.9, "model at the top, and those in the noise band below the others."),
    ],
    ids=["scores", "no scores", "noise"],
)
def test_the_page_says_in_which_order_the_flips_stand(
    score: float | None, noise: float | None, expected: str
) -> None:
    rows = [Row(id="a", text="t", gold="g", old="g", new="n", new_score=score)]
    floor = {"flips": 1, "changed": 1, "examples": 1, "floor": share(1, 1)}
    found = {**floor, "margin_envelope": noise, "what": "again"} if noise else None

    assert expected in words(page(rows, task={"noise": found}))


def test_links_within_the_page_lead_somewhere() -> None:
    reader = read(page(gates=[gate()], verdict="fail", task=full_task()))

    targets = [a["href"] for tag, a in reader.tags if tag == "a"]
    assert all(
        t and t.startswith("#") and t[1:].split("?")[0] in reader.ids for t in targets
    )


def test_the_policy_allows_the_one_script_and_style_and_nothing_else() -> None:
    html = page()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    allowed = policy[1].replace("&#39;", "'")

    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = hashlib.sha256(content.encode()).digest()
        assert f"{tag}-src 'sha256-{base64.b64encode(digest).decode()}'" in allowed
    assert "default-src 'none'" in allowed
    assert "unsafe" not in allowed


def test_nothing_is_fetched_and_no_attribute_is_code() -> None:
    for _, attributes in read(page(gates=[gate()], task=full_task())).tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        for name in ("src", "href", "action", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))


def test_tables_have_captions_and_drawings_have_names() -> None:
    html = page(gates=[gate()], verdict="fail", task=full_task())
    reader = read(html)

    tags = [tag for tag, _ in reader.tags]
    assert tags.count("table") == tags.count("caption")
    for tag, attributes in reader.tags:
        if tag == "svg":
            assert "aria-hidden" in attributes or attributes.get("aria-label")


def test_undefined_is_said_with_its_reason() -> None:
    rows = [Row(id="a", text="t", gold="x", old="x", new="x")]

    assert "undefined (new makes no error)" in words(page(rows))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field_stays_text(text: str) -> None:
    field = text.encode("utf-8", "replace").decode()
    row = Row(
        id=field + "id",
        text=field,
        gold=field + "g",
        old=field + "g",
        new=field + "n",
        new_error=field,
        slices={"s": field},
    )
    plain = [Row(id="id", text="t", gold="g", old="g", new="n", slices={"s": "v"})]
    more: dict[str, Any] = {"gates": [gate()], "verdict": "fail"}
    manifest = {"old": {"reference": text}, "new": {"reference": text}, "x": [text]}
    hostile = {
        "gates": [gate(slice=text, reason=text, semantics=text)],
        "verdict": "fail",
        "suite": text,
        "notes": [text],
        "manifest": manifest,
    }

    html = page([row], **hostile)

    expected = {tag for tag, _ in read(page(plain, notes=["n"], **more)).tags}
    assert {tag for tag, _ in read(html).tags} <= expected | {"small", "mark"}
    assert not ACTS.search(html)


def test_texts_of_a_megabyte_are_cut_and_the_page_says_how_to_get_them() -> None:
    rows = [
        Row(id=f"e{i}", text="x" * 1_000_000, gold="g", old="g", new="n" * 1_000_000)
        for i in range(3)
    ]

    html = page(rows)

    assert len(html) < 200_000
    assert "more characters" in html
    assert "compat-eval diff RUN --id ID --full" in html


def test_ten_thousand_examples_with_a_thousand_flips_fit_in_two_megabytes() -> None:
    rows = varied_rows(10_000, broken=400, fixed=600, missed=500)

    html = page(rows, gates=[gate()], verdict="fail")

    assert html.count("<article") == 1000 + 2 * MOST_SAMPLED
    assert len(html.encode()) <= 2_000_000


def test_long_texts_of_a_thousand_flips_fit_too() -> None:
    rows = [
        Row(id=f"e{i}", text="wörd " * 200, gold="g", old="g", new="n " * 60)
        for i in range(1000)
    ]

    assert len(page(rows).encode()) <= 2_000_000


def test_filters_count_what_is_listed_and_what_there_is() -> None:
    rows = varied_rows(4000, broken=1500, fixed=1700, missed=20)
    deck = deck_of(rows)

    assert [one.text for one in deck.cells] == [
        "broken and fixed (1,800 listed of 3,200)",
        "broken (900 listed of 1,500)",
        "fixed (900 listed of 1,700)",
        "kept (100 listed of 780)",
        "missed (20)",
        "all of them (1,920 listed of 4,000)",
    ]
    groups = {one.name: one.groups for one in deck.filters}
    assert list(groups) == ["slice", "gold", "pair"]
    for choices in (c for found in groups.values() for c in found.values()):
        assert all(" listed of " in one.text for one in choices if one.of != "0")
    assert sum(int(one.of) for one in groups["gold"][""]) == 3200
    assert "900 of 1,500 broken and 900 of 1,700 fixed" in deck.left_out


def test_choices_of_numbers_stand_in_their_order() -> None:
    rows = [
        Row(id=size, text="t", gold="a", old="a", new="b", slices={"words": size})
        for size in ("11-20", "0-5", "21+", "6-10")
    ]

    (choices,) = deck_of(rows).filters[0].groups.values()

    sizes = [choice.text.partition(" ")[0] for choice in choices]
    assert sizes == ["0-5", "6-10", "11-20", "21+"]


def test_the_same_run_gives_the_same_bytes() -> None:
    more: dict[str, Any] = {"gates": [gate()], "task": full_task()}

    assert render(made_run(ROWS, **more)) == render(made_run(ROWS, **more))


def test_long_answers_show_where_they_differ() -> None:
    old = "SELECT name FROM singer WHERE age > 20 ORDER BY age"
    row = Row(id="a", text="q", gold=old, old=old, new=old.replace("singer", "band"))

    html = page([row])

    assert "<mark>singer </mark>" in html
    assert "<mark>band </mark>" in html


def test_a_number_of_broken_examples_leads_to_them() -> None:
    html = page(ROWS)

    assert '<strong><a href="#flips?show=broken">13</a></strong>' in html
    assert 'href="#flips?show=broken&amp;slice=domain%3Dtravel"' in html


def test_what_cannot_be_chosen_has_no_address() -> None:
    deck = deck_of(ROWS)

    assert deck.link("broken", slice="domain=nowhere") == ""
    assert deck.link("worse") == deck.link("broken") == "#flips?show=broken"
    assert deck.link("fixed", level="example") == "#flips?show=fixed"


def test_long_texts_are_folded_and_longer_ones_cut_with_their_number() -> None:
    text = "word " * 1000
    row = Row(id="a", text=text, gold="g", old="g", new=text * 2000)

    html = page([row])

    assert "4,400 more characters</summary>" in html
    assert "more characters</small>" in html
    assert len(html) < 300_000


def test_label_suspects_are_none_only_where_both_models_gave_scores() -> None:
    unscored = Row(id="a", text="q", gold="g", old="g", new="n", new_score=None)

    assert "None: in no example do both models give the same wrong" in words(page())
    assert "Not searched: that takes scores of both" in words(page([unscored]))


def test_long_folders_that_both_share_are_left_out_of_the_title() -> None:
    folder = "/a/very/long/folder/of/somebody/"
    names = {
        "old": {"reference": f"{folder}v1/m"},
        "new": {"reference": f"{folder}v2/m"},
    }

    head = words(page(manifest={"roles": names})).partition("examples ·")[0]

    assert "v1/m → New v2/m" in head


def test_two_sides_of_one_file_are_told_apart_by_what_was_chosen() -> None:
    names = {side: {"reference": "both.csv"} for side in ("old", "new")}
    chosen = {"old_keep": {"model": "march"}, "new_fields": {"prediction": "june"}}

    head = words(page(manifest={"roles": names, "options": chosen}))

    assert "both.csv: march → New both.csv: june" in head


def test_protected_examples_are_named() -> None:
    protected = gate(
        quantity="protected",
        semantics="protected",
        ids=["a"],
        limit=0.0,
        p_value=None,
        alpha=None,
        estimate=estimate(1.0, n=1, method="count"),
        reason="1 of 1 protected examples broke: a",
    )

    text = words(page(gates=[protected], verdict="fail"))

    assert "1 of 1 protected examples broke: a; none may break." in text


def test_mitigations_have_a_section_only_where_there_are_any() -> None:
    summary = judged(made_run(ROWS).comparison)["levels"]["example"]
    one = made_mitigation(summary, name="bcr:k=5")

    assert 'id="mitigations"' not in page()
    assert "bcr:k=5" in words(page(task={"mitigations": [one]}))
