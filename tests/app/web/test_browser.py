"""The page in Chromium, as people use it: `make browser`."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser_page import all_shown, expect, pixels, shown
from command import run
from photo_files import encoded


def test_it_loads_and_shows_everything(open_page: Any) -> None:
    page = open_page()
    all_shown(page)
    assert page.title().startswith("preimage")
    expect(page.locator("#status")).to_contain_text("SSIM 0.")
    expect(page.locator("#show-limit")).to_contain_text("exact")
    expect(page.locator("#boxes li")).to_have_count(1 + 7)


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
