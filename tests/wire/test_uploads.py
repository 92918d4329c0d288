"""Bytes in: spooled to disk, hashed in the same pass, stopped at the ceiling."""

import hashlib
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory

from hub.errors import Invalid, TooLarge
from hub.wire import uploads


def request_with(content: bytes, name: str = "moss.safetensors") -> HttpRequest:
    """A form with one file."""
    return RequestFactory().post("/", {"file": SimpleUploadedFile(name, content), "title": "Moss"})


def test_a_file_lies_on_disk_with_its_digest_until_the_request_ends() -> None:
    content = b"some bytes" * 100_000
    request = request_with(content)
    spooled = uploads.spool(request.FILES.get("file"))
    assert spooled.path.read_bytes() == content
    assert (spooled.size, spooled.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert spooled.filename == "moss.safetensors"
    request.close()
    assert not spooled.path.exists()


def test_no_file_is_a_refusal_of_that_field() -> None:
    with pytest.raises(Invalid) as refusal:
        uploads.spool(None, field="picture")
    assert refusal.value.field == "picture"


def test_a_file_over_the_limit_of_its_form_is_refused_with_both_sizes() -> None:
    request = request_with(b"x" * (2 << 20))
    with pytest.raises(TooLarge, match=r"2\.0 MiB; this hub takes up to 1 MiB") as refusal:
        uploads.spool(request.FILES.get("file"), max_bytes=1 << 20)
    request.close()
    assert refusal.value.code == "file_too_large"


def small_ceiling(settings: Any) -> None:
    """A hub that takes files of up to 1 MiB, one a form."""
    settings.HUB = {**settings.HUB, "HUB_MAX_UPLOAD_MB": 1, "HUB_MAX_PICTURE_MB": 1, "HUB_RUN_MAX_IMAGES": 1}


def test_a_declared_length_over_the_ceiling_is_refused_before_anything_is_read(settings: Any) -> None:
    small_ceiling(settings)
    request = request_with(b"x" * (4 << 20))
    with pytest.raises(RequestDataTooBig, match="declared"):
        request.FILES  # noqa: B018  reading the form is the act


def test_a_file_is_cut_off_at_the_first_byte_too_many_and_leaves_nothing(
    settings: Any, tmp_path: Any
) -> None:
    small_ceiling(settings)
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    request = request_with(b"x" * ((1 << 20) + 1))
    with pytest.raises(RequestDataTooBig, match="ceiling"):
        request.FILES  # noqa: B018  reading the form is the act
    request.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("C:\\pictures\\moss.png", "moss.png"),
        ("../../etc/passwd", "passwd"),
        ("mo\u202ess\x00.png", "moss.png"),
        ("e\u0301.png", "\u00e9.png"),
        ("", "file"),
        ("x" * 300 + ".png", "x" * 116 + ".png"),
    ],
)
def test_a_file_name_is_a_label_and_never_a_path(sent: str, shown: str) -> None:
    assert uploads.clean_label(sent) == shown
