"""A headless browser with a fresh profile and no way out."""

import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

DARK = {"runOnly": ["color-contrast"]}
AXE = """
const [rules, done] = arguments;
const context = {exclude: [[".flip:nth-child(n+9)"], ["tbody tr:nth-child(n+9)"]]};
axe.run(context, rules).then((found) => done(found.violations.map(
  (one) => [one.id, one.help, ...one.nodes.slice(0, 3).map((node) => node.html)])));
"""
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)


def started(profile: Path) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(str(DRIVER)))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not CHROMIUM or not DRIVER:
        pytest.skip("needs chromium and chromedriver")
    driver = started(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def violations(browser: webdriver.Chrome) -> Callable[[], list[list[str]]]:
    """Return what axe-core finds on a page in light colours, and in dark ones.

    The script comes with a Python package for another driver. Cards look alike, and
    rows: it reads the first eight.
    """
    package = find_spec("axe_playwright_python")
    if package is None or not package.submodule_search_locations:
        pytest.skip("needs axe-core: make test installs axe-playwright-python")
    folder = Path(next(iter(package.submodule_search_locations)))
    axe = (folder / "axe.min.js").read_text("utf-8")

    def found() -> list[list[str]]:
        browser.set_script_timeout(120)
        browser.execute_script(axe)
        every: list[list[str]] = []
        for theme, rules in (("light", {}), ("dark", DARK)):
            browser.execute_script(f"document.getElementById('theme-{theme}').click()")
            every += browser.execute_async_script(AXE, rules)
        return every

    return found
