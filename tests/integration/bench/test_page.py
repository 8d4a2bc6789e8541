# SPDX-License-Identifier: Apache-2.0
"""The page that `kiste-bench report --html` writes, in a real browser."""

import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from bench_program import REPOSITORY, Bench
from browser import Browser

HOSTILE = '</script><script>document.documentElement.dataset.owned="yes"</script><img src=x onerror=alert(1)>"\'&'
IS_LIGHT = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]) > 128"
SCHEMA = re.search(r'R"sql\((.*?)\)sql"', (REPOSITORY / "src/bench/record/schema.h").read_text(), re.DOTALL).group(1)


def write_record(path):
    """Three targets, one of them missing; plain metrics, a function of x, findings and gaps; and names that would be code."""
    record = sqlite3.connect(path)
    record.executescript(SCHEMA + "PRAGMA user_version = 1;")
    record.execute("INSERT INTO run VALUES (1, 'page', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z', ?, 7, 4, '0')", (HOSTILE,))
    record.execute("INSERT INTO host VALUES (1, 'kernel', ?)", (HOSTILE,))
    for number, name in enumerate(["bare", "runc", HOSTILE, "a-name-that-is-longer-than-most-of-them"]):
        record.execute("INSERT INTO target VALUES (?, 1, ?, ?, ?, 'none', '1', ?, ?, '')",
                       (number + 1, number, name, HOSTILE, int(number == 0), "not here" if number == 3 else None))
    for number, (name, axiom) in enumerate([("speed", "performance"), (HOSTILE, "temporal"), ("spatial", "spatial")]):
        record.execute("INSERT INTO workload VALUES (?, 1, ?, ?, ?, ?, 'command', NULL, '')", (number + 1, number, name, HOSTILE, axiom))
    trial = 0
    for round_number in range(1, 5):
        for target in range(1, 4):
            for workload in range(1, 4):
                trial += 1
                record.execute("INSERT INTO trial VALUES (?, 1, ?, ?, ?, ?, '', 5, 'ok', NULL, 0, 0, 0)", (trial, target, workload, round_number, trial))
                if workload == 3:
                    record.execute("INSERT INTO finding VALUES (?, 'files/secret', ?, ?)", (trial, "sees" if target == 1 else "closed", HOSTILE))
                    record.execute("INSERT INTO gap VALUES (?, ?, ?)", (trial, HOSTILE, HOSTILE))
                    continue
                record.execute("INSERT INTO value VALUES (?, 'boot', 'ns', NULL, NULL, ?)", (trial, 1e6 * target + round_number))
                record.execute("INSERT INTO value VALUES (?, ?, '1/s', NULL, NULL, ?)", (trial, HOSTILE, 0))
                for x in (0, 1, 1000, 1000000):
                    record.execute("INSERT INTO value VALUES (?, 'grow', 'B', 'bytes', ?, ?)", (trial, x, 100 * target + x))
    record.commit()
    record.close()


@pytest.fixture
def page(workspace):
    bench = Bench(workspace)
    if not bench.program.exists():
        pytest.skip(f"{bench.program} is not there: build it first")
    write_record(bench.record)
    bench.ok("report", "--html", "page.html")
    return workspace / "page.html"


@pytest.fixture
def browser(workspace):
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    browser = Browser(program, workspace / "profile")
    yield browser
    browser.close()


def test_without_scripts_everything_is_there(page):
    text = page.read_text()
    body = text.partition('<script type="application/json"')[0]
    assert body.count("<svg") == 6 and body.count("<table") >= 4
    assert "<script" not in body and "onerror=alert" in body and "<img" not in body
    for outside in ("http://", "https://", "@import", "url("):
        assert outside not in text.replace("http://www.w3.org/2000/svg", ""), outside


def open_page(browser, page, width, scheme):
    """Opens it, and looks at what must be true of every page."""
    browser.size(width, 800)
    browser.colours(scheme)
    browser.open(page.as_uri())
    assert browser.evaluate("document.documentElement.dataset.ready") == "yes"
    assert browser.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)") <= width
    assert browser.evaluate(IS_LIGHT) == (scheme == "light")


def assert_quiet(browser, page):
    assert browser.requests() == [page.as_uri()]
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(browser, page, width, scheme):
    open_page(browser, page, width, scheme)
    assert browser.evaluate("document.documentElement.dataset.owned || ''") == ""
    # The theme can be turned over by hand.
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate(IS_LIGHT) == (scheme == "dark")
    assert_quiet(browser, page)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_example_in_a_browser(browser, width, scheme):
    """A whole run with all targets and workloads."""
    page = REPOSITORY / "docs/bench-example/page.html"
    open_page(browser, page, width, scheme)
    assert browser.evaluate("document.querySelectorAll('figure svg').length") > 20
    assert_quiet(browser, page)


def test_the_controls(browser, page):
    browser.size(1280, 800)
    browser.open(page.as_uri())
    first = "document.querySelector('figure[data-chart] svg')"
    assert "3.00 ms" in browser.evaluate(f"{first}.textContent")
    browser.evaluate("document.querySelector('input[name=values][value=true]').click()")
    assert "×3.00" in browser.evaluate(f"{first}.textContent") and "3.00 ms" not in browser.evaluate(f"{first}.textContent")
    before = browser.evaluate(f"{first}.innerHTML")
    browser.evaluate("document.querySelector('input[name=scale][value=false]').click()")
    assert browser.evaluate(f"{first}.innerHTML") != before
    browser.evaluate("document.querySelector('input[type=checkbox][value=runc]').click()")
    assert "runc" not in browser.evaluate(f"{first}.textContent")
    # A row tells more when it is pointed at, or reached by the keyboard.
    browser.evaluate(f"{first}.querySelector('g[tabindex]').focus()")
    assert "4 rounds" in browser.evaluate("document.getElementById('tip').textContent")
    assert browser.evaluate("document.querySelector('td.v').getAttribute('aria-label')")
    assert browser.complaints() == []
