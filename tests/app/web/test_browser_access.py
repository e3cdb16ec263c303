"""The page in Chromium by keyboard, on a phone, in the dark, by axe: `make browser`."""

import re
from pathlib import Path
from typing import Any

import pytest
from browser_page import AXE, all_shown, expect, shown
from command import run
from photo_files import encoded


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
def test_nothing_sticks_out_and_dark_is_dark(open_page: Any, shots: Path, form: str) -> None:
    page = open_page(**FORMS[form])
    all_shown(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", colour)[:3])) / 3
    assert light < 60 if "dark" in form else light > 200
    page.screenshot(path=shots / f"{form}.png", full_page=True)
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
    assert not (said := violations(page)), "\n".join(said)


@pytest.mark.skipif(not AXE.exists(), reason=f"there is no {AXE.name}; `make browser` fetches it")
def test_axe_finds_nothing_in_reports(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in range(5):
        Path(f"{seed}.png").write_bytes(encoded(seed, width=20, height=18))
    small = ["--layer", "conv1", "--width", "3", "--size", "16"]
    assert run("limit", "0.png", *small, "--networks", "2", "--out", "limit") == 0
    fitted = ["--window", "1", "--out", "d.safetensors"]
    assert run("fit", "--data", "*.png", *small, *fitted) == 0
    decoder = ["--decoder", "d.safetensors", "--size", "16", "--out", "scores"]
    assert run("evaluate", "--data", "*.png", "--held-out", "*.png", *decoder) == 0
    for folder in ("limit", "scores"):
        for form in FORMS.values():
            page = browser.new_page(**form)
            page.goto((tmp_path / folder / "report.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert not (said := violations(page)), "\n".join(said)
            page.close()


def violations(page: Any) -> list[str]:
    """What axe-core finds, a line each."""
    page.evaluate(AXE.read_text())
    return [
        f"{each['impact']}: {each['id']}, {each['help']}: {[n['html'][:90] for n in each['nodes']]}"
        for each in page.evaluate("axe.run()")["violations"]
    ]
