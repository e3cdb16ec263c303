"""Who is refused: hosts and pages that are not ours, and those who do not know the token."""

import pytest
from starlette.testclient import TestClient
from web_site import BASE, make_site

from preimage.app.web.app import create_app
from preimage.app.web.security import Access, is_loopback


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost:9000", 200),  # a forwarded port
        ("[::1]:8765", 200),
        ("LOCALHOST", 200),
        ("evil.example", 421),
        ("localhost.evil.example:8765", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost:8765@evil.example", 421),
        ("192.168.0.7:8765", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_only_our_own_hosts_are_answered(client: TestClient, host: str, status: int) -> None:
    response = client.get("/health", headers={"host": host})
    assert response.status_code == status
    if status == 421:
        assert "--allow-host" in response.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),  # curl: the photo is none, but it is read
        ({"origin": BASE, "sec-fetch-site": "same-origin"}, 422),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 403),
    ],
)
def test_pages_of_other_sites_send_nothing(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    response = client.post("/api/photos?name=a.png", content=b"none", headers=headers)
    assert response.status_code == status, response.text


def test_a_link_may_lead_here_and_a_picture_may_not(client: TestClient) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/?layer=conv1", headers=link).status_code == 200
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert client.get("/picture.png?layer=conv1&size=31", headers=embedded).status_code == 403


def test_every_answer_has_the_headers(client: TestClient) -> None:
    for response in (
        client.get("/"),
        client.get("/static/page.css"),
        client.get("/nowhere"),
        client.get("/api/picture?width=0"),
        client.get("/", headers={"host": "evil.example"}),
        client.options("/api/photos", headers={"origin": BASE}),
    ):
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert not [name for name in response.headers if name.startswith("access-control")]
    assert client.get("/api/picture?width=0").headers["cache-control"] == "no-store"


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/").text
    assert page.count("<script") == page.count('<script type="module" src="static/')
    for inline in ("<style", " style=", " onclick", "javascript:", "http://", "https://", "//cdn"):
        assert inline not in page, inline
    for name in ("page.css", "style.css", "main.js", "controls.js", "pictures.js", "strips.js"):
        text = client.get(f"/static/{name}").text
        for word in ("http://", "https://", "@import", "innerHTML", "eval("):
            assert word not in text, (name, word)


@pytest.fixture
def open_client() -> TestClient:
    """As bound to all addresses of a machine."""
    access = Access.of("0.0.0.0", 8765, ("Lab.example",), token="s3cret")
    return TestClient(create_app(make_site(), access), "http://10.1.2.3:8765")


def test_elsewhere_everyone_needs_the_token(open_client: TestClient) -> None:
    for path in ("/", "/api/picture?size=31", "/static/main.js", "/photo.png"):
        response = open_client.get(path)
        assert response.status_code == 401, path
        assert "token" in response.text
        assert "s3cret" not in response.text
    assert open_client.get("/?token=guess").status_code == 401
    assert open_client.get("/?token=gu%C3%A9ss").status_code == 401
    assert open_client.get("/", headers={"cookie": "preimage-8765=guess"}).status_code == 401
    assert open_client.get("/", headers={"authorization": "Bearer guess"}).status_code == 401
    assert open_client.get("/health").status_code == 200
    allowed = {"authorization": "Bearer s3cret"}
    assert open_client.get("/static/main.js", headers=allowed).status_code == 200


def test_the_token_becomes_a_cookie_and_leaves_the_address(open_client: TestClient) -> None:
    response = open_client.get("/?layer=conv1&token=s3cret", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/?layer=conv1")
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert open_client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("10.1.2.3", 200), ("lab.example:8765", 200), ("[fe80::1]", 200), ("evil.example", 421)],
)
def test_elsewhere_addresses_and_named_hosts_are_ours(
    open_client: TestClient, host: str, status: int
) -> None:
    assert open_client.get("/health", headers={"host": host}).status_code == status


def test_a_forged_host_does_not_get_the_cookie(open_client: TestClient) -> None:
    response = open_client.get("/?token=s3cret", headers={"host": "evil.example"})
    assert response.status_code == 421
    assert "set-cookie" not in response.headers


def test_which_addresses_are_this_machines() -> None:
    assert [h for h in ("127.0.0.1", "127.9.9.9", "::1", "localhost") if not is_loopback(h)] == []
    assert not [h for h in ("0.0.0.0", "::", "10.0.0.1", "lab.example") if is_loopback(h)]
