"""A call of every operation of the native API that is answered as it should be: the table of who asks what of what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.models import Collection, Embedding, Version
from tests import factories, samples
from tests.api.seeded import Seeded


@dataclass
class Asked:
    """The parts of a call, and who makes it."""

    path: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    who: str = "owner"


def of(thing: Embedding | Collection, **more: Any) -> dict[str, Any]:
    """Owner and name."""
    return {"owner": thing.owner.name, "name": thing.name, **more}


def at(version: Version, **more: Any) -> dict[str, Any]:
    """Owner, name and number: a draft's own id, or the number of a version."""
    return of(version.embedding, number=version.number or version.pk, **more)


def new_version(hub: Seeded) -> dict[str, Any]:
    """The form of a version."""
    return {"file": hub.file(), "trigger": "moss-dragon", "licence": "cc0-1.0"}


def new_run(hub: Seeded) -> dict[str, Any]:
    """The form of a run."""
    return {
        "name": "fern-light", "kind": "style", "base_model": hub.base.name, "licence": "cc0-1.0", "consent": True,
        "settings": '{"max_steps": 20}', "pictures": [samples.picture(size=(96, 96), colour=one) for one in
        ("navy", "seagreen", "firebrick")],
    }  # fmt: skip


def waiting(hub: Seeded) -> dict[str, Any]:
    """A picture that waits for a run."""
    return {"picture_id": hub.training_pictures()[0].pk}


def mail(hub: Seeded) -> Asked:
    """The wish for a mail, where mail can be sent."""
    hub.with_mail()
    return Asked({"run_id": hub.run.pk})


def advised(hub: Seeded) -> Asked:
    """Waiting pictures, and the question what to know of them."""
    return Asked(body={"kind": "style", "pictures": [str(one.pk) for one in hub.training_pictures()]})


def rulings_of(hub: Seeded) -> Asked:
    """A ruling."""
    return Asked({"number": hub.ruling.pk}, {"reason": "It is theirs."}, who="moderator")


def having_case(body: Any = None, **given: Any) -> Callable[[Seeded], Asked]:
    """A call about the case of a flag."""
    return lambda hub: Asked({"about": "embedding", "number": hub.flag.embedding_id}, body, **given)


def ordered(hub: Seeded, version: Version) -> Asked:
    """The pictures in their order."""
    return Asked(at(version), {"order": [hub.picture_of(version).pk]})


def pictured(hub: Seeded, version: Version, who: str = "owner") -> Asked:
    """A picture."""
    return Asked(at(version, picture=hub.picture_of(version).pk), who=who)


def ask(
    scheme: Callable[[Seeded], Mapping[str, Any]] | None = None, **given: Any
) -> Callable[[Seeded], Asked]:
    """A call to the address that the hub's things give."""
    return lambda hub: Asked(path=dict(scheme(hub)) if scheme else {}, **given)


def having(make: Callable[[Seeded], Any], **given: Any) -> Callable[[Seeded], Asked]:
    """A call once something is there."""

    def made(hub: Seeded) -> Asked:
        make(hub)
        return Asked(**given)

    return made


PICTURE: Final = {"file": samples.picture(colour="gold")}
CALLS: Final[dict[str, Callable[[Seeded], Asked]]] = {
    "convert": lambda hub: Asked(body={"file": hub.file(), "layout": "webui-image"}, who="nobody"),
    "getFile": ask(lambda hub: at(hub.version, layout="onetrainer"), who="nobody"),
    "listRunPictures": ask(lambda hub: {"run_id": hub.run.pk}),
    "listGrowth": ask(lambda hub: {"run_id": hub.done.pk}),
    "trainAgain": ask(lambda hub: {"run_id": hub.done.pk}),
    "getAccount": ask(),
    "updateAccount": ask(body={"about": "I like moss."}, who="session"),
    "listBaseModels": ask(who="nobody"),
    "getBaseModel": ask(lambda hub: {"name": hub.base.name}, who="nobody"),
    "listDrafts": having(lambda hub: hub.draft, query={"limit": 5}),
    "countEmbeddings": having(lambda hub: hub.version, query={"q": "moss"}, who="nobody"),
    "listEmbeddings": having(lambda hub: hub.version, query={"q": "moss"}, who="nobody"),
    "createEmbedding": ask(body={"name": "fern-light", "kind": "style", "tags": ["green"]}),
    "getEmbedding": ask(lambda hub: of(hub.embedding), who="nobody"),
    "listRelated": ask(lambda hub: of(hub.embedding), who="nobody"),
    "updateEmbedding": ask(lambda hub: of(hub.embedding), body={"summary": "Soft light.", "tags": ["moss"]}),
    "deleteEmbedding": ask(lambda hub: of(hub.embedding)),
    "listDraftsOf": ask(lambda hub: of(hub.draft.embedding)),
    "createDraft": lambda hub: Asked(of(hub.embedding), new_version(hub)),
    "getDraft": ask(lambda hub: at(hub.draft)),
    "updateDraft": ask(lambda hub: at(hub.draft), body={"notes": "Softer.", "label": "soft"}),
    "discardDraft": ask(lambda hub: at(hub.draft)),
    "listDraftPictures": lambda hub: Asked(at(hub.picture_of(hub.draft).version)),
    "addDraftPicture": ask(lambda hub: at(hub.draft), body=PICTURE),
    "orderDraftPictures": lambda hub: ordered(hub, hub.draft),
    "removeDraftPicture": lambda hub: pictured(hub, hub.draft),
    "publishDraft": ask(lambda hub: at(hub.draft), body={"notes": "The second."}),
    "getGate": ask(lambda hub: of(hub.gated), who="nobody"),
    "updateGate": ask(lambda hub: of(hub.embedding), body={"gate": "auto", "terms": "No likenesses."}),
    "askForAccess": ask(
        lambda hub: of(hub.gated), body={"agree": True, "message": "For a zine."}, who="stranger"
    ),
    "withdrawAccess": ask(lambda hub: of(hub.access_request.embedding), who="stranger"),
    "listAccessRequests": ask(lambda hub: of(hub.access_request.embedding)),
    "grantAccess": lambda hub: Asked(of(hub.gated), {"name": factories.user("bob").username}),
    "getAccessRequest": ask(lambda hub: of(hub.access_request.embedding, person="bob")),
    "answerAccessRequest": ask(
        lambda hub: of(hub.access_request.embedding, person="bob"), body={"state": "accepted"}
    ),
    "like": ask(lambda hub: of(hub.others)),
    "unlike": ask(lambda hub: of(hub.liked)),
    "renameEmbedding": ask(lambda hub: of(hub.embedding), body={"name": "moss-wyrm"}),
    "listVersions": ask(lambda hub: of(hub.embedding), who="nobody"),
    "publishVersion": lambda hub: Asked(of(hub.embedding), new_version(hub)),
    "getVersion": ask(lambda hub: at(hub.version), who="nobody"),
    "deleteVersion": ask(lambda hub: at(hub.version)),
    "listFiles": ask(lambda hub: at(hub.version), who="nobody"),
    "labelVersion": ask(lambda hub: at(hub.version), body={"label": "first"}),
    "unlabelVersion": ask(lambda hub: at(hub.version)),
    "listVersionPictures": lambda hub: Asked(at(hub.picture_of(hub.version).version), who="nobody"),
    "addVersionPicture": ask(lambda hub: at(hub.version), body=PICTURE),
    "orderVersionPictures": lambda hub: ordered(hub, hub.version),
    "removeVersionPicture": lambda hub: pictured(hub, hub.version),
    "unyankVersion": ask(lambda hub: at(hub.yanked)),
    "yankVersion": ask(lambda hub: at(hub.version), body={"reason": "A better one comes."}),
    "listFlags": having(lambda hub: hub.flag),
    "raiseFlag": lambda hub: Asked(body={"name": hub.others.full_name, "reason": "spam", "version": 1}),
    "withdrawFlag": ask(lambda hub: {"number": hub.flag.pk}),
    "listOwnRulings": having(lambda hub: hub.own_ruling, who="session"),
    "getOwnRuling": ask(lambda hub: {"number": hub.own_ruling.pk}, who="session"),
    "appeal": ask(lambda hub: {"number": hub.own_ruling.pk}, body={"text": "It is my own."}, who="session"),
    "inspect": lambda hub: Asked(body={"file": hub.file()}, who="nobody"),
    "listLikes": having(lambda hub: hub.liked),
    "listQueue": having(lambda hub: hub.flag, who="moderator"),
    "getFlag": ask(lambda hub: {"number": hub.flag.pk}, who="moderator"),
    "settleFlag": ask(lambda hub: {"number": hub.flag.pk}, body={"outcome": "dismissed"}, who="moderator"),
    "listRulings": having(lambda hub: hub.ruling, who="moderator"),
    "makeRuling": lambda hub: Asked(
        body={"name": hub.others.full_name, "kind": "quarantine", "reason": "A look."}, who="moderator"
    ),
    "listCases": having(lambda hub: hub.flag, who="moderator"),
    "getCase": having_case(who="moderator"),
    "ruleOnCase": having_case({"kind": "quarantine", "reason": "A look."}, who="moderator"),
    "dismissCase": having_case({"note": "It is in order."}, who="moderator"),
    "listAppeals": having(lambda hub: hub.appeal, who="moderator"),
    "answerAppeal": lambda hub: Asked(
        {"number": hub.appeal.ruling_id}, {"outcome": "upheld", "answer": "It stands."}, who="moderator"
    ),
    "getRuling": ask(lambda hub: {"number": hub.ruling.pk}, who="moderator"),
    "liftRuling": rulings_of,
    "listPacks": having(lambda hub: hub.pack, who="nobody"),
    "createPack": ask(body={"name": "dry-places", "title": "Dry places"}),
    "getPack": ask(lambda hub: of(hub.pack), who="nobody"),
    "updatePack": ask(lambda hub: of(hub.pack), body={"description": "All wet."}),
    "deletePack": ask(lambda hub: of(hub.pack)),
    "getLock": ask(lambda hub: of(hub.pack), who="nobody"),
    "addMember": lambda hub: Asked(of(hub.pack), {"name": hub.others.full_name, "note": "For contrast."}),
    "updateMember": ask(lambda hub: of(hub.pack, number=hub.member.pk), body={"note": "The base of it."}),
    "removeMember": ask(lambda hub: of(hub.pack, number=hub.member.pk)),
    "getPerson": ask(lambda hub: {"name": hub.embedding.owner.name}, who="nobody"),
    "listHidden": lambda hub: Asked({"name": hub.unlisted.owner.name}),
    "listPictureSets": ask(who="nobody"),
    "listRuns": having(lambda hub: hub.run),
    "startRun": lambda hub: Asked(body=new_run(hub)),
    "getRun": ask(lambda hub: {"run_id": hub.run.pk}),
    "cancelRun": ask(lambda hub: {"run_id": hub.run.pk}),
    "compareRuns": lambda hub: Asked(query={"run": [str(hub.run.pk), str(hub.second_run.pk)]}),
    "runEvents": ask(lambda hub: {"run_id": hub.run.pk}),
    "goOnFromRun": ask(lambda hub: {"run_id": hub.stopped.pk}, body={"step": 10}),
    "askForMail": mail,
    "askForNoMail": mail,
    "forgetPictures": ask(lambda hub: {"run_id": hub.done.pk}),
    "publishRun": ask(lambda hub: {"run_id": hub.done.pk}, body={"notes": "Learned here."}),
    "listSnapshots": ask(lambda hub: {"run_id": hub.done.pk}),
    "takeSnapshot": lambda hub: Asked(
        {"run_id": hub.done.pk}, {"label": hub.done.snapshots.earliest("pk").label}
    ),
    "getQuota": ask(),
    "listTeams": having(lambda hub: hub.team),
    "createTeam": ask(body={"name": "moss-house", "title": "Moss House"}),
    "getTeam": ask(lambda hub: {"name": hub.team.owner.name}, who="nobody"),
    "updateTeam": ask(lambda hub: {"name": hub.team.owner.name}, body={"about": "We like ferns."}),
    "deleteTeam": ask(lambda hub: {"name": hub.team.owner.name}, who="session"),
    "renameTeam": ask(lambda hub: {"name": hub.team.owner.name}, body={"name": "moss-house"}, who="session"),
    "listTeammates": ask(lambda hub: {"name": hub.team.owner.name}, who="nobody"),
    "getTeammate": ask(lambda hub: {"name": hub.team.owner.name, "person": "cleo"}, who="nobody"),
    "changeRole": ask(lambda hub: {"name": hub.team.owner.name, "person": "cleo"}, body={"role": "reader"}),
    "removeTeammate": ask(lambda hub: {"name": hub.team.owner.name, "person": "cleo"}),
    "listTeamInvitations": lambda hub: Asked({"name": hub.invitation.team.owner.name}),
    "invite": lambda hub: Asked(
        {"name": hub.team.owner.name}, {"name": factories.user("dora").username, "role": "reader"}
    ),
    "listInvitations": having(lambda hub: hub.invitation, who="stranger"),
    "getInvitation": ask(lambda hub: {"number": hub.invitation.pk}, who="stranger"),
    "endInvitation": ask(lambda hub: {"number": hub.invitation.pk}, who="stranger"),
    "acceptInvitation": ask(lambda hub: {"number": hub.invitation.pk}, who="stranger"),
    "transferEmbedding": lambda hub: Asked(of(hub.embedding), {"owner": hub.team.owner.name}, who="session"),
    "transferPack": lambda hub: Asked(of(hub.pack), {"owner": hub.team.owner.name}, who="session"),
    "listTokens": having(lambda hub: hub.token, who="session"),
    "createToken": ask(body={"name": "build", "scopes": ["read"]}, who="session"),
    "getToken": ask(lambda hub: {"number": hub.token.pk}, who="session"),
    "revokeToken": ask(lambda hub: {"number": hub.token.pk}, who="session"),
    "giveUpToken": ask(),
    "listTrainingPictures": having(lambda hub: hub.training_pictures()),
    "addTrainingPicture": ask(body={"file": samples.picture(size=(96, 96), colour="gold")}),
    "removeTrainingPicture": lambda hub: Asked(waiting(hub)),
    "changeTrainingPicture": lambda hub: Asked(waiting(hub), {"focus": [0, 0.25, 0.5, 1]}),
    "maskTrainingPicture": lambda hub: Asked(waiting(hub), {"file": samples.picture(size=(96, 96))}),
    "unmaskTrainingPicture": lambda hub: Asked(waiting(hub)),
    "adviseOnPictures": advised,
    "listTrainingPrompts": lambda hub: Asked(
        body={"kind": "style", "base_model": hub.base.name, "trigger": "moss-glow", "captions": ["a cat"]}
    ),
    "whoUsesTrigger": lambda hub: Asked({"word": hub.version.trigger}, who="nobody"),
    "listWebhooks": having(lambda hub: hub.webhook),
    "createWebhook": lambda hub: Asked(body={"url": hub.receiver.url, "events": ["version.published"]}),
    "getWebhook": ask(lambda hub: {"number": hub.webhook.pk}),
    "updateWebhook": ask(lambda hub: {"number": hub.webhook.pk}, body={"events": ["run.done"]}),
    "deleteWebhook": ask(lambda hub: {"number": hub.webhook.pk}),
    "listDeliveries": lambda hub: Asked({"number": hub.delivery.webhook_id}),
    "getDelivery": lambda hub: Asked({"number": hub.delivery.webhook_id, "key": hub.delivery.key}),
    "redeliver": lambda hub: Asked({"number": hub.delivery.webhook_id, "key": hub.delivery.key}),
    "pingWebhook": ask(lambda hub: {"number": hub.webhook.pk}),
    "rotateWebhookSecret": ask(lambda hub: {"number": hub.webhook.pk}),
    "webhookHosts": ask(),
    "whoami": ask(),
}
