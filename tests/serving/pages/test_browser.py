"""The page in a real browser: type, load, change a unit, see the risk change, print."""

import json
import re
import socket
import threading
import time

import pyarrow as pa
import pyarrow.parquet
import pytest
from lnrisk.serving.app import create_app
from lnrisk.serving.operation import Operation, operate
from lnrisk.serving.settings import Settings
from records import bundle, observation
from served import patient, small_model, upcr
from test_fhir import records
from visits import typed

LOW = [("2015-05-27", 300), ("2015-07-10", 225), ("2015-08-20", 200), ("2015-10-20", 290)]
"""UPCR that are possible in mg/g and in mg/mmol."""


@pytest.fixture(scope="module")
def address():
    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    model = small_model()
    app = operate(create_app(model, Settings()), model, Operation())
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def page(chromium, address):
    """A page; whatever it asks of another host, or complains about, fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page, asked, complaints = context.new_page(), [], []
    context.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    yield page
    assert [url for url in asked if not url.startswith(address)] == []
    assert [text for text in complaints if "422" not in text] == []
    assert context.cookies() == []
    kept = "Object.keys(localStorage).length + Object.keys(sessionStorage).length"
    assert page.evaluate(kept) == 0
    assert page.evaluate("indexedDB.databases().then((found) => found.length)") == 0
    assert "?" not in page.url
    context.close()


def number(page):
    return page.locator(".number strong").inner_text()


def fill(page, fields):
    for name, text in fields.items():
        field = page.locator(f'[name="{name}"]')
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)


def test_type_a_patient_change_a_unit_and_see_the_risk_change(page):
    results = [upcr(date, value, "mg/g") for date, value in LOW]
    fields = typed(patient(events=[], measurements=results))
    fill(page, fields)
    page.get_by_role("button", name="Assess", exact=True).click()
    page.wait_for_selector(".answered")
    before = number(page)
    assert re.fullmatch(r"\d+ in 100", before)
    assert page.locator(".person.marked").count() == int(before.split()[0])
    for row in range(len(results)):
        page.locator(f'[name="measurements.{row}.unit"]').select_option("mg/mmol")
    page.wait_for_function(
        "before => document.querySelector('.number strong').innerText !== before", arg=before
    )
    assert page.locator('[name="measurements.0.value"]').input_value() == "300"
    page.wait_for_function(
        "() => document.querySelector('svg.timeline').textContent.includes('mg/mmol')"
    )
    assert number(page) in page.locator("#live").inner_text()


def test_add_a_row(page):
    rows = page.locator(".measurements .row")
    before = rows.count()
    page.locator('[data-add="measurements"]').click()
    assert rows.count() == before + 1
    assert page.evaluate("document.activeElement.name") == f"measurements.{before}.date"
    assert rows.last.get_attribute("aria-label") == f"Results, row {before + 1}"
    names = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(names) == len(set(names))


def test_load_the_example(page):
    page.get_by_role("button", name="Load the worked example").click()
    page.wait_for_selector(".answered")
    assert page.get_by_text("made-up patient").first.is_visible()
    page.get_by_role("link", name="New patient").click()
    page.wait_for_selector(".empty")
    assert page.locator('[name="measurements.0.value"]').input_value() == ""


def test_another_analyte_brings_its_own_units(page):
    page.locator('[name="measurements.0.analyte"]').select_option("anti_dsdna")
    units = page.locator('[name="measurements.0.unit"] option')
    assert units.all_inner_texts() == ["IU/mL"]
    page.locator('[name="treatments.0.drug"]').select_option("obinutuzumab")
    assert page.locator('[name="treatments.0.dose_unit"]').input_value() == "mg"


def test_open_a_file_and_be_told_what_is_wrong_with_it(page, tmp_path):
    given = patient()
    given["measurements"][0]["unit"] = "mg/L"
    (tmp_path / "patient.json").write_text(json.dumps(given), encoding="utf-8")
    page.locator('[name="files"]').set_input_files(tmp_path / "patient.json")
    page.get_by_role("button", name="Open", exact=True).click()
    page.wait_for_selector(".errors")
    assert page.evaluate("document.activeElement.className") == "errors"
    page.locator(".errors a").first.click()
    wrong = page.locator('[name="measurements.0.unit"]')
    assert wrong.get_attribute("aria-invalid") == "true"
    wrong.select_option("g/g")
    page.get_by_role("button", name="Assess", exact=True).click()
    page.wait_for_selector(".answered")


def test_open_a_bundle_of_fhir_and_be_told_what_was_not_used_of_it(page, tmp_path):
    content = bundle(*records(observation("upcr", "2015-09-20", 2, "g/g", status="preliminary")))
    (tmp_path / "record.json").write_text(json.dumps(content), encoding="utf-8")
    page.locator('[name="files"]').set_input_files(tmp_path / "record.json")
    page.get_by_role("button", name="Open", exact=True).click()
    page.wait_for_selector(".answered")
    told = page.locator(".remarks").inner_text()
    assert "Not used: Observation" in told
    assert "is not final" in told
    before = number(page)
    page.locator('[name="measurements.2.value"]').fill("1")
    page.locator('[name="measurements.2.value"]').blur()
    page.wait_for_function(
        "before => document.querySelector('.number strong').innerText !== before", arg=before
    )
    assert page.locator(".remarks").inner_text() == told
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_open_parquet_tables(page, tmp_path):
    tables = {name: rows for name, rows in patient().items() if name != "as_of"}
    paths = [tmp_path / f"{name}.parquet" for name in tables]
    for path, rows in zip(paths, tables.values(), strict=True):
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    page.locator('[name="files"]').set_input_files(paths)
    page.get_by_role("button", name="Open", exact=True).click()
    page.wait_for_selector(".answered")
    assert page.locator('[name="measurements.1.value"]').input_value() == "2.25"


def test_print(page):
    page.get_by_role("button", name="Load the worked example").click()
    page.wait_for_selector(".answered")
    printed = page.pdf(format="A4", print_background=True)
    assert printed.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 6
    page.emulate_media(media="print")
    assert page.locator("svg.people").is_visible()
    assert page.get_by_text("Research software, no medical device").first.is_visible()
    assert not page.locator("aside").is_visible()
    assert page.get_by_text("UPCR 2900 mg/g").is_visible()


def test_everything_is_reached_by_keyboard_in_the_order_of_the_page(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reachable = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, textarea, summary')]"
        ".filter((e) => e.tabIndex >= 0 && e.checkVisibility() && e.type !== 'hidden').length"
    )
    visited = []
    for _ in range(6 * reachable):
        tag, place = page.evaluate(
            "[document.activeElement.tagName, [...document.all].indexOf(document.activeElement)]"
        )
        if tag == "BODY":
            break
        visited.append(place)
        page.keyboard.press("Tab")
    assert visited == sorted(visited)
    assert len(set(visited)) == reachable
    page.get_by_role("button", name="Load the worked example").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".answered")


def test_nothing_is_wider_than_the_screen_and_text_stands_out(page):
    for button in (None, "Load the worked example"):
        if button:
            page.get_by_role("button", name=button).click()
            page.wait_for_selector(".answered")
        for width in (390, 820, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(SMALL_TARGETS) == []
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert page.evaluate(LEAST_CONTRAST) >= 4.5


LEAST_CONTRAST = """
() => {
  const light = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const lightness = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  let least = 21;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !e.checkVisibility()) continue;
    const style = getComputedStyle(e);
    const colour = rgb(e.closest("svg") ? style.fill : style.color);
    const [a, b] = [lightness(colour), lightness(behind(e))].sort((x, y) => y - x);
    least = Math.min(least, (a + 0.05) / (b + 0.05));
  }
  return least;
}
"""
SMALL_TARGETS = """
() => [...document.querySelectorAll("a.button, button, input, select, textarea, summary")]
  .filter((e) => e.checkVisibility() && e.tabIndex >= 0 && e.type !== "hidden")
  .filter((e) => e.getBoundingClientRect().height < 24)
  .map((e) => e.outerHTML)
"""
