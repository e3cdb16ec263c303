"""The page in Chromium by keyboard, on a phone, in the dark, by axe: `make browser`."""

import re
from pathlib import Path
from typing import Any

import pytest
from browser_page import AXE, all_shown, expect, shown


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
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")["violations"]
    said = [
        f"{each['impact']}: {each['id']}, {each['help']}: {[n['html'][:90] for n in each['nodes']]}"
        for each in found
    ]
    assert not said, "\n".join(said)
