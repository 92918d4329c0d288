"""Reports, the moderators' desk, rulings as owners see them, appeals: page by page, and the whole way."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.models import Appeal, AuditEntry, Collection, Embedding, Flag, Preview, Ruling, User
from hub.services.moderation import flags, rulings
from hub.services.packs import packs
from hub.services.people import teams
from hub.services.versions import ingest
from tests import factories, samples
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
REPORT = "/ada/moss-dragon/report"


@pytest.fixture
def embedding() -> Embedding:
    return factories.published()


@pytest.fixture
def mod(db: None) -> Client:
    """A moderator who gave the password a moment ago."""
    factories.moderator()
    return fresh("mod")


def fresh(name: str) -> Client:
    """Signed in so lately that nothing is asked again."""
    client = signed_in(name)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": timezone.now().timestamp()}]
    session.save()
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def case_of(thing: Any, kind: str = "embedding") -> str:
    return f"/moderation/{kind}/{thing.pk}"


def uploaded(embedding: Embedding) -> Preview:
    """A picture of the publisher's own."""
    return Preview.objects.create(
        version=embedding.versions.get(), role="upload", blob=ingest.store(samples.picture(colour="#102030")),
        width=64, height=64, alt="A moss dragon", parameters={"source": "x"},
    )  # fmt: skip


def test_from_report_to_ruling_to_owner_and_back(
    ada: Client, bob: Client, mod: Client, stranger: Client, embedding: Embedding
) -> None:
    assert f"{REPORT}?version=1" in text(bob.get("/ada/moss-dragon"))
    assert REPORT not in text(ada.get("/ada/moss-dragon"))
    sent = bob.post(f"{REPORT}?version=1", {"reason": "copyright", "text": "From my book."}, follow=True)
    assert "Thank you" in text(sent)
    assert "waits for a moderator" in text(bob.get("/settings/reports"))
    queue = text(mod.get("/moderation"))
    assert "ada/moss-dragon" in queue and "1 case open" in queue and "bob" not in queue
    case = text(mod.get(case_of(embedding)))
    assert "From my book." in case and "bob" not in case
    made = mod.post(
        case_of(embedding),
        {
            "do": "rule",
            "kind": "take_down",
            "category": "copyright",
            "reason": "Pages of a book. Ask its author.",
        },
        follow=True,
    )
    assert "taken down" in text(made)
    gone = stranger.get("/ada/moss-dragon")
    assert gone.status_code == 451
    assert "somebody else" in text(gone) and "Ask its author" not in text(gone)
    assert "something was done" in text(bob.get("/settings/reports"))
    own = text(ada.get("/ada/moss-dragon"))
    assert "Ask its author" in own
    ruling = Ruling.objects.get()
    page = f"/settings/rulings/{ruling.pk}"
    assert page in own and page not in text(bob.get("/settings/rulings"))
    assert bob.get(page).status_code == 404
    assert "Pages of a book" in text(ada.get("/settings/rulings"))
    assert "Another moderator" in text(ada.post(page, {"text": "The author is me."}, follow=True))
    assert "The author is me." in text(mod.get("/moderation/appeals"))
    other = fresh(factories.user("mira", moderator=True).username)
    refused = text(mod.post(f"/moderation/rulings/{ruling.pk}", {"outcome": "overturned", "answer": "Well."}))
    assert "Another moderator has to look" in refused and Appeal.objects.get().settled_at is None
    other.post(f"/moderation/rulings/{ruling.pk}", {"outcome": "overturned", "answer": "You are."})
    assert stranger.get("/ada/moss-dragon").status_code == 200
    assert "You are." in text(ada.get(page))
    assert "taken back" in text(mod.get("/moderation/rulings"))
    assert "Ask its author" not in text(ada.get("/ada/moss-dragon"))


def test_a_ruling_is_taken_back_by_hand(
    ada: Client, mod: Client, stranger: Client, embedding: Embedding
) -> None:
    mod.post(
        case_of(embedding), {"do": "rule", "kind": "quarantine", "category": "harmful", "reason": "A look."}
    )
    assert stranger.get("/ada/moss-dragon").status_code == 404
    assert "A look." in text(ada.get("/ada/moss-dragon"))
    seen = text(mod.get("/ada/moss-dragon"))
    assert (
        "because you are a moderator" in seen and case_of(embedding) in seen and "Publish a file" not in seen
    )
    assert "A look." in text(mod.get("/ada/moss-dragon/versions/1"))
    ruling = Ruling.objects.get()
    lifted = mod.post(f"/moderation/rulings/{ruling.pk}/lift", {"note": "All is well."}, follow=True)
    assert "taken back" in text(lifted)
    assert stranger.get("/ada/moss-dragon").status_code == 200
    assert "All is well." in text(ada.get(f"/settings/rulings/{ruling.pk}"))


def test_nothing_to_do_settles_all_flags(bob: Client, mod: Client, embedding: Embedding) -> None:
    flags.raise_flag(factories.viewer("bob"), embedding=embedding, reason="spam")
    flags.raise_flag(factories.viewer("cleo"), embedding=embedding, reason="spam")
    done = mod.post(case_of(embedding), {"do": "dismiss", "dismiss-note": "It is none."}, follow=True)
    assert "2 flags settled" in text(done) and "Every report has been looked at" in text(done)
    assert "nothing to do" in text(bob.get("/settings/reports"))
    assert "It is none." in text(mod.get(case_of(embedding)))
    assert "It is none." not in text(bob.get("/settings/reports"))


def test_who_is_not_signed_in_is_sent_to_sign_in(stranger: Client, embedding: Embedding) -> None:
    for address in (REPORT, "/report/ada", "/settings/reports", "/settings/rulings", "/moderation"):
        answer = stranger.get(address)
        assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/?next=")
    assert f"{REPORT}?version=1" in text(stranger.get("/ada/moss-dragon"))
    assert stranger.post(REPORT, {"reason": "spam"}).status_code == 401
    assert not Flag.objects.exists()


def test_the_desk_is_not_there_for_others(
    bob: Client, ada: Client, mod: Client, embedding: Embedding
) -> None:
    flags.raise_flag(factories.viewer("bob"), embedding=embedding, reason="spam")
    mod.post(
        case_of(embedding), {"do": "rule", "kind": "quarantine", "category": "spam", "reason": "A look."}
    )
    ruling = Ruling.objects.get()
    pages = ("/moderation", "/moderation/appeals", "/moderation/rulings", case_of(embedding),
             f"/moderation/rulings/{ruling.pk}", f"/moderation/pictures/{'0' * 64}")  # fmt: skip
    for client in (bob, ada):
        for page in pages:
            assert client.get(page).status_code == 404, page
        assert client.post(case_of(embedding), {"do": "dismiss"}).status_code == 404
        assert client.post(f"/moderation/rulings/{ruling.pk}/lift").status_code == 404
        assert 'href="/moderation' not in text(client.get("/"))
    ruling.refresh_from_db()
    assert ruling.lifted_at is None
    assert (
        mod.get("/moderation/pack/1").status_code == 404 and mod.get("/moderation/thing/1").status_code == 404
    )


def test_taking_down_and_freezing_ask_for_the_password_again(embedding: Embedding) -> None:
    person = factories.moderator().user
    assert person is not None
    person.set_password(factories.PASSWORD)
    person.save()
    client = signed_in("mod")
    given = {"do": "rule", "kind": "take_down", "category": "illegal", "reason": "Against the law."}
    asked = client.post(case_of(embedding), given)
    assert asked.status_code == 302 and asked["Location"].startswith("/accounts/reauthenticate/")
    assert not Ruling.objects.exists()
    client.post(asked["Location"], {"password": factories.PASSWORD}, follow=True)
    assert Ruling.objects.get().kind == "take_down"


def test_a_second_report_replaces_the_first(bob: Client, embedding: Embedding) -> None:
    bob.post(REPORT, {"reason": "spam"})
    page = text(bob.get(REPORT))
    assert "still open" in page
    bob.post(REPORT, {"reason": "other", "text": "It is not what it says."})
    assert Flag.objects.get().reason == "other"
    [flag] = Flag.objects.all()
    bob.post(f"/settings/reports/{flag.pk}/withdraw")
    assert not Flag.objects.exists()


def test_nobody_takes_back_what_another_reported(ada: Client, embedding: Embedding) -> None:
    flag = flags.raise_flag(factories.viewer("bob"), embedding=embedding, reason="spam")
    assert ada.post(f"/settings/reports/{flag.pk}/withdraw").status_code == 404
    assert Flag.objects.exists()


def test_what_is_wrong_with_a_report_is_said_beside_it(bob: Client, embedding: Embedding) -> None:
    assert "Choose what is wrong." in text(bob.post(REPORT, {"text": ""}))
    without = bob.post(REPORT, {"reason": "other"})
    assert without.status_code == 422 and "Say what is wrong with it." in text(without)
    assert bob.get("/ada/nothing/report").status_code == 404
    factories.published(name="hidden", visibility="private")
    assert bob.get("/ada/hidden/report").status_code == 404


def test_a_picture_is_reported_removed_and_given_back(
    ada: Client, bob: Client, mod: Client, stranger: Client, embedding: Embedding
) -> None:
    picture = uploaded(embedding)
    address = f"/media/{picture.blob_id}.png"
    assert stranger.get(address).status_code == 200
    asked = f"{REPORT}?version=1&picture={picture.blob_id}"
    assert "This picture" in text(bob.get(asked))
    bob.post(asked, {"reason": "likeness"})
    assert "reported" in text(mod.get(case_of(embedding)))
    kept = f"/moderation/pictures/{picture.blob_id}"
    mod.post(
        case_of(embedding),
        {
            "do": "rule",
            "kind": "remove_picture",
            "picture": picture.pk,
            "category": "likeness",
            "reason": "A face.",
        },
    )
    assert stranger.get(address).status_code == 404 and mod.get(kept).status_code == 200
    assert stranger.get("/ada/moss-dragon").status_code == 200
    ruling = Ruling.objects.get()
    assert "The word and its other pictures" in text(ada.get(f"/settings/rulings/{ruling.pk}"))
    mod.post(f"/moderation/rulings/{ruling.pk}/lift")
    assert stranger.get(address).status_code == 200
    back = Preview.objects.get()
    assert (back.alt, back.width, back.parameters) == ("A moss dragon", 64, {"source": "x"})


def test_a_pack_is_held_and_its_owner_cannot_open_it(
    ada: Client, bob: Client, mod: Client, stranger: Client, embedding: Embedding
) -> None:
    pack = factories.pack("ada", "wet-places", embedding.head)
    assert "/ada/wet-places/report" in text(bob.get("/ada/wet-places"))
    bob.post("/ada/wet-places/report", {"reason": "spam"})
    assert "pack" in text(mod.get("/moderation?kind=pack"))
    mod.post(
        case_of(pack, "pack"),
        {"do": "rule", "kind": "quarantine", "category": "spam", "reason": "Only links."},
    )
    assert stranger.get("/ada/wet-places").status_code == 404
    assert "Only links." in text(ada.get("/ada/wet-places"))
    pack.refresh_from_db()
    for given in ({"visibility": "public"}, {"visibility": "private"}):
        with pytest.raises(Exception, match="Moderators hold this pack"):
            packs.update_pack(factories.viewer("ada"), pack=pack, **given)
    with pytest.raises(Exception, match="Moderators hold this pack"):
        packs.delete_pack(factories.viewer("ada"), pack=pack)
    ruling = Ruling.objects.get()
    mod.post(f"/moderation/rulings/{ruling.pk}/lift")
    assert Collection.objects.get().visibility == "public"
    packs.delete_pack(factories.viewer("ada"), pack=pack)
    assert "ada/wet-places" in text(mod.get("/moderation/rulings"))
    assert mod.get(f"/moderation/rulings/{ruling.pk}").status_code == 200


def test_a_profile_is_cleared_and_an_account_frozen(ada: Client, bob: Client, mod: Client) -> None:
    person = factories.user("ada")
    User.objects.filter(pk=person.pk).update(about="Buy my things")
    headers = factories.bearer("ada", "read")
    assert "/report/ada" in text(bob.get("/ada"))
    bob.post("/report/ada", {"reason": "spam"})
    place = case_of(person.owner, "owner")
    mod.post(place, {"do": "rule", "kind": "clear", "category": "spam", "reason": "No advertising."})
    assert "Buy my things" not in text(bob.get("/ada"))
    mod.post(
        place, {"do": "rule", "kind": "freeze", "category": "spam", "reason": "Nothing but advertising."}
    )
    assert ada.get("/settings/account").status_code == 302
    assert Client().get("/api/hub/v1/whoami", headers=headers).status_code == 401
    for ruling in Ruling.objects.all():
        mod.post(f"/moderation/rulings/{ruling.pk}/lift")
    assert "Buy my things" in text(bob.get("/ada"))
    assert Client().get("/api/hub/v1/whoami", headers=headers).status_code == 200


def test_moderators_do_not_freeze_each_other(mod: Client) -> None:
    other = factories.user("mira", moderator=True)
    given = {"do": "rule", "kind": "freeze", "category": "other", "reason": "I do not like it."}
    answer = mod.post(case_of(other.owner, "owner"), given)
    assert answer.status_code == 422 and "by the operator alone" in text(answer)
    other.refresh_from_db()
    assert other.is_active


def test_a_look_at_something_private_that_was_reported_is_written_down(
    mod: Client, embedding: Embedding
) -> None:
    hidden = factories.published(name="hidden", visibility="private")
    assert mod.get(case_of(hidden)).status_code == 404
    flags.raise_flag(factories.viewer("ada"), embedding=hidden, reason="illegal")
    assert "Every look of yours is written down" in text(mod.get(case_of(hidden)))
    entry = AuditEntry.objects.get(act="look_at_private")
    assert (entry.actor, entry.subject) == ("mod", "ada/hidden")
    mod.get(case_of(embedding))
    assert AuditEntry.objects.filter(act="look_at_private").count() == 1
    assert mod.get("/ada/hidden").status_code == 404


def test_the_count_of_open_cases_stands_in_the_menu_and_costs_others_nothing(
    bob: Client, mod: Client, embedding: Embedding, django_assert_max_num_queries: Any
) -> None:
    def queries(client: Client) -> int:
        with django_assert_max_num_queries(30) as seen:
            client.get("/docs")
        return len(seen)

    before = queries(bob)
    flags.raise_flag(factories.viewer("bob"), embedding=embedding, reason="spam")
    flags.raise_flag(factories.viewer("cleo"), embedding=embedding, reason="spam")
    assert "1<span" in text(mod.get("/docs")) and "1<span" not in text(bob.get("/docs"))
    assert queries(bob) == before
    assert queries(mod) == before + 2


def test_the_queue_costs_the_same_for_many_cases(mod: Client, django_assert_max_num_queries: Any) -> None:
    def cost(address: str) -> int:
        with django_assert_max_num_queries(40) as seen:
            assert mod.get(address).status_code == 200
        return len(seen)

    def add(number: int) -> None:
        made = factories.published(name=f"word-{number}")
        flags.raise_flag(factories.viewer("bob"), embedding=made, reason="spam")
        [ruling] = rulings.rule(
            factories.moderator(),
            embedding=factories.published(name=f"held-{number}"),
            kind="quarantine",
            reason="x",
        )
        Appeal.objects.create(ruling=ruling, text="No.")

    places = ("/moderation", "/moderation/appeals", "/moderation/rulings")
    add(0)
    before = [cost(place) for place in places]
    for number in range(1, 5):
        add(number)
    assert [cost(place) for place in places] == before


def test_the_oldest_case_comes_first_and_filters_narrow(mod: Client, embedding: Embedding) -> None:
    other = factories.published(name="other")
    bob, cleo = factories.viewer("bob"), factories.viewer("cleo")
    late = flags.raise_flag(bob, embedding=embedding, reason="spam")
    early = flags.raise_flag(bob, embedding=other, reason="illegal")
    Flag.objects.filter(pk=early.pk).update(created_at=late.created_at - timedelta(days=2))
    flags.raise_flag(cleo, embedding=embedding, reason="copyright")
    Flag.objects.create(embedding=other, rule="N3", detail={"like": "x/y"})
    page = text(mod.get("/moderation"))
    assert page.index("ada/other") < page.index("ada/moss-dragon")
    assert "2 flags by 2 people" in page and "rule N3" in page
    assert "ada/other" not in text(mod.get("/moderation?reason=spam"))
    assert "ada/moss-dragon" not in text(mod.get("/moderation?reason=rule"))
    assert "Nothing waits" in text(mod.get("/moderation?state=settled&kind=owner"))


def test_a_team_has_no_account_to_freeze(mod: Client) -> None:
    team = teams.create(factories.viewer("ada"), name="moss-team", title="Moss team")
    page = text(mod.get(case_of(team.owner, "owner")))
    assert "rule on what it publishes" in page and "Make the ruling" not in page


def test_nobody_may_be_called_as_the_pages_of_reports_are(db: None) -> None:
    with pytest.raises(Exception, match="kept for the hub"):
        factories.user("report")
