"""Headers that every answer carries: request ids, security, caching."""

import html.parser
import re

import httpx
import pytest

from tests.contract.client import UNKNOWN_ID, Account, create_item, new_user, send_raw
from tests.serving import Server

pytestmark = pytest.mark.variants("embedded", "one real")

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
PAGES = ["/", "/docs", "/static/style.css", "/static/swagger-ui/swagger-ui.css", "/api/v1/openapi.json"]
PRIVATE = [
    "/health/live",
    "/health/ready",
    "/metrics",
    "/api/v1/users/me",
    "/api/v1/nothing",
    f"/api/v1/items/{UNKNOWN_ID}",
]
EVERY = [*PAGES, *PRIVATE, "/api/v1/items", "/nothing", "/static/nothing"]
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_security_headers(client: httpx.Client, method: str, path: str) -> None:
    headers = client.request(method, path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] in {"same-origin", "strict-origin", "no-referrer"}
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"] == POLICY
    assert "Strict-Transport-Security" not in headers
    assert REQUEST_ID.fullmatch(headers["X-Request-ID"])


def test_security_headers_when_the_host_or_the_body_is_refused(client: httpx.Client) -> None:
    for response in (
        client.get("/api/v1/items", headers={"Host": "evil.example"}),
        client.post("/api/v1/users", content=b"x" * 1_048_577, headers={"Content-Type": "application/json"}),
        client.post("/api/v1/users", content=b"{", headers={"Content-Type": "application/json"}),
    ):
        assert response.is_client_error
        assert response.headers["Content-Security-Policy"] == POLICY
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert REQUEST_ID.fullmatch(response.headers["X-Request-ID"])


def test_no_header_is_sent_twice(client: httpx.Client, alice: Account) -> None:
    for path in EVERY:
        names = [name.lower() for name, _ in client.get(path, headers=alice.headers).headers.multi_items()]
        assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("request_id", ["a", "A-z_0.9", "x" * 64, UNKNOWN_ID])
@pytest.mark.parametrize("path", ["/api/v1/items", "/nothing", "/health/live", "/"])
def test_the_clients_request_id_comes_back(client: httpx.Client, request_id: str, path: str) -> None:
    assert client.get(path, headers={"X-Request-ID": request_id}).headers["X-Request-ID"] == request_id


@pytest.mark.parametrize(
    "proposed",
    ["", "x" * 65, "a b", "a\tb", "a;b", 'a"b', "<script>", "é", "a%0d%0aSet-Cookie:%20a=b", "a,b", "../x", "$(id)"],
)
def test_an_unsafe_request_id_is_replaced(client: httpx.Client, proposed: str) -> None:
    response = client.get("/api/v1/items", headers=[(b"X-Request-ID", proposed.encode())])
    assert response.status_code == 200
    assert response.headers["X-Request-ID"] != proposed
    assert REQUEST_ID.fullmatch(response.headers["X-Request-ID"])
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("value", [b"a\rSet-Cookie: a=b", b"a\nSet-Cookie: a=b", b"a\r\n b", b"a\x00b"])
def test_a_request_id_cannot_add_a_header(server: Server, value: bytes) -> None:
    request = (
        b"GET /api/v1/items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-ID: " + value + b"\r\n\r\n"
    )
    response = send_raw(server.base_url, request)
    assert response.status_code < 500
    assert "Set-Cookie" not in response.headers
    assert response.status_code == 400 or REQUEST_ID.fullmatch(response.headers["X-Request-ID"])


def test_new_request_ids_differ(client: httpx.Client) -> None:
    ids = {client.get("/health/live").headers["X-Request-ID"] for _ in range(10)}
    assert len(ids) == 10


def varies_by_authorization(response: httpx.Response) -> bool:
    return "authorization" in {part.strip().lower() for part in response.headers.get("Vary", "").split(",")}


def test_public_items_may_be_cached_by_anyone(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    for path in ("/api/v1/items", "/api/v1/items?limit=1", f"/api/v1/items/{item['id']}"):
        for _ in range(2):
            response = client.get(path)
            assert response.headers["Cache-Control"] == "public, max-age=5"
            assert varies_by_authorization(response)


def test_what_a_logged_in_user_gets_is_private(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    for path in ("/api/v1/items", f"/api/v1/items/{item['id']}"):
        response = client.get(path, headers=alice.headers)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "private, no-store"
        assert varies_by_authorization(response)
    for path in ("/api/v1/users/me", f"/api/v1/items/{UNKNOWN_ID}"):
        assert client.get(path, headers=alice.headers).headers["Cache-Control"] == "private, no-store"


def test_what_is_written_is_private(client: httpx.Client, alice: Account) -> None:
    created = create_item(client, alice)
    path = created.headers["Location"]
    export = client.post("/api/v1/exports", headers=alice.headers)
    for response in (
        created,
        client.patch(path, json={}, headers=alice.headers),
        client.delete(path, headers=alice.headers),
        export,
        client.get(export.headers["Location"], headers=alice.headers),
        client.post("/api/v1/users", json=new_user()),
        client.post("/api/v1/tokens", json={"email": new_user()["email"], "password": "x"}),
    ):
        assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", PRIVATE)
def test_probes_and_errors_are_private(client: httpx.Client, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "private, no-store"


class Links(html.parser.HTMLParser):
    """Collects what a page loads and links to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.inline_scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = [value for name, value in attrs if name in {"src", "href"} and value]
        self.links += found
        self.inline_scripts += tag == "script" and not found


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_only_what_this_server_has(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    page = Links()
    page.feed(response.text)
    assert page.inline_scripts == 0, "the policy forbids inline scripts"
    assert page.links
    assert "{{" not in response.text
    for link in page.links:
        assert link.startswith(("/", "#"))
        if link.startswith("/") and not link.startswith("/admin"):
            assert client.get(link).status_code == 200, link


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/static/style.css", "text/css"),
        ("/static/docs.js", "text/javascript"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/static/swagger-ui/swagger-ui.css", "text/css"),
        ("/static/swagger-ui/swagger-ui-bundle.js", "text/javascript"),
    ],
)
def test_static_files_have_their_media_type(client: httpx.Client, path: str, media_type: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert (
        response.headers["Content-Type"].split(";")[0].replace("application/javascript", "text/javascript")
        == media_type
    )
    assert response.content
