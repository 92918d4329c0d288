"""Rules of the pages that no reviewer should have to check by eye."""

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_templates_hold_no_inline_script_style_or_handler(path):
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", text)
    assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", text)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_fetch_nothing_from_elsewhere(path):
    assert not re.search(r"https?:|@import|url\(", path.read_text())


@pytest.mark.parametrize("status", [400, 403, 404, 410, 429, 451, 500, 503, 507])
def test_every_error_page_can_be_made_without_a_request(status, settings):
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    html = render_to_string(f"errors/{status}.html", {"status": status, "request_id": "abc123", "detail": {}})
    assert str(status) in html and "abc123" in html and "<h1>" in html


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/docs", "/accounts/login/", "/nobody-here"])
def test_pages_forbid_foreign_and_inline_code(client, address):
    policy = client.get(address)["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "style-src 'self'" in policy and "unsafe" not in policy
