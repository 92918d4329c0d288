"""A hub with something of everything in it, each thing made when it is first asked for, and who asks."""

import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from hub.access import Viewer
from hub.models import (
    AccessRequest,
    AccessToken,
    Appeal,
    BaseModel,
    Collection,
    CollectionMember,
    Delivery,
    Embedding,
    Flag,
    Invitation,
    Preview,
    Ruling,
    Team,
    Version,
    Webhook,
)
from hub.services.embeddings import gating, sharing
from hub.services.moderation import appeals, flags, rulings
from hub.services.people import teammates
from hub.services.versions import ingest, previews, publishing
from hub.services.webhooks import webhooks
from tests import factories, samples
from tests.parts.receiver import Receiver
from trainer import worker
from trainer.child import EngineChild
from trainer.models import TrainingImage, TrainingRun
from trainer.services import submitting
from trainer.services.submission import Submission

ALL = ("read", "publish", "manage", "train")
STAND_IN = Path(__file__).parents[1] / "trainer" / "stand_in_engine.py"
PROOF = "p" * 32
WHO = ("nobody", "owner", "stranger", "session", "moderator")


@contextmanager
def engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The engine child of the worker in this process: a real one, which learns nothing."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" 0.001\n')
    program.chmod(0o755)
    child = EngineChild(str(program))
    monkeypatch.setattr(worker, "_child", child)
    try:
        yield
    finally:
        child.kill()


def trainable() -> BaseModel:
    """A base model that Ada may train on; who has just made their account may not yet."""
    factories.user("ada", made_by_operator=True)
    made = factories.base_model()
    BaseModel.objects.filter(pk=made.pk).update(resolution=64, folder="/nonexistent")
    made.refresh_from_db()
    return made


class Seeded:
    """Ada's things, some of others' and the headers of everybody who may ask for them."""

    def __init__(self, folder: Path, receiver: Receiver, sign_in: Callable[..., Client]) -> None:
        self.folder, self.receiver, self._sign_in = folder, receiver, sign_in
        self.ada = factories.viewer("ada", made_by_operator=True)

    def headers(self, who: str) -> dict[str, str]:
        """What this caller sends with every call."""
        if who in ("owner", "stranger"):
            return factories.bearer("ada" if who == "owner" else "bob", *ALL)
        if who == "nobody":
            return {}
        signed_in = self._sign_in("ada" if who == "session" else "mod", moderator=who == "moderator")
        cookie = f"sessionid={signed_in.cookies['sessionid'].value}; csrftoken={PROOF}"
        return {"Cookie": cookie, "X-CSRFToken": PROOF}

    @cached_property
    def base(self) -> BaseModel:
        """An installed base model."""
        return trainable()

    @cached_property
    def embedding(self) -> Embedding:
        """A public embedding with a version, of a family that has several layouts."""
        return factories.published(family="sd1")

    @cached_property
    def version(self) -> Version:
        """Its version."""
        return self.embedding.versions.get(number=1)

    @cached_property
    def yanked(self) -> Version:
        """The same, yanked."""
        publishing.yank(self.ada, version=self.version, reason="A better one comes.")
        return self.version

    @cached_property
    def unlisted(self) -> Embedding:
        """An unlisted one."""
        return factories.published(name="half-hidden", visibility="unlisted")

    @cached_property
    def draft(self) -> Version:
        """A draft of the embedding."""
        return factories.draft(self.embedding, family="sd1")

    def picture_of(self, version: Version) -> Preview:
        """A picture of Ada's on it."""
        path = self.folder / "own.png"
        path.write_bytes(samples.picture())
        previews.add_upload(self.ada, version=version, path=path, filename="own.png")
        return version.previews.get(role=Preview.Role.UPLOAD)

    @cached_property
    def gated(self) -> Embedding:
        """The embedding, behind a gate that Ada opens by hand."""
        return gating.set_gate(self.ada, embedding=self.embedding, gate="manual", terms="No likenesses.")

    @cached_property
    def access_request(self) -> AccessRequest:
        """Bob asks for its files."""
        return gating.ask(factories.viewer("bob"), embedding=self.gated, agrees=True, message="For a zine.")

    @cached_property
    def liked(self) -> Embedding:
        """The embedding, which Ada likes."""
        sharing.like(self.ada, embedding=self.embedding)
        return self.embedding

    @cached_property
    def others(self) -> Embedding:
        """An embedding of Bob's."""
        return factories.published("bob", "bobs-fern")

    @cached_property
    def pack(self) -> Collection:
        """A pack of Ada's with one member."""
        return factories.pack("ada", "wet-places", self.version)

    @cached_property
    def member(self) -> CollectionMember:
        """Its member."""
        return self.pack.members.get()

    @cached_property
    def flag(self) -> Flag:
        """A flag of Ada's on Bob's embedding."""
        return flags.raise_flag(self.ada, embedding=self.others, reason="spam")

    @cached_property
    def ruling(self) -> Ruling:
        """Bob's embedding is held for a look."""
        [made] = rulings.rule(
            factories.moderator(), embedding=self.others, kind="quarantine", reason="A look."
        )
        return made

    @cached_property
    def own_ruling(self) -> Ruling:
        """Ada's embedding is held for a look."""
        [made] = rulings.rule(
            factories.moderator(), embedding=self.embedding, kind="quarantine", reason="A look."
        )
        return made

    @cached_property
    def appeal(self) -> Appeal:
        """Ada's answer to it."""
        return appeals.appeal(self.ada, ruling=self.own_ruling, text="It is my own.")

    @cached_property
    def team(self) -> Team:
        """A team of Ada's with Cleo in it."""
        return factories.team(cleo="writer")

    @cached_property
    def invitation(self) -> Invitation:
        """Bob is asked into it."""
        return teammates.invite(self.ada, team=self.team, name=factories.user("bob").username, role="reader")

    @cached_property
    def token(self) -> AccessToken:
        """A token of Ada's."""
        return factories.token("ada")[0]

    @cached_property
    def webhook(self) -> Webhook:
        """A webhook of Ada's."""
        made, _ = webhooks.create(self.ada, url=self.receiver.url, events=["version.published"])
        return made

    @cached_property
    def delivery(self) -> Delivery:
        """A test that was sent through it."""
        return webhooks.ping(self.ada, webhook=self.webhook)

    def training_pictures(self, viewer: Viewer | None = None) -> list[TrainingImage]:
        """Three pictures that wait for a run."""
        owner = (viewer or self.ada).user
        assert owner is not None
        return [
            TrainingImage.objects.create(
                owner=owner.owner, content_type="image/png", width=96, height=96, source_name=f"{colour}.png",
                blob=ingest.store(samples.picture(size=(96, 96), colour=colour)),
            )
            for colour in ("navy", "seagreen", "firebrick")
        ]  # fmt: skip

    @cached_property
    def run(self) -> TrainingRun:
        """A run that waits."""
        return self._started("moss-glow", 20)

    @cached_property
    def second_run(self) -> TrainingRun:
        """Another one, to be compared with it."""
        return self._started("fern-glow", 30)

    def _started(self, name: str, steps: int) -> TrainingRun:
        return submitting.submit(
            self.ada,
            form=Submission(
                name=name, trigger=name, kind="style", base_model=self.base.name, licence="cc0-1.0",
                consent=True, settings={"max_steps": steps, "seed": 7}, key=uuid.uuid4(),
                picture_ids=[one.pk for one in self.training_pictures()],
            ),
        )  # fmt: skip

    @cached_property
    def done(self) -> TrainingRun:
        """The same run, ended, its draft waiting."""
        worker.run_training.fn(str(self.run.pk))
        self.run.refresh_from_db()
        assert self.run.state == TrainingRun.State.DONE, self.run.message
        return self.run

    @cached_property
    def stopped(self) -> TrainingRun:
        """The same run as if Ada had stopped it half way, with what the engine had kept until then."""
        publishing.discard_draft(self.ada, version=self.done.version)
        self.done.checkpoints.filter(step__gt=10).delete()
        TrainingRun.objects.filter(pk=self.done.pk).update(
            state=TrainingRun.State.CANCELLED, step=10, version=None
        )
        self.done.refresh_from_db()
        return self.done

    def with_mail(self) -> None:
        """The hub can send mail."""
        settings.HUB["HUB_EMAIL_URL"] = "smtp://mail.example:25"

    def file(self, seed: int = 3) -> bytes:
        """An embedding that nobody has published."""
        return samples.canonical_file("sd1", vectors=2, seed=seed)
