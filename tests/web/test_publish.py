"""Publishing on the page: facts at once, one request that is whole or leaves nothing, errors beside fields."""

from django.core.files.uploadedfile import SimpleUploadedFile

from hub.models import BaseModel, Blob, Embedding, Version
from tests import factories, samples


def upload(data: bytes | None = None, name: str = "moss-dragon.safetensors") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data or samples.canonical_file("tiny", vectors=2, seed=77))


def form(**changes: object) -> dict[str, object]:
    """The form as a browser sends it."""
    return {
        "file": upload(),
        "name": "moss-dragon",
        "title": "Moss dragon",
        "kind": "style",
        "trigger": "moss-dragon",
        "licence": "cc0-1.0",
        "visibility": "public",
        **changes,
    }


def test_a_dropped_file_shows_its_facts_and_nothing_is_stored(ada):
    response = ada.post("/new/check", {"file": upload()})
    html = response.content.decode()
    assert response.status_code == 200
    assert "Glossa tiny" in html and "2 vectors per token" in html and 'data-suggest-trigger="' in html
    assert not Blob.objects.exists() and not Version.objects.exists()


def test_a_text_file_is_refused_with_the_reason(ada):
    response = ada.post("/new/check", {"file": upload(b"hello, this is text")})
    assert response.status_code == 422
    assert "This file is not taken" in response.content.decode()


def test_a_file_that_is_here_already_is_named(ada):
    ada.post("/new", form())
    html = ada.post("/new/check", {"file": upload()}).content.decode()
    assert "These values are here already" in html and "/ada/moss-dragon/versions/1" in html


def test_one_post_publishes_version_1(ada):
    response = ada.post("/new", form(tags="green, wet", summary="Scales."))
    assert (response.status_code, response["Location"]) == (302, "/ada/moss-dragon")
    version = Version.objects.get()
    assert (version.number, version.state, version.trigger) == (1, "published", "moss-dragon")
    assert "is published" in ada.get("/ada/moss-dragon").content.decode()


def test_a_script_is_sent_to_the_page_of_what_it_published(ada):
    response = ada.post("/new", form(), headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/ada/moss-dragon"


def test_refusals_stand_beside_their_field_and_store_nothing(ada):
    refused = {
        "trigger": form(trigger="photo"),
        "name": form(name="Not A Name!"),
        "file": form(file=upload(b"hello, this is text")),
        "title": form(title=""),
    }
    for field, values in refused.items():
        response = ada.post("/new", values)
        assert response.status_code == 422, field
        assert f'id="id_{field}_error"' in response.content.decode(), field
    assert not Embedding.objects.exists() and not Version.objects.exists() and not Blob.objects.exists()


def test_a_taken_name_is_said_beside_the_name(ada):
    factories.published(name="moss-dragon")
    html = ada.post("/new", form()).content.decode()
    assert "is taken" in html and 'id="id_name_error"' in html


def test_all_that_is_wrong_is_said_at_once(ada):
    factories.published(name="moss-dragon")
    for name in ("Not a name!", "moss-dragon"):
        answer = ada.post("/new", {"name": name, "trigger": "x", "licence": "cc0-1.0"})
        assert answer.status_code == 422
        wrong = answer.context["form"].errors
        assert set(wrong) == {"file", "name", "trigger", "title", "kind", "visibility"}
        assert all(len(errors) == 1 for errors in wrong.values())
    assert Embedding.objects.count() == 1


def test_a_second_version_has_its_notes_and_the_first_stays(ada):
    factories.published(name="moss-dragon")
    page = ada.get("/ada/moss-dragon/new-version").content.decode()
    assert 'value="moss-dragon"' in page
    sent = {"file": upload(), "trigger": "moss-dragon", "licence": "cc0-1.0", "notes": "Longer scales."}
    assert ada.post("/ada/moss-dragon/new-version", sent).status_code == 302
    html = ada.get("/ada/moss-dragon").content.decode()
    assert "Longer scales." in html and "/ada/moss-dragon/versions/1" in html


def test_publishing_needs_somebody_signed_in(stranger, db):
    response = stranger.get("/new")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/new")


def half_of_a_pair() -> SimpleUploadedFile:
    """Vectors 1280 wide alone: the tensors leave open what they were made for."""
    return upload(samples.keyed_file({"clip_g": 1280}), "half.safetensors")


def test_a_file_that_leaves_its_base_open_is_asked_about(ada):
    html = ada.post("/new/check", {"file": half_of_a_pair()}).content.decode()
    assert 'name="base_model" required' in html and "Stable Cascade" in html and "I do not know" in html


def test_an_open_question_is_answered_before_anything_is_stored(ada):
    refused = ada.post("/new", form(file=half_of_a_pair()))
    assert refused.status_code == 422 and "Which is it?" in refused.content.decode()
    assert not Embedding.objects.exists()
    assert ada.post("/new", form(file=half_of_a_pair(), base_model="stable-cascade")).status_code == 302
    assert Version.objects.get().base_model.name == "stable-cascade"


def test_not_knowing_is_an_answer(ada):
    assert ada.post("/new", form(file=half_of_a_pair(), base_model="unknown")).status_code == 302
    assert Version.objects.get().base_model is None


def test_a_base_model_of_another_family_is_refused_with_both_values(ada):
    html = ada.post("/new", form(base_model="sd-1-5")).content.decode()
    assert "is of the family sd1" in html
    assert not Embedding.objects.exists() and not BaseModel.objects.filter(name="sd-1-5").exists()


def test_a_word_that_others_use_is_warned_of_and_allowed(ada, bob):
    factories.published("bob", "moss-wyrm", trigger="moss-dragon")
    hint = ada.get("/new/trigger?trigger=Moss-Dragon").content.decode()
    assert "/bob/moss-wyrm" in hint
    assert ada.get("/new/trigger?trigger=unheard-of").content.decode().strip() == ""
    assert ada.post("/new", form()).status_code == 302
    assert "also the trigger of bob/moss-wyrm" in ada.get("/ada/moss-dragon").content.decode()


def test_the_word_of_a_private_embedding_is_nobody_s_business(ada):
    factories.published("bob", "moss-wyrm", trigger="moss-dragon", visibility="private")
    assert "moss-wyrm" not in ada.get("/new/trigger?trigger=moss-dragon").content.decode()


def half_file(width: int, token: str = "<moss>") -> SimpleUploadedFile:
    data = samples.keyed_file({token: width}, vectors=2)
    return SimpleUploadedFile(f"learned_embeds_{width}.safetensors", data)


def test_half_of_an_sdxl_pair_asks_for_the_other_file(ada):
    html = ada.post("/new/check", {"file": half_file(768)}).content.decode()
    assert "data-is-half" in html
    both = {"file": half_file(1280), "half": half_file(768)}
    html = ada.post("/new/check", both).content.decode()
    assert (
        "data-is-half" not in html and "SDXL" in html and "2 \u00d7 768" in html and "2 \u00d7 1280" in html
    )


def test_two_files_of_a_pair_are_one_version(ada):
    response = ada.post("/new", form(file=half_file(768), half=half_file(1280)))
    assert response.status_code == 302
    version = Version.objects.get()
    assert version.family == "sdxl"
    assert [encoder["width"] for encoder in version.encoders] == [768, 1280]


def test_two_files_that_do_not_belong_together_are_refused_beside_the_second(ada):
    response = ada.post("/new", form(file=half_file(768), half=half_file(1280, "<fern>")))
    html = response.content.decode()
    assert response.status_code == 422 and 'id="id_half_error"' in html and "different words" in html
    assert not Version.objects.exists() and not Blob.objects.exists()


def test_a_first_version_of_what_a_tool_made_asks_for_the_kind(ada):
    embedding = factories.embedding("ada", "fern", kind="")
    assert 'name="kind"' in ada.get("/ada/fern/new-version").content.decode()
    values = {"file": upload(), "trigger": "fern-dragon", "licence": "cc0-1.0"}
    assert ada.post("/ada/fern/new-version", values).status_code == 422
    response = ada.post("/ada/fern/new-version", {**values, "file": upload(), "kind": "object"})
    assert (response.status_code, response["Location"]) == (302, "/ada/fern")
    embedding.refresh_from_db()
    assert (embedding.kind, embedding.last_number) == ("object", 1)
    assert 'name="kind"' not in ada.get("/ada/fern/new-version").content.decode()
