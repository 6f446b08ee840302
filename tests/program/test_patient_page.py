"""The patient's page as the program serves it; what it does is tested in tests/web/."""

import gzip
import re

import pytest

from browser import CHROMIUM

GZIP = {"Accept-Encoding": "br, GZIP;q=0.8"}


def files_of(server):
    """The paths that the page names."""
    return re.findall(r'(?:src|href)="(/p/[^"]+)"', server.get("/p").body.decode())


def test_what_it_is_served_with(server):
    page = server.get("/p")
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert b"<script>" not in page.body and b"style=" not in page.body
    files = files_of(server)
    assert len(files) >= 4
    for path in files:
        file = server.get(path)
        assert file.status == 200 and file.body, path
        hashed = path.startswith("/p/assets/")
        assert ("immutable" in file.headers["Cache-Control"]) == hashed, path
    manifest = server.get("/p/manifest.webmanifest")
    assert manifest.headers["Content-Type"] == "application/manifest+json"
    assert manifest.json()["scope"] == "/p"
    assert {icon["sizes"] for icon in manifest.json()["icons"]} >= {"192x192", "512x512"}


def test_the_service_worker_may_have_the_page(server):
    worker = server.get("/p/sw.js")
    assert worker.headers["Service-Worker-Allowed"] == "/p"
    assert worker.headers["Cache-Control"] == "no-cache"
    kept = re.findall(r'"(/p[^"]*)"', worker.body.decode())
    assert set(kept) >= {"/p", *files_of(server)}
    assert all(server.get(path).status == 200 for path in kept)


def test_it_is_compressed_for_who_takes_that(server):
    [script] = [path for path in files_of(server) if path.endswith(".js")]
    plain, packed = server.get(script), server.get(script, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]
    for refusal in ("gzip;q=0", "identity", "gzip;q=0.000, br", "xgzip"):
        assert "Content-Encoding" not in server.get(
            script, headers={"Accept-Encoding": refusal}).headers, refusal
    again = server.get(script, headers={**GZIP, "If-None-Match": packed.headers["ETag"]})
    assert again.status == 304 and not again.body
    other = server.get(script, headers={**GZIP, "If-None-Match": plain.headers["ETag"]})
    assert other.status == 200
    image = server.get("/p/icon-192.png", headers=GZIP)
    assert image.body.startswith(b"\x89PNG") or image.headers["Content-Encoding"] == "gzip"


def test_nothing_else_is_there(server):
    for path in ("/p/index.html", "/p/assets/index.js", "/p/assets", "/p/..%2Fapp.js", "/p/a/b"):
        assert server.get(path).status in (400, 404), path
    assert server.post("/p/sw.js").status == 405


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_it_opens_in_a_browser(server, browser):
    page = browser.open(f"{server.url}/p#code=ABC")
    page.show_as(390, 844, "light")
    assert page.wait_for("document.getElementById('code')?.value") == "ABC"
    assert page.run("location.hash") == ""
    page.wait_for("navigator.serviceWorker.ready.then(() => true)")
    assert page.problems == []
