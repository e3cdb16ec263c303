"""The page in Chromium, as people use it: `make browser`.

Skipped unless PREIMAGE_BROWSER is set, since it takes a minute. Pictures of the page are left in
the folder that PREIMAGE_BROWSER names.
"""

import base64
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from command import run
from photo_files import encoded
from PIL import Image

ROOT = Path(__file__).parents[3]
AXE = ROOT / "build" / "axe" / "package" / "axe.min.js"
SHOTS = os.environ.get("PREIMAGE_BROWSER", "")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

if not SHOTS:
    pytest.skip("run by `make browser`", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if CHROMIUM is None:
    pytest.skip("there is no Chromium", allow_module_level=True)

expect = playwright.expect
PATIENCE = 120_000  # milliseconds, on a machine that has other things to do
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    words = [sys.executable, "-m", "preimage", "serve", "--port", "0"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "preimage: stopped.\n")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Any]:
    """Opens pages on which nothing may go wrong, and from which nothing may leave."""
    contexts, wrong = [], []

    def asked(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.netloc != urlsplit(address).netloc:
            wrong.append(f"asked for {request.url}")

    def open_it(query: str = "", **context: Any) -> Any:
        context = {"viewport": {"width": 1200, "height": 900}, **context}
        contexts.append(browser.new_context(**context))
        contexts[-1].set_default_timeout(PATIENCE)
        contexts[-1].grant_permissions(["clipboard-read", "clipboard-write"])
        page = contexts[-1].new_page()
        page.on("request", asked)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: line.type == "error" and wrong.append(line.text))
        page.goto(address + query)
        return page

    yield open_it
    for context in contexts:
        context.close()
    # An upload that is refused is one that the browser notes; nothing else is.
    assert not [line for line in wrong if "status of 422" not in line]


def shown(page: Any, *words: str) -> Any:
    """Waits for the whole picture of an address with these words."""
    having = "".join(f'[data-query*="{word}"]' for word in words)
    found = page.locator(f"#show-picture{having}:not(.preview):not(.waits)")
    found.wait_for()
    expect(page.locator("#problem")).to_be_hidden()
    return found.locator("img")


def all_shown(page: Any, *words: str) -> None:
    """Waits for the limit and the strips too."""
    shown(page, *words)
    expect(page.locator("#show-limit, #show-difference").locator("visible=true")).to_have_count(2)
    expect(page.locator("figure.waits")).to_have_count(0)
    expect(page.locator(".tiles img[src]:not(.waits)")).to_have_count(11)


def pixels(source: str | bytes) -> Any:
    data = base64.b64decode(source.partition(",")[2]) if isinstance(source, str) else source
    return np.asarray(Image.open(io.BytesIO(data)))


def test_it_loads_and_shows_everything(open_page: Any) -> None:
    page = open_page()
    all_shown(page)
    assert page.title().startswith("preimage")
    expect(page.locator("#status")).to_contain_text("SSIM 0.")
    expect(page.locator("#show-limit")).to_contain_text("exact")
    expect(page.locator("#boxes li")).to_have_count(1 + 7)
    page.screenshot(path=f"{SHOTS}/light.png", full_page=True)


def test_choosing(open_page: Any) -> None:
    page = open_page()
    shown(page)
    page.get_by_text("l2", exact=True).click()
    shown(page, "pool=l2")
    page.get_by_label("Architecture").select_option("alexnet")
    shown(page, "architecture=alexnet", "layer=conv1")
    page.get_by_text("rocket").click()
    shown(page, "photo=rocket")
    expect(page.locator("#show-photo img")).to_have_attribute("alt", "The photo: rocket")
    page.get_by_text("conv", exact=True).click()
    shown(page, "architecture=alexnet")
    expect(page.locator("#show-limit .instead")).to_contain_text("no limit")
    page.get_by_role("button", name="raw colours").click()
    assert pixels(page.locator("#show-picture img").get_attribute("src")).ndim == 3
    page.get_by_role("button", name="Back to the start").click()
    shown(page, "photo=chelsea", "pooled=true")


def test_sliding_ends_where_the_slider_ends(open_page: Any) -> None:
    page = open_page()
    shown(page)
    slider = page.get_by_label("Width")
    slider.focus()
    for _ in range(5):  # faster than pictures come
        page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "2")
    shown(page, "width=2&")
    expect(page.locator("#command")).to_contain_text("--width 2 ")
    all_shown(page, "width=2&")


def test_strips_are_taken_over_by_a_click(open_page: Any) -> None:
    page = open_page()
    all_shown(page)
    tile = page.locator("#strip-layer .tiles button").nth(3)
    picture = tile.locator("img").get_attribute("src")
    tile.click()
    assert shown(page, "layer=conv4").get_attribute("src") == picture
    all_shown(page)
    expect(tile).to_have_attribute("aria-pressed", "true")


def test_a_photo_of_ones_own(open_page: Any, tmp_path: Path) -> None:
    path = tmp_path / "my <b>cat.png"
    path.write_bytes(encoded(3, width=90, height=80))
    page = open_page()
    shown(page)
    page.locator("#file").set_input_files(path)
    expect(page.get_by_text("my <b>cat.png").first).to_be_visible()
    picture = shown(page, "pooled=true").get_attribute("src")
    expect(page.locator("#python")).to_contain_text("my <b>cat.png")
    link = page.url
    wrong = tmp_path / "wrong.png"
    wrong.write_bytes(b"this is no image\n")
    page.locator("#file").set_input_files(wrong)
    expect(page.locator("#problem")).to_have_text("wrong.png: not an image that Pillow can read.")
    again = open_page("?" + urlsplit(link).query)
    assert shown(again).get_attribute("src") == picture


def test_a_photo_that_is_dropped(open_page: Any) -> None:
    page = open_page()
    shown(page)
    data = list(encoded(4, width=50, height=70))
    transfer = page.evaluate_handle(
        "data => { const t = new DataTransfer();"
        " t.items.add(new File([new Uint8Array(data)], 'dropped.png')); return t; }",
        data,
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_be_hidden()
    expect(page.locator("#show-photo img")).to_have_attribute("alt", "The photo: dropped.png")
    shown(page)


def test_a_decoder_file(open_page: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in range(5):
        Path(f"{seed}.png").write_bytes(encoded(seed, width=20, height=18))
    words = ["--layer", "conv1", "--width", "3", "--size", "16", "--window", "1"]
    assert run("fit", "--data", "*.png", *words, "--out", "mine.safetensors") == 0
    page = open_page()
    shown(page)
    page.locator("#decoder-file").set_input_files("mine.safetensors")
    shown(page, "decoder=")
    expect(page.get_by_label("Network", exact=True)).to_contain_text("decoder mine.safetensors")
    expect(page.get_by_label("Width")).to_be_disabled()
    expect(page.locator("#show-limit .instead")).to_contain_text("not random")
    expect(page.locator("#command")).to_contain_text("--decoder mine.safetensors")
    page.get_by_label("Network", exact=True).select_option("random")
    all_shown(page, "pooled=true")


def test_a_link_shows_the_same(open_page: Any) -> None:
    query = "?photo=coffee&layer=conv2_1&width=100&slope=0.25&weights=laplace%3A0.3&seed=77&size=80"
    page = open_page(query)
    picture = shown(page, "width=100").get_attribute("src")
    assert page.locator("#show-picture").get_attribute("data-query") == query[1:]
    for label, value in (("Layer", "conv2_1"), ("Width", "100"), ("Seed", "77"), ("Size", "80")):
        expect(page.get_by_label(label, exact=True)).to_have_attribute("aria-valuetext", value)
    expect(page.get_by_label("Law of the weights")).to_have_value("laplace")
    page.get_by_role("button", name="Copy the link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    again = open_page("?" + urlsplit(link).query)
    assert shown(again, "width=100").get_attribute("src") == picture
    wrong = open_page("?layer=conv9")
    expect(wrong.locator("#problem")).to_contain_text("conv9")


def test_what_is_copied_and_downloaded(open_page: Any) -> None:
    page = open_page("?photo=rocket&layer=conv1&width=4&size=64&head=mean&pool=avg")
    picture = shown(page, "width=4").get_attribute("src")
    for name in ("Python", "command"):
        page.get_by_role("button", name=f"Copy as {name}").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator(f"#{name.lower()}").text_content()
    with page.expect_download() as download:
        page.get_by_text("Download PNG").click()
    assert (pixels(Path(download.value.path()).read_bytes()) == pixels(picture)).all()
    with page.expect_download() as download:
        page.get_by_text("Download JSON").click()
    record = json.loads(Path(download.value.path()).read_text())
    assert record["run"]["config"]["width"] == 4
    assert record["photo"] == "rocket"


def test_by_keyboard_alone(open_page: Any) -> None:
    page = open_page()
    all_shown(page)
    seen: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        ring = page.evaluate(
            "(() => { const a = document.activeElement, f = (e) => e &&"
            " getComputedStyle(e).outlineStyle !== 'none';"
            " return f(a) || f(a.nextElementSibling) ||"
            " [...(a.nextElementSibling?.children ?? [])].some(f); })()"
        )
        assert ring or seen[-1] == "", f"no ring around {seen[-1]}"
        if seen[-1] == "download-json":
            break
    wanted = ["photo-chelsea", "file", "raw", "decoder", "decoder-file", "layer", "width"]
    wanted += ["kernel_size", "slope", "pool-avg", "pooled", "architecture", "simplified"]
    wanted += ["unpool-nearest", "head-mean", "seed", "family", "scale", "size", "input", "reset"]
    wanted += ["permalink", "download-png", "download-json"]
    missing = [name for name in wanted if name not in seen and name != "raw"]
    assert not missing
    page.locator("#photo-chelsea").focus()
    page.keyboard.press("ArrowRight")
    shown(page, "photo=coffee")
    page.locator("#pool-avg").focus()
    page.keyboard.press("ArrowLeft")
    shown(page, "photo=coffee", "pooled=true")
    page.locator("#pooled").focus()
    page.keyboard.press("Space")
    expect(page.locator("#show-picture[data-query*=pooled]")).to_have_count(0)
    page.locator("#strip-seed button").nth(3).focus()
    page.keyboard.press("Enter")
    shown(page, "seed=3")


FORMS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 400, "height": 800}, "has_touch": True, "is_mobile": True},
    "phone-dark": {"viewport": {"width": 400, "height": 800}, "color_scheme": "dark"},
}


@pytest.mark.parametrize("form", FORMS)
def test_nothing_sticks_out_and_dark_is_dark(open_page: Any, form: str) -> None:
    page = open_page(**FORMS[form])
    all_shown(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", colour)[:3])) / 3
    assert light < 60 if "dark" in form else light > 200
    page.screenshot(path=f"{SHOTS}/{form}.png", full_page=True)
    if "phone" in form:  # the pictures stay in sight while a slider is used
        page.locator("#seed").scroll_into_view_if_needed()
        assert page.locator("#show-picture img").bounding_box()["y"] >= 0


@pytest.mark.skipif(not AXE.exists(), reason=f"there is no {AXE.name}; `make browser` fetches it")
@pytest.mark.parametrize("query", ["", "?photo=coffee&layer=conv2&size=64", "?layer=conv9"])
@pytest.mark.parametrize("form", FORMS)
def test_axe_finds_nothing_serious(open_page: Any, form: str, query: str) -> None:
    page = open_page(query, **FORMS[form])
    if "conv9" in query:
        expect(page.locator("#problem")).to_be_visible()
    else:
        all_shown(page)
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")["violations"]
    said = [
        f"{each['impact']}: {each['id']}, {each['help']}: {[n['html'][:90] for n in each['nodes']]}"
        for each in found
    ]
    assert not said, "\n".join(said)
