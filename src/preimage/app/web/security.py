"""Who may ask, and what every answer says about itself: hosts, origins, the token, headers.

Against DNS rebinding the name in `Host` must be one that is ours; against pages of other sites
`Origin` and `Sec-Fetch-Site` must be our own. There is no CORS: no other site reads an answer.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
_SAFE = {"GET", "HEAD"}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Args:
        names: hosts by which the server may be addressed, without ports, in lower case.
        any_address: whether any IP address will do. No name can be bound anew to ours then, but on
            a machine with several addresses we do not know them all.
        token: what everyone must know; empty for no token.
        cookie: the name of the cookie that keeps it.
    """

    names: frozenset[str]
    any_address: bool = False
    token: str = ""
    cookie: str = "preimage"

    @classmethod
    def of(cls, host: str, port: int, more: Collection[str] = (), token: str = "") -> "Access":
        """Access to a server bound to this address."""
        ours = is_loopback(host)
        names = {host.lower(), *(name.lower() for name in more), *_LOOPBACK_NAMES}
        return cls(frozenset(names), not ours, token, f"preimage-{port}")

    def refusal(self, scope: Scope) -> Response | None:
        """Why a request is refused; None if it is not."""
        headers = Headers(scope=scope)
        if not self.is_ours(headers.get("host", "")):
            return _refused(
                421, "this address is not one of this server's; name it with --allow-host."
            )
        if not self._is_own_site(scope, headers):
            return _refused(403, "asked for by a page of another site.")
        if self.token and scope["path"] != "/health" and not self._knows_token(scope, headers):
            return _refused(
                401, "open the address with ?token=… that preimage serve printed when it started."
            )
        return None

    def is_ours(self, host: str) -> bool:
        """Whether a `Host` header names this server."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if name in self.names:
            return True
        return self.any_address and _is_address(name)

    def _is_own_site(self, scope: Scope, headers: Headers) -> bool:
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return False
        # A link from elsewhere may lead to the page; nothing else may be asked for from there.
        link = scope["method"] in _SAFE and headers.get("sec-fetch-mode") == "navigate"
        return site in ("none", "same-origin") or link

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        said = headers.get("authorization", "").removeprefix("Bearer ")
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            cookies = SimpleCookie()
        kept = cookies[self.cookie].value if self.cookie in cookies else ""
        return self.is_token(said) or self.is_token(kept)

    def is_token(self, said: str) -> bool:
        """Whether this is the token; the time that takes tells nothing of it."""
        return hmac.compare_digest(said.encode(), self.token.encode())

    def welcome(self, scope: Scope) -> Response | None:
        """For an address that brings the token: a cookie, and the same address without it."""
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if not self.token or not any(k == "token" and self.is_token(v) for k, v in pairs):
            return None
        rest = urlencode([(k, v) for k, v in pairs if k != "token"])
        response = RedirectResponse("/" + (f"?{rest}" if rest else ""), 303)
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="lax")
        return response


class Guard:
    """Asks `Access` about every request, and writes the headers of every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no web sockets here
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        answer: ASGIApp = self.app
        if scope["path"] == "/" and (welcome := self._welcome(scope)) is not None:
            answer = welcome
        elif (refusal := self.access.refusal(scope)) is not None:
            answer = refusal
        await answer(scope, receive, send_with_headers)

    def _welcome(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self.access.is_ours(headers.get("host", "")):
            return None
        return self.access.welcome(scope)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    return host.lower() == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refused(status: int, why: str) -> Response:
    # The rest of a body that is not read must not be taken for the next request.
    return PlainTextResponse(f"refused: {why}\n", status, headers={"connection": "close"})
