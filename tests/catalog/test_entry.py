"""The page of an embedding, and the page of a person."""

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.access import ANONYMOUS
from hub.catalog import entry, profile
from hub.errors import Gone, NotFound
from hub.models import Version
from hub.services.versions import publishing
from tests import factories, samples

pytestmark = pytest.mark.django_db

ADDRESS = {"owner": "ada", "name": "moss-dragon"}


def test_the_page_shows_the_head_with_its_sheet_and_files(tmp_path: Path) -> None:
    embedding = factories.published(family="sd1", tags=["moss"], label="spring")
    factories.sheet(embedding.versions.get(), tmp_path, blocks="ABC")
    page = entry.get(ANONYMOUS, **ADDRESS)
    assert page.version.number == 1 and page.is_head and page.commit == page.version.commits.get()
    assert [block.letter for block in page.blocks] == ["A", "B", "C"]
    assert [picture.alt for picture in page.blocks[0].rows[0]] == ["A0", "A1", "A2", "A3"]
    assert page.blocks[2].rows[0][0].is_control
    assert page.cover.alt == "A0" and page.cover.parameters["steps"] == 20
    assert page.sheet.extension == "webp"
    assert [file.path for file in page.files] == ["moss-dragon.safetensors", "learned_embeds.safetensors"]
    assert page.insights == {"intact": True}
    assert page.tags == ("moss",) and page.licence_title.startswith("CC0")
    assert page.may == frozenset() and page.drafts == ()


def test_older_versions_have_pages_of_their_own() -> None:
    embedding = factories.published()
    second = factories.version(embedding, notes="Softer.")
    publishing.update_details(factories.viewer(), embedding=embedding, card="Words.")
    old = entry.get_version(ANONYMOUS, **ADDRESS, number=1)
    assert not old.is_head and old.commit == old.version.commits.get()
    new = entry.get_version(ANONYMOUS, **ADDRESS, number=2)
    assert new.is_head and new.commit == second.commits.latest("sequence")
    assert [(line.name, line.is_head, line.is_shown) for line in old.editions] == [
        ("v2", True, False),
        ("v1", False, True),
    ]
    with pytest.raises(NotFound):
        entry.get_version(ANONYMOUS, **ADDRESS, number=3)


def test_deleted_versions_answer_gone_and_quarantined_ones_show_their_owner_why() -> None:
    embedding = factories.published()
    second = factories.version(embedding)
    publishing.delete_version(factories.viewer(), version=embedding.versions.get(number=1))
    with pytest.raises(Gone):
        entry.get_version(ANONYMOUS, **ADDRESS, number=1)
    Version.objects.filter(pk=second.pk).update(state="quarantined", state_reason="Looked at.")
    with pytest.raises(NotFound):
        entry.get_version(factories.viewer("bob"), **ADDRESS, number=2)
    assert entry.get_version(factories.viewer(), **ADDRESS, number=2).version.state_reason == "Looked at."


def test_owners_see_their_drafts_and_what_they_may_do() -> None:
    draft = factories.draft()
    page = entry.get(factories.viewer(), **ADDRESS)
    assert page.version is None and page.drafts == (draft,)
    assert {"publish_version", "edit_card", "yank"} <= page.may
    assert entry.get_draft(factories.viewer(), **ADDRESS, pk=draft.pk).version == draft
    with pytest.raises(NotFound):
        entry.get(ANONYMOUS, **ADDRESS)
    publishing.publish(factories.viewer(), version=draft)
    with pytest.raises(NotFound):
        entry.get_draft(factories.viewer(), **ADDRESS, pk=draft.pk)


def test_twins_have_the_same_values_and_related_ones_share_words() -> None:
    data = samples.canonical_file(seed=777)
    factories.published(ingested=factories.ingested(data), tags=["moss"])
    factories.published("bob", "copy-cat", ingested=factories.ingested(data), kind="object")
    factories.published("bob", "hidden-copy", ingested=factories.ingested(data), visibility="unlisted")
    factories.published("bob", "kin", kind="object", tags=["moss"], trigger="kin-word")
    factories.published("bob", "other-kind", kind="object")
    factories.published("bob", "other-family", tags=["moss"], family="sd1")
    page = entry.get(ANONYMOUS, **ADDRESS)
    assert [card.name for card in page.twins] == ["copy-cat"]
    assert [card.name for card in page.related] == ["kin"]


def test_a_longer_history_takes_no_more_queries(tmp_path: Path) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            entry.get(ANONYMOUS, **ADDRESS)
        return len(queries)

    embedding = factories.published(tags=["moss"])
    factories.sheet(embedding.versions.get(), tmp_path, blocks="A")
    factories.published(name="kin-0", tags=["moss"])
    before = count()
    for number in range(1, 5):
        factories.sheet(factories.version(embedding), tmp_path, blocks="ABCDE")
        factories.published(name=f"kin-{number}", tags=["moss", f"tag{number}"], trigger="kin-word")
    assert count() == before <= 20


def test_a_profile_shows_strangers_the_public_and_the_owner_everything() -> None:
    factories.published(name="shown")
    factories.published(name="unlisted", visibility="unlisted")
    factories.embedding(name="unfinished")
    page = profile.get(ANONYMOUS, name="Ada")
    assert [card.name for card in page.cards] == ["shown"] and page.hidden == () and not page.is_self
    own = profile.get(factories.viewer(), name="ada")
    assert {card.name for card in own.hidden} == {"unlisted", "unfinished"} and own.is_self
    assert profile.get(ANONYMOUS, name="ada").owner == own.owner
    with pytest.raises(NotFound):
        profile.get(ANONYMOUS, name="nobody-here")
