"""`POST /api/hub/v1/inspect`: the page's answer for programs, without a token and without a trace."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hub.models import Blob
from tests import factories, samples

pytestmark = pytest.mark.django_db


def asked(data: bytes, name: str = "moss-dragon.safetensors", status: int = 200, **headers: str) -> dict:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/api/hub/v1/inspect", {"file": SimpleUploadedFile(name, data)}, headers=headers)
    assert response.status_code == status, response.content
    return json.loads(response.content)


def test_the_record_has_what_inspect_promises_and_more():
    told = asked(samples.embedding_file("sd1", vectors=2))
    assert (told["kind"], told["verdict"], told["family"], told["vectors"]) == (
        "embedding",
        "accept",
        "sd1",
        2,
    )
    assert told["encoders"][0]["width"] == 768 and len(told["statistics"][0]["vectors"]) == 2
    assert told["loads"]["comfyui"] == {"verdict": "yes", "note": ""}
    assert (
        len(told["digests"]["sha256"]) == 64 and told["digests"]["autov2"] == told["digests"]["sha256"][:10]
    )
    assert told["known"] == told["alike"] == [] and told["generation"] is None
    assert not Blob.objects.exists()


def test_a_refused_file_is_an_answer_with_its_rule():
    told = asked(b"hello, this is text", "x.pt")
    assert (told["kind"], told["verdict"], told["rule"]) == ("refused", "refuse", "F1")
    assert "plain text" in told["message"] and len(told["digests"]["sha256"]) == 64


def test_a_known_file_is_told_to_those_who_may_see_it():
    source = samples.canonical_file("sd1", seed=41)
    factories.version(factories.embedding(visibility="private"), ingested=factories.ingested(source))
    assert asked(source)["known"] == []
    _, secret = factories.token("ada", scopes=["read"])
    known = asked(source, Authorization=f"Bearer {secret}")["known"]
    assert [(one["name"], one["why"]) for one in known] == [("ada/moss-dragon", "file")]
    _, secret = factories.token("bob", scopes=["read"])
    assert asked(source, Authorization=f"Bearer {secret}")["known"] == []


def test_no_file_is_a_refusal_in_the_body_of_the_house():
    response = Client().post("/api/hub/v1/inspect")
    assert response.status_code == 400
    assert json.loads(response.content)["error"]["code"] == "file_missing"
