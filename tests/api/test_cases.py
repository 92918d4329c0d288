"""The desk through the native API: cases, what is decided about them, appeals and their answers."""

from typing import Any

import pytest
from django.test import Client

from hub.models import AuditEntry, Flag, Preview, User, Version
from hub.services.moderation import flags
from hub.services.versions import ingest
from tests import factories, samples
from tests.api.conftest import SignIn
from tests.api.test_moderation import API, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def mod(signed_in: SignIn) -> Client:
    return signed_in("mod", moderator=True)


def flagged(**thing: Any) -> Flag:
    return flags.raise_flag(factories.viewer("bob"), reason="spam", **thing)


def pictured(version: Version) -> Preview:
    return Preview.objects.create(
        version=version, role="upload", blob=ingest.store(samples.picture()), content_type="image/png",
        width=96, height=96,
    )  # fmt: skip


def place(about: str, number: int) -> str:
    return f"moderation/cases/{about}/{number}"


def test_a_case_is_listed_read_and_dismissed(mod: Client) -> None:
    flag = flagged(embedding=factories.published())
    [line] = mod.get(f"{API}/moderation/cases").json()["items"]
    assert (line["name"], line["people"], line["held"]) == ("ada/moss-dragon", 1, [])
    assert line["reasons"] == [{"reason": "spam", "rule": "M1", "flags": 1}]
    case = mod.get(line["url"]).json()
    assert [one["id"] for one in case["flags"]] == [flag.pk] and "bob" not in str(case)
    assert case["owner"]["name"] == "ada" and not case["owner"]["is_frozen"]
    [version] = case["versions"]
    assert (version["number"], version["state"]) == (1, "published") and version["files"]
    done = send(mod, f"{place('embedding', line['number'])}/dismiss", {"note": "In order."})
    assert (done.status_code, done.json()) == (200, {"settled": 1})
    assert mod.get(f"{API}/moderation/cases").json()["items"] == []
    assert [one["name"] for one in mod.get(f"{API}/moderation/cases?state=all").json()["items"]] == [
        "ada/moss-dragon"
    ]


def test_cases_are_narrowed_by_what_they_are_about_and_why(mod: Client) -> None:
    flagged(embedding=factories.published())
    flagged(owner=factories.user("ada").owner)

    def names(asked: str) -> list[str]:
        return [one["name"] for one in mod.get(f"{API}/moderation/cases?{asked}").json()["items"]]

    assert names("about=owner") == ["ada"]
    assert names("reason=spam") == ["ada/moss-dragon", "ada"]
    assert names("reason=rule") == []
    assert mod.get(f"{API}/moderation/cases?about=nonsense").status_code == 400


def test_a_pack_is_held_and_given_back(mod: Client) -> None:
    pack = factories.pack("ada", "wet-places", factories.published().versions.get())
    flagged(pack=pack)
    made = send(mod, f"{place('pack', pack.pk)}/rulings", {"kind": "quarantine", "reason": "A look."})
    assert made.status_code == 201, made.content
    [ruling] = made.json()["items"]
    assert (ruling["name"], ruling["version"], ruling["state"]) == ("ada/wet-places", None, None)
    assert Client().get(f"{API}/packs/ada/wet-places").status_code == 404
    assert [one["held"] for one in mod.get(f"{API}/moderation/cases?state=all").json()["items"]] == [
        ["quarantine"]
    ]
    send(mod, f"moderation/rulings/{ruling['id']}/lift", {})
    assert Client().get(f"{API}/packs/ada/wet-places").status_code == 200


def test_an_account_is_frozen_with_the_password_given_again(signed_in: SignIn) -> None:
    ada = factories.user("ada")
    where = f"{place('owner', ada.owner_id)}/rulings"
    refused = send(
        signed_in("mod", moderator=True, fresh=False), where, {"kind": "freeze", "reason": "Spam."}
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "reauthentication_required")
    assert send(signed_in("mod"), where, {"kind": "freeze", "reason": "Spam."}).status_code == 201
    assert not User.objects.get(username="ada").is_active


def test_a_text_of_a_profile_and_a_picture_are_removed(mod: Client) -> None:
    embedding = factories.published()
    picture = pictured(embedding.versions.get())
    User.objects.filter(username="ada").update(about="Buy moss!")
    owner = place("owner", embedding.owner_id)
    assert mod.get(f"{API}/{owner}").json()["text"] == "Buy moss!"
    assert send(mod, f"{owner}/rulings", {"kind": "clear", "reason": "Spam."}).status_code == 201
    assert mod.get(f"{API}/{owner}").json()["text"] == ""

    case = place("embedding", embedding.pk)
    [shown] = mod.get(f"{API}/{case}").json()["versions"][0]["pictures"]
    assert mod.get(shown["url"]).status_code == 200
    given = {"kind": "remove_picture", "reason": "Not yours.", "picture": shown["id"]}
    assert (shown["id"], send(mod, f"{case}/rulings", given).status_code) == (picture.pk, 201)
    assert mod.get(f"{API}/{case}").json()["versions"][0]["pictures"] == []
    again = send(mod, f"{case}/rulings", given)
    assert (again.status_code, again.json()["error"]["detail"]["field"]) == (422, "picture")


@pytest.mark.parametrize(
    ("about", "given", "field"),
    [
        ("owner", {"kind": "quarantine"}, "kind"),
        ("owner", {"kind": "freeze", "version": 1}, "version"),
        ("embedding", {"kind": "quarantine", "version": 7}, "version"),
        ("embedding", {"kind": "remove_picture"}, "picture"),
        ("embedding", {"kind": "quarantine", "picture": 1}, "picture"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(
    mod: Client, about: str, given: dict[str, Any], field: str
) -> None:
    embedding = factories.published()
    number = embedding.pk if about == "embedding" else embedding.owner_id
    refused = send(mod, f"{place(about, number)}/rulings", {"reason": "x", **given})
    assert (refused.status_code, refused.json()["error"]["detail"]["field"]) == (422, field)


def test_an_appeal_is_answered_by_another_moderator(mod: Client, signed_in: SignIn) -> None:
    factories.published()
    send(mod, "moderation/rulings", {"name": "ada/moss-dragon", "kind": "quarantine", "reason": "A look."})
    ada, other = signed_in("ada"), signed_in("judge", moderator=True)
    [told] = ada.get(f"{API}/rulings").json()["items"]
    send(ada, f"rulings/{told['id']}/appeal", {"text": "I drew it."})
    [waiting] = other.get(f"{API}/moderation/appeals").json()["items"]
    assert (waiting["appeal"]["text"], waiting["made_by"]) == ("I drew it.", "mod")
    where = f"moderation/rulings/{waiting['id']}/answer"
    given = {"outcome": "overturned", "answer": "You are right."}
    refused = send(mod, where, given)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ruled_by_you")
    answered = send(other, where, given).json()
    assert (answered["state"], answered["lifted_by"], answered["appeal"]["answer"]) == (
        "published", "judge", "You are right.",
    )  # fmt: skip
    assert other.get(f"{API}/moderation/appeals").json()["items"] == []
    assert len(other.get(f"{API}/moderation/appeals?state=settled").json()["items"]) == 1
    assert ada.get(told["url"]).json()["appeal"]["outcome"] == "overturned"


def test_a_look_at_something_private_is_written_down(mod: Client) -> None:
    factories.team(cleo="reader")
    secret = factories.published(name="secret", visibility="private")
    case = place("embedding", secret.pk)
    assert mod.get(f"{API}/{case}").status_code == 404
    Flag.objects.create(embedding=secret, rule="M1", reason="spam")
    assert mod.get(f"{API}/{case}").json()["is_private"] is True
    assert AuditEntry.objects.filter(act="look_at_private").count() == 1


def test_the_log_is_narrowed_by_kind_and_moderator(mod: Client) -> None:
    factories.published()
    send(mod, "moderation/rulings", {"name": "ada/moss-dragon", "kind": "quarantine", "reason": "A look."})

    def count(asked: str) -> int:
        return len(mod.get(f"{API}/moderation/rulings?{asked}").json()["items"])

    assert [count(one) for one in ("kind=quarantine", "kind=freeze", "by=mod", "by=nobody")] == [1, 0, 1, 0]


def test_nobody_else_knows_of_the_desk_and_no_token_reaches_it(signed_in: SignIn) -> None:
    flag = flagged(embedding=factories.published())
    factories.moderator()
    token = factories.bearer("mod", "read", "publish", "manage", "train")
    case = place("embedding", flag.embedding_id or 0)
    bob = signed_in("bob")
    for path in ("moderation/cases", case, "moderation/appeals"):
        assert bob.get(f"{API}/{path}").status_code == 404
        assert Client().get(f"{API}/{path}").status_code == 401
        assert Client().get(f"{API}/{path}", headers=token).status_code == 403
    for path, given in (
        (f"{case}/rulings", {"kind": "quarantine", "reason": "x"}),
        (f"{case}/dismiss", {}),
        ("moderation/rulings/1/answer", {"outcome": "upheld", "answer": "x"}),
    ):
        assert send(bob, path, given).status_code == 404
        assert send(Client(), path, given, token).status_code == 403
    assert Flag.objects.get().settled_at is None


def test_more_cases_cost_no_more_queries(mod: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(5):
        flagged(embedding=factories.published(name=f"word-{number}"))
    with django_assert_max_num_queries(20) as captured:
        mod.get(f"{API}/moderation/cases?limit=1")
    with django_assert_max_num_queries(len(captured)):
        mod.get(f"{API}/moderation/cases?limit=5")


def test_a_single_picture_is_flagged(mod: Client) -> None:
    picture = pictured(factories.published().versions.get())
    bob = factories.bearer("bob", "manage")
    given = {"name": "ada/moss-dragon", "version": 1, "picture": picture.pk, "reason": "likeness"}
    raised = send(Client(), "flags", given, bob)
    assert (raised.status_code, raised.json()["picture"]) == (201, picture.pk)
    [queued] = mod.get(f"{API}/moderation/flags").json()["items"]
    assert queued["picture"] == picture.pk
    for wrong in ({"picture": picture.pk + 1}, {"version": None}, {"name": "ada", "version": None}):
        refused = send(Client(), "flags", {**given, **wrong}, bob)
        assert (refused.status_code, refused.json()["error"]["detail"]["field"]) == (422, "picture")
