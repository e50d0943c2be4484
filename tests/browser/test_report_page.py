"""The page as a reviewer uses it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from compat_eval.report.render import render
from tests.unit.report.hostile import HOSTILE
from tests.unit.report.made_mitigation import made_frontier, made_mitigation
from tests.unit.report.made_run import (
    Row,
    calibration,
    estimate,
    gate,
    made_run,
    summary,
    varied_rows,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROWS = varied_rows(2000, broken=60, fixed=80, missed=90)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    hostile = [
        Row(
            id=f"hostile-{i}",
            text=text,
            gold="g",
            old="g",
            new=text + "n",
            old_score=0.1,
            new_score=0.1,
        )
        for i, text in enumerate(t.encode("utf-8", "replace").decode() for t in HOSTILE)
    ]
    task = {
        "calibration": {s: calibration(ROWS, s) for s in ("old", "new")},
        "mitigations": [made_mitigation(summary(ROWS), role="new+one")],
        "frontier": made_frontier({"role": "new+one", "relation": "dominated"}),
    }
    run = made_run([*ROWS, *hostile], gates=[gate()], verdict="fail", task=task)
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(render(run)["report.html"])
    return path.as_uri()


@pytest.fixture
def opened(browser: webdriver.Chrome, page: str) -> webdriver.Chrome:
    browser.get("about:blank")
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    browser.get(page)
    return browser


def shown(browser: webdriver.Chrome) -> int:
    script = "return document.querySelectorAll('.flip:not([hidden])').length"
    return int(browser.execute_script(script))


def press(browser: webdriver.Chrome, button: WebElement) -> None:
    """Click a button below cards that are drawn late, once they move it no more."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    places: list[object] = []

    def stands(_: webdriver.Chrome) -> bool:
        top = "return arguments[0].getBoundingClientRect().top"
        places.append(browser.execute_script(top, button))
        return places[-1:] == places[-2:-1]

    WebDriverWait(browser, 5, poll_frequency=0.1).until(stands)
    button.click()


def status(browser: webdriver.Chrome) -> str:
    return browser.find_element(By.ID, "status").text


def test_it_opens_without_a_word_in_the_console(opened: webdriver.Chrome) -> None:
    assert opened.get_log("browser") == []  # type: ignore[no-untyped-call]
    assert opened.title.startswith("FAIL: toy-intents")


def test_nothing_is_fetched(opened: webdriver.Chrome) -> None:
    script = "return performance.getEntriesByType('resource').map(e => e.name)"

    fetched = opened.execute_script(script)

    assert [name for name in fetched if not name.startswith("data:")] == []


def test_twenty_five_flips_first_then_more_on_request(opened: webdriver.Chrome) -> None:
    assert shown(opened) == 25

    press(opened, opened.find_element(By.ID, "show-all"))

    assert shown(opened) == 60 + 80 + len(HOSTILE)


def test_filters_narrow_the_list(opened: webdriver.Chrome) -> None:
    Select(opened.find_element(By.ID, "by-show")).select_by_value("fixed")

    WebDriverWait(opened, 5).until(lambda b: status(b).startswith("80 examples fit"))
    assert opened.find_elements(By.CSS_SELECTOR, ".flip.broken:not([hidden])") == []


def test_search_finds_text_id_and_label(opened: webdriver.Chrome) -> None:
    opened.find_element(By.ID, "by-q").send_keys("hostile-3")

    assert status(opened).startswith("1 example fits")


def test_reset_shows_all_again(opened: webdriver.Chrome) -> None:
    opened.find_element(By.ID, "by-q").send_keys("nothing says this")
    assert shown(opened) == 0

    opened.find_element(By.CSS_SELECTOR, "#filters button[type=reset]").click()

    WebDriverWait(opened, 5).until(lambda b: shown(b) == 25)


def test_filters_know_of_flips_that_are_not_listed(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    rows = varied_rows(4000, broken=2400, fixed=900, missed=20)
    path = tmp_path / "report.html"
    path.write_bytes(render(made_run(rows))["report.html"])
    browser.get(path.as_uri())
    cell = Select(browser.find_element(By.ID, "by-show"))

    assert status(browser).startswith("1,800 listed of 3,300 examples fit")

    cell.select_by_value("broken")
    assert status(browser).startswith("900 listed of 2,400 examples fit")

    cell.select_by_value("kept")
    assert status(browser).startswith("100 listed of 680 examples fit")

    browser.find_element(By.ID, "by-q").send_keys("nothing says this")
    assert status(browser).startswith("0 of 100 listed examples fit; 0 shown. 580 more")


def test_a_deep_link_shows_its_example(browser: webdriver.Chrome, page: str) -> None:
    browser.get("about:blank")

    browser.get(f"{page}#ex-hostile-0")

    card = browser.find_element(By.ID, "ex-hostile-0")
    assert card.is_displayed()
    WebDriverWait(browser, 5).until(
        lambda b: b.switch_to.active_element.text == "hostile-0"
    )


def test_a_broken_number_leads_to_its_examples_and_back_again(
    opened: webdriver.Chrome,
) -> None:
    row = "//table[@id='forest']//tr[th[.='domain=travel']]//a"
    link = opened.find_element(By.XPATH, row)
    number = int(link.text)
    opened.execute_script("arguments[0].click()", link)
    slices = Select(opened.find_element(By.ID, "by-slice"))

    # The page follows the address a moment after the click.
    WebDriverWait(opened, 10).until(
        lambda _: slices.first_selected_option.text.startswith("travel (")
    )
    assert status(opened).startswith(f"{number} examples fit")
    assert opened.current_url.endswith("#flips?show=broken&slice=domain%3Dtravel")

    opened.back()
    WebDriverWait(opened, 10).until(lambda b: status(b).startswith("154 examples fit"))


def test_an_address_that_was_shared_shows_the_same_list(
    browser: webdriver.Chrome, page: str
) -> None:
    browser.get("about:blank")
    browser.get(f"{page}#flips?show=missed&q=please&view=table")

    rows = "#rows tbody tr"
    WebDriverWait(browser, 10).until(lambda b: b.find_elements(By.CSS_SELECTOR, rows))
    listed = browser.find_elements(By.CSS_SELECTOR, rows)
    assert {row.find_elements(By.TAG_NAME, "td")[0].text for row in listed} == {
        "≠ missed"
    }
    assert not browser.find_element(By.ID, "cards").is_displayed()
    assert status(browser).startswith(f"{len(listed)} ")

    first = listed[0].find_element(By.TAG_NAME, "a")
    name = first.text
    first.click()
    WebDriverWait(browser, 10).until(lambda b: b.switch_to.active_element.text == name)
    assert browser.find_element(By.ID, "cards").is_displayed()


def test_what_is_chosen_stands_in_the_address(opened: webdriver.Chrome) -> None:
    Select(opened.find_element(By.ID, "by-show")).select_by_value("kept")
    opened.find_element(By.ID, "by-q").send_keys("play")

    WebDriverWait(opened, 10).until(
        lambda b: b.current_url.endswith("#flips?show=kept&q=play")
    )
    assert shown(opened) > 0
    assert opened.find_elements(By.CSS_SELECTOR, ".flip.broken:not([hidden])") == []


def test_the_keyboard_goes_from_flip_to_flip(opened: webdriver.Chrome) -> None:
    links = opened.find_elements(By.CSS_SELECTOR, ".flip h3 a")
    opened.execute_script("arguments[0].focus()", links[0])

    opened.switch_to.active_element.send_keys(Keys.ARROW_DOWN)

    assert opened.switch_to.active_element == links[1]


def test_tables_are_sorted_and_say_so(opened: webdriver.Chrome) -> None:
    heading = "//table[@id='forest']//button[.='Examples']"
    button = opened.find_element(By.XPATH, heading)
    opened.execute_script("arguments[0].click()", button)

    cells = opened.find_elements(By.CSS_SELECTOR, "#forest tbody td:nth-child(2)")
    sizes = [int(str(cell.get_attribute("data-v"))) for cell in cells]
    assert sizes == sorted(sizes, reverse=True)
    head = opened.find_element(By.CSS_SELECTOR, "#forest th[aria-sort]")
    assert head.get_attribute("aria-sort") == "descending"


def test_dark_can_be_chosen(opened: webdriver.Chrome) -> None:
    colour = "return getComputedStyle(document.body).backgroundColor"
    opened.execute_script("document.getElementById('theme-dark').click()")

    dark = opened.execute_script(colour)
    opened.execute_script("document.getElementById('theme-light').click()")

    assert dark == "rgb(20, 23, 26)"
    assert opened.execute_script(colour) == "rgb(251, 251, 250)"


def test_without_a_script_every_flip_is_there(
    browser: webdriver.Chrome, page: str
) -> None:
    off = {"value": True}
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", off)
    try:
        browser.get("about:blank")
        browser.get(page)
        cards = browser.find_elements(By.CSS_SELECTOR, ".flip")
        assert len(cards) == 60 + 80 + len(HOSTILE) + 100 + 90
        assert not any(card.get_attribute("hidden") for card in cards)
        assert browser.find_element(By.ID, "filters").get_attribute("hidden")
    finally:
        off = {"value": False}
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", off)


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_the_page_is_never_wider_than_the_window(
    opened: webdriver.Chrome, width: int
) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    wide = opened.execute_script("return document.documentElement.scrollWidth")
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    assert wide <= width


@pytest.mark.parametrize("name", ["table", "long"])
def test_axe_finds_nothing_that_keeps_people_out(
    browser: webdriver.Chrome,
    page: str,
    long: str,
    violations: Callable[[], list[list[str]]],
    name: str,
) -> None:
    pages = {"table": f"{page}#flips?view=table", "long": long}
    browser.get("about:blank")
    browser.get(pages[name])
    WebDriverWait(browser, 10).until(status)

    assert violations() == []


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a page of long texts that differ in a few words."""
    text = "The answer is found step by step. " * 300
    rows = [
        Row(
            id=f"long-{at}",
            text=text,
            gold="yes",
            old="yes",
            new=text.replace("found", "lost", 1) if at else "x" * 2_000_000,
        )
        for at in range(30)
    ]
    path = tmp_path_factory.mktemp("long") / "report.html"
    path.write_bytes(render(made_run(rows, gates=[gate()]))["report.html"])
    assert path.stat().st_size < 1_500_000
    return path.as_uri()


def test_long_texts_unfold(browser: webdriver.Chrome, long: str) -> None:
    browser.get("about:blank")
    browser.get(long)
    fold = browser.find_element(By.CSS_SELECTOR, ".flip .text .fold")
    card = fold.find_element(By.XPATH, "ancestor::article")
    before = card.size["height"]

    browser.execute_script(
        "arguments[0].scrollIntoView({block: 'center'}); arguments[0].open = true", fold
    )

    assert card.size["height"] > before
    assert "more characters" in fold.find_element(By.TAG_NAME, "summary").text


def test_the_wide_tables_fit_a_window_of_1200_pixels(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    method = "wider-of-wilson-effective-n-and-linearised"
    reason = "the lower bound 0.04192 (one-sided, alpha 0.01667) proves nothing"
    made = estimate(0.047, 0.042, 0.052, method=method)
    long = gate(estimate=made, reason=reason, bound=0.04192, slice="s=" + "x" * 100)
    path = tmp_path / "report.html"
    path.write_bytes(render(made_run(ROWS, gates=[long] * 3))["report.html"])
    browser.set_window_size(1200, 1000)

    browser.get(path.as_uri())
    hidden = browser.execute_script(
        "return [...document.querySelectorAll('main .scroll')]"
        ".map((box) => box.scrollWidth - box.clientWidth)"
    )

    assert len(hidden) > 2
    assert set(hidden) == {0}
