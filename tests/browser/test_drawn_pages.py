"""Pages of parses and of semantic trees as a reviewer sees them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from compat_eval.report.render import render
from tests.unit.report.hostile import HOSTILE
from tests.unit.report.parsed_run import (
    UTTERANCES,
    parsed_run,
    run_of,
    semantic_run,
    sentences,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")
DRAWN_CONTRAST = CONTRAST.replace(
    'element.closest("svg")', '!element.matches(".arcs text")'
).replace("(element).color", "(element).fill")
HOSTILE_WORD = HOSTILE[0] + HOSTILE[1]
OVERLAPS = """
const boxes = [...document.querySelectorAll('.arcs')].map((drawing) =>
  [...drawing.querySelectorAll('text')].map((text) => text.getBoundingClientRect()));
return boxes.flatMap((row) => row.flatMap((a, i) => row.slice(i + 1).filter((b) =>
  a.left < b.right - 1 && b.left < a.right - 1 &&
  a.top < b.bottom - 6 && b.top < a.bottom - 6))).length;
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    broken = [UTTERANCES[1][0].replace("party", "</bdi><script>x</script>")]
    runs = {
        "parses": parsed_run("las", "uas", "ucm"),
        "long": run_of(sentences(12, size=40), "las"),
        "hostile": run_of(
            sentences(4, size=6, word=HOSTILE_WORD, relation="<b>:</svg>"),
            "las",
        ),
        "trees": semantic_run(list(UTTERANCES[1]), [*broken, *UTTERANCES[1][1:]]),
    }
    folder = tmp_path_factory.mktemp("drawn")
    for name, run in runs.items():
        (folder / f"{name}.html").write_bytes(render(run)["report.html"])
    return {name: (folder / f"{name}.html").as_uri() for name in runs}


@pytest.mark.parametrize("name", ["parses", "long", "hostile", "trees"])
def test_drawn_pages_open_quietly_and_fit_every_window(
    browser: webdriver.Chrome, pages: dict[str, str], name: str
) -> None:
    browser.get("about:blank")
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    browser.get(pages[name])

    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
    for width in (360, 800, 1400):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("name", ["parses", "long"])
def test_no_label_lies_on_another(
    browser: webdriver.Chrome, pages: dict[str, str], name: str
) -> None:
    browser.get(pages[name])

    assert browser.execute_script(OVERLAPS) == 0


def test_long_sentences_scroll_by_keyboard_in_their_own_box(
    browser: webdriver.Chrome, pages: dict[str, str]
) -> None:
    browser.get(pages["long"])
    box = browser.find_element(By.CSS_SELECTOR, ".arcs")

    inside = browser.execute_script(
        "return [arguments[0].scrollWidth, arguments[0].clientWidth]", box
    )

    assert inside[0] > inside[1]
    assert box.get_attribute("tabindex") == "0"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["parses", "trees"])
def test_drawings_have_enough_contrast(
    browser: webdriver.Chrome, pages: dict[str, str], name: str, theme: str
) -> None:
    browser.get(pages[name])
    browser.execute_script(f"document.getElementById('theme-{theme}').click()")

    assert browser.execute_script(DRAWN_CONTRAST) == []


@pytest.mark.parametrize("name", ["parses", "trees"])
def test_axe_finds_nothing_that_keeps_people_out(
    browser: webdriver.Chrome,
    pages: dict[str, str],
    violations: Callable[[], list[list[str]]],
    name: str,
) -> None:
    browser.get(pages[name])

    assert violations() == []


def test_flips_are_found_by_their_words(
    browser: webdriver.Chrome, pages: dict[str, str]
) -> None:
    browser.get(pages["parses"])
    browser.find_element(By.ID, "by-q").send_keys("det ← saw")

    status = browser.find_element(By.ID, "status").text
    assert status.startswith("1 example fits")


def test_a_sentence_with_words_of_both_kinds_fits_either_filter(
    browser: webdriver.Chrome, pages: dict[str, str]
) -> None:
    browser.get(pages["parses"])

    for cell, number in (("broken", 1), ("fixed", 2)):
        Select(browser.find_element(By.ID, "by-show")).select_by_value(cell)
        cards = browser.find_elements(By.CSS_SELECTOR, ".flip:not([hidden])")
        assert len(cards) == number


def test_what_scrolls_is_shaded_where_more_is_hidden_and_its_bar_stays(
    browser: webdriver.Chrome, pages: dict[str, str]
) -> None:
    browser.get(pages["long"])

    box = browser.find_element(By.CSS_SELECTOR, ".arcs")
    bar = browser.execute_script(
        "return arguments[0].offsetHeight - arguments[0].clientHeight", box
    )
    shade = box.value_of_css_property("background-attachment")

    assert bar > 0
    assert shade == "local, local, scroll, scroll, scroll"
