"""Names that read like much pulled ones are published and kept for moderators to look at (rule N3)."""

import pytest

from hub.models import Embedding, Flag
from hub.services.embeddings.names import reads_like
from hub.services.versions import publishing
from tests import factories

KNOWN = "moss-dragon"


@pytest.mark.parametrize(
    "name",
    ["moss-dragon", "m0ss.dragon", "moss-dragn", "moss-dragoon", "moss-dragom", "mosss-dragon",
     "moss-dragon-2", "moss-dragon-official", "real-moss-dragon"],
)  # fmt: skip
def test_names_that_people_mistake_for_another(name: str) -> None:
    assert reads_like(name, KNOWN)


@pytest.mark.parametrize("name", ["moss", "dragon", "ring-dusk", "moss-dragon-cave", "fern-dragon", "a"])
def test_names_that_are_their_own(name: str) -> None:
    assert not reads_like(name, KNOWN)


def test_swapped_neighbours_are_one_slip() -> None:
    assert reads_like("mossd-ragon", KNOWN) and reads_like("msos-dragon", KNOWN)


@pytest.mark.django_db
class TestFlags:
    """What is flagged, and when."""

    @pytest.fixture(autouse=True)
    def known(self) -> None:
        factories.published(name=KNOWN)
        Embedding.objects.update(downloads=12)

    def test_a_public_look_alike_is_published_and_flagged_with_what_it_is_like(self) -> None:
        embedding = factories.published("bob", "moss-dragon2")
        flag = Flag.objects.get()
        assert (flag.embedding, flag.rule, flag.detail) == (embedding, "N3", {"like": "ada/moss-dragon"})
        assert embedding.head is not None

    def test_what_is_private_is_flagged_when_it_becomes_public(self) -> None:
        embedding = factories.published("bob", "moss-dragon2", visibility="private")
        assert not Flag.objects.exists()
        publishing.update_details(factories.viewer("bob"), embedding=embedding, visibility="public")
        publishing.update_details(factories.viewer("bob"), embedding=embedding, visibility="unlisted")
        publishing.update_details(factories.viewer("bob"), embedding=embedding, visibility="public")
        assert Flag.objects.count() == 1

    def test_one_s_own_names_and_names_nobody_pulls_are_no_matter(self) -> None:
        factories.published("ada", "moss-dragon2")
        factories.published("bob", "ring-dusk")
        factories.published("eve", "ring-dusk")
        assert not Flag.objects.exists()
