"""A hub with something of everything, and every page of it that a person can come to."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from hub.models import BaseModel, Delivery, User, Version, Webhook
from hub.services.embeddings import sharing
from hub.services.people import accounts
from hub.services.versions import ingest, publishing
from tests import factories, samples
from trainer.models import Checkpoint, GrowthPicture, Snapshot, TrainingImage, TrainingRun
from trainer.services import recording, submission
from trainer.services.submission import Submission

NAME = "a-very-long-name-for-a-word-that-nobody-would-ever-type-by-hand"
LONG = "Takes grain and mush away, and whatever else a sentence may hold that is long enough to wrap on any screen."


class Everything:
    """What there is: embeddings of all kinds and states, drafts, and a run in each state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.viewer = factories.viewer("ada", made_by_operator=True)
        assert self.viewer.user is not None
        self.user: User = self.viewer.user
        self.base = factories.base_model()
        BaseModel.objects.filter(pk=self.base.pk).update(resolution=64, folder="/nonexistent")
        self.base.refresh_from_db()
        self.embeddings()
        self.draft = factories.draft(factories.embedding(name="half-done"), trigger="half-done")
        factories.sheet(self.draft, folder)
        self.runs = {state: self.run(state) for state in TrainingRun.State.values}
        factories.token("ada")
        self.webhook = self.told_webhook()

    def embeddings(self) -> None:
        """Positive, negative, two encoders, several versions with one yanked, hidden ones, one without pictures."""
        style = factories.published(
            name="moss-dragon", summary=LONG, tags=["green", "wet"], card="# Use\n\n- a\n- b"
        )
        factories.sheet(style.head, self.folder, blocks="ABCDEF")
        Version.objects.filter(pk=style.head_id).update(
            insights={
                "intact": True,
                "encoders": [{"slot": "emb_params", "nearest": [[{"word": "moss", "cosine": 0.41}], []]}],
            }
        )
        negative = factories.published(name="murk-fog", kind="negative", family="sd1", vectors=8)
        factories.sheet(negative.head, self.folder, blocks="G")
        path = self.folder / "xl.safetensors"
        path.write_bytes(samples.keyed_file({"clip_l": 768, "clip_g": 1280}))
        publishing.publish_file(
            self.viewer, path=path, filename="xl.safetensors", name="xl-bloom", kind="style", trigger="xl-bloom",
            licence="cc0-1.0",
        )  # fmt: skip
        many = factories.published(name="ring-dusk", kind="object", notes="First.")
        factories.version(many, trigger="ring-dusk", notes="Softer.", label="soft")
        publishing.yank(self.viewer, version=factories.version(many, trigger="ring-dusk"), reason="Too dark.")
        factories.pack(
            "ada", "wet-places", style.head, many.versions.get(number=1), description="For *rain*."
        )
        sharing.like(self.viewer, embedding=style)
        factories.pack("ada", "empty-pack", visibility="private")
        factories.published(name="my-face", kind="subject", visibility="private")
        factories.published(
            "glossa", "a-very-long-name-for-a-word-that-nobody-would-ever-type-by-hand", trigger="longword"
        )

    def told_webhook(self) -> Webhook:
        """A webhook that fails, with a delivery in each state."""
        now = timezone.now()
        webhook = Webhook.objects.create(
            owner=self.user.owner, user=self.user, url="https://hooks.a-rather-long-name.example.org/glossa",
            events=["version.published", "run.done"], nonce="n", failing_since=now, failures=2,
        )  # fmt: skip
        for state, status, message in (
            ("waiting", None, ""), ("waiting", 503, "The receiver answered 503 Service Unavailable."),
            ("failed", None, LONG), ("dropped", None, "The version has been withdrawn since. Nothing was sent."),
            ("delivered", 200, ""),
        ):  # fmt: skip
            Delivery.objects.create(
                webhook=webhook, event="version.published", state=state, status=status, message=message, next_at=now,
                sent_at=now if status else None, attempts=1, milliseconds=12 if status else None,
                body=f'{{"id": "{webhook.pk}", "data": {{"summary": "{LONG}"}}}}' if status else "",
            )  # fmt: skip
        return webhook

    def run(self, state: str) -> TrainingRun:
        """A run in this state, with what it would have by then."""
        name = f"word-{state}"
        form = Submission(
            trigger=name, kind="style", base_model=self.base.name, licence="cc0-1.0", consent=True, name=name,
            settings={"max_steps": 40},
        )  # fmt: skip
        over = state in ("done", "failed", "cancelled")
        run = TrainingRun.objects.create(
            owner=self.user.owner, created_by=self.user, embedding=factories.embedding(name=name),
            base_model=self.base, recipe=submission.make_recipe(form, self.base).to_dict(), max_steps=40,
            licence="cc0-1.0", consent="yes", state=state, step=0 if state == "queued" else 20,
            fault="machine" if state == "failed" else "", message="It broke." if state == "failed" else "",
            warnings=["Only 2 different pictures."], not_before=timezone.now() + timedelta(days=1),
            finished_at=timezone.now() if over else None, submission_key=uuid.uuid4(),
        )  # fmt: skip
        blob = ingest.store(samples.picture(size=(96, 96)))
        for number in range(3):
            TrainingImage.objects.create(
                owner=self.user.owner, run=run, position=number, blob=blob, content_type="image/png", width=96,
                height=96, source_name=f"{number}.png",
            )  # fmt: skip
        if state != "queued":
            recording.add_event(run, "points", points=[[n, 1 / n, 0.5, 0.1] for n in range(1, 20)])
            Checkpoint.objects.create(run=run, step=20, blob=blob)
            GrowthPicture.objects.create(
                run=run, step=10, position=0, blob=blob, content_type="image/png", prompt="it"
            )
        if state == "done":
            run.version = factories.draft(run.embedding, trigger=name, run_key=run.id)
            factories.sheet(run.version, self.folder)
            run.save(update_fields=["version"])
            for step in (0, 10):
                Snapshot.objects.create(run=run, position=step, label=f"step {step}", step=step, blob=blob)
        return run

    def sign_in_address(self) -> str:
        """A one-time way in for the publisher."""
        return f"/sign-in/{accounts.one_time_link(self.user)}"

    def strangers_pages(self) -> Iterator[str]:
        """What somebody who is not signed in can come to."""
        yield from (
            "/", "/?q=moss", "/?q=nothing-of-that-name", "/?kind=style&sort=name", "/ada/moss-dragon", "/ada/murk-fog",
            "/ada/xl-bloom", "/ada/ring-dusk", "/ada/ring-dusk/versions/1", "/ada/ring-dusk/versions/3", "/ada",
            f"/glossa/{NAME}", "/nobody-here", "/docs", "/collections", "/collections?pack=nothing", "/ada/wet-places",
            "/docs/settings", "/inspect", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/",
            "/accounts/password/reset/done/",
        )  # fmt: skip

    def publishers_pages(self) -> Iterator[str]:
        """What the publisher can come to."""
        yield from (
            "/ada", "/ada/moss-dragon", "/ada/half-done", f"/ada/half-done/drafts/{self.draft.pk}", "/new", "/train",
            "/train?set=zebra-wave", "/runs", "/ada/ring-dusk/edit", "/ada/ring-dusk/new-version",
            "/ada/ring-dusk/versions/2/yank", "/ada/ring-dusk/versions/2/delete", "/ada/ring-dusk/delete",
            f"/glossa/{NAME}/edit", "/settings/account",
            "/ada/wet-places/edit", "/ada/empty-pack", "/ada/wet-places/delete-pack", "/collections/new",
            "/ada/xl-bloom/add-to-pack",
            "/settings/tokens", "/accounts/email/", "/accounts/password/set/", "/accounts/2fa/",
            "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/", "/accounts/2fa/webauthn/add/",
            "/accounts/logout/", "/settings/webhooks", f"/settings/webhooks/{self.webhook.pk}",
        )  # fmt: skip
        for run in self.runs.values():
            yield f"/runs/{run.id}"


def problems(found: dict[str, Any]) -> list[str]:
    """What axe found, a line each: rule, element, why."""
    return [
        f"{one['id']}: {node['target']} {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"][:3]
    ]
