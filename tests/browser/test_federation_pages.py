"""Pages of federations and of sweeps as a reviewer sees them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver

from compat_eval.report.federations.render import render_federation, render_sweep
from tests.unit.report.made_federation import federation_content, sweep_results

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("federations")
    made = {
        "federation": render_federation(federation_content(folder / "stream")),
        "sweep": render_sweep(sweep_results()),
    }
    for name, files in made.items():
        (folder / f"{name}.html").write_bytes(files["report.html"])
    return {name: (folder / f"{name}.html").as_uri() for name in made}


@pytest.mark.parametrize("name", ["federation", "sweep"])
def test_pages_open_quietly_and_fit_every_window(
    browser: webdriver.Chrome, pages: dict[str, str], name: str
) -> None:
    browser.get("about:blank")
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    for width in (1300, 800, 420):
        browser.set_window_size(width, 900)
        browser.get(pages[name])
        wide = browser.execute_script(
            "return document.documentElement.scrollWidth - window.innerWidth"
        )
        assert wide <= 0, width
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["federation", "sweep"])
def test_text_stands_out_in_both_colours(
    browser: webdriver.Chrome, pages: dict[str, str], name: str, theme: str
) -> None:
    browser.get(pages[name])
    browser.execute_script(f"document.getElementById('theme-{theme}').checked = true")
    faint = browser.execute_script(CONTRAST)
    assert faint == []


@pytest.mark.parametrize("name", ["federation", "sweep"])
def test_axe_finds_nothing_that_keeps_people_out(
    browser: webdriver.Chrome,
    pages: dict[str, str],
    violations: Callable[[], list[list[str]]],
    name: str,
) -> None:
    browser.get(pages[name])

    assert violations() == []
