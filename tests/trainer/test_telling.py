"""How the owner of a run learns that it ended: in the menu of every page, and by mail where that was asked for."""

import socketserver
import threading
from collections.abc import Callable, Iterator

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.conf import settings as hub_settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.access import Viewer
from hub.errors import Conflict
from tests import factories
from trainer import runs, worker
from trainer.models import TrainingRun
from trainer.services import telling

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files", "child")]
Submit = Callable[..., TrainingRun]


def go(run: TrainingRun) -> TrainingRun:
    worker.run_training.fn(str(run.id))
    run.refresh_from_db()
    return run


def browser_of(viewer: Viewer) -> Client:
    client = Client()
    assert viewer.user is not None
    client.force_login(viewer.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def mia(maker: Viewer) -> Client:
    """The maker's browser."""
    return browser_of(maker)


@pytest.fixture
def can_mail(maker: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub sends mail, and the maker has an address."""
    monkeypatch.setitem(hub_settings.HUB, "HUB_EMAIL_URL", "smtp://mail.example:25")
    assert maker.user is not None
    maker.user.email = "mia@example.org"
    maker.user.save()


def test_an_ended_run_is_told_on_every_page_until_its_owner_looks_at_it(submit: Submit, mia: Client) -> None:
    run = go(submit())
    page = mia.get("/").content.decode()
    assert "1<span" in page and "training run ended" in page
    assert f'<a href="/runs/{run.id}"><strong>moss-glow</strong> is learned</a>' in page
    assert ">new</span>" in mia.get("/runs").content.decode()
    mia.get(f"/runs/{run.id}")
    assert "is learned</a>" not in mia.get("/").content.decode()
    assert ">new</span>" not in mia.get("/runs").content.decode()


def test_looking_at_a_run_that_goes_on_is_not_looking_at_its_end(submit: Submit, mia: Client) -> None:
    run = submit()
    mia.get(f"/runs/{run.id}")
    go(run)
    assert "is learned</a>" in mia.get("/").content.decode()


def test_a_failed_run_is_news_and_a_stopped_one_is_not(submit: Submit, maker: Viewer) -> None:
    failed = go(submit(initializer="refuse"))
    stopped = submit(name="moss-dim")
    TrainingRun.objects.filter(pk=stopped.pk).update(state="cancelled")
    assert runs.unseen(maker) == [failed]


def test_a_moderators_look_is_not_the_owners(submit: Submit, maker: Viewer) -> None:
    run = go(submit())
    browser_of(factories.moderator()).get(f"/runs/{run.id}")
    assert runs.unseen(maker) == [run]


def test_strangers_are_told_nothing(submit: Submit, client: Client) -> None:
    go(submit())
    assert "is learned" not in client.get("/").content.decode()
    assert runs.unseen(factories.viewer("ben")) == []


def test_an_answer_without_a_menu_asks_for_no_runs(submit: Submit, mia: Client) -> None:
    run = go(submit())
    asked = {}
    for address in ("/", f"/runs/{run.id}/events"):
        with CaptureQueriesContext(connection) as queries:
            mia.get(address)
        asked[address] = sum('"seen_at" IS NULL' in query["sql"] for query in queries)
    assert list(asked.values()) == [1, 0]


@pytest.mark.usefixtures("can_mail")
def test_a_mail_goes_out_once_when_the_run_is_done(submit: Submit, mia: Client) -> None:
    run = submit()
    assert "Send me a mail when it is done" in mia.get(f"/runs/{run.id}").content.decode()
    mia.post(f"/runs/{run.id}/tell", {"mail": "yes"})
    assert telling.send_due() == 0
    go(run)
    assert [telling.send_due() for _ in range(3)] == [1, 0, 0]
    (sent,) = mail.outbox
    assert (sent.subject, sent.to) == ("moss-glow is learned", ["mia@example.org"])
    assert f"/runs/{run.id}" in sent.body


@pytest.mark.usefixtures("can_mail")
def test_a_mail_about_a_failure_says_why(submit: Submit, maker: Viewer) -> None:
    run = submit(initializer="refuse")
    telling.ask(maker, run=run, wanted=True)
    go(run)
    assert telling.send_due() == 1
    assert mail.outbox[0].subject == "moss-glow could not be learned"
    assert "The pictures are black." in mail.outbox[0].body


@pytest.mark.usefixtures("can_mail")
def test_who_did_not_ask_or_changed_their_mind_gets_no_mail(submit: Submit, maker: Viewer) -> None:
    run = submit()
    telling.ask(maker, run=run, wanted=True)
    telling.ask(maker, run=run, wanted=False)
    go(run)
    go(submit(name="moss-dim"))
    assert telling.send_due() == 0 and mail.outbox == []


def test_a_hub_without_mail_offers_none(submit: Submit, mia: Client, maker: Viewer) -> None:
    run = submit()
    assert "Send me a mail" not in mia.get(f"/runs/{run.id}").content.decode()
    with pytest.raises(Conflict, match="no confirmed mail address"):
        telling.ask(maker, run=run, wanted=True)


@pytest.mark.usefixtures("can_mail")
def test_an_address_that_nobody_confirmed_gets_no_mail() -> None:
    ben = factories.user("ben")
    assert not telling.can_mail(ben)
    EmailAddress.objects.create(user=ben, email="ben@example.org", verified=True)
    assert telling.can_mail(ben)


class Postbox(socketserver.StreamRequestHandler):
    """As much of an SMTP server as takes a mail."""

    letters: list[str] = []

    def handle(self) -> None:
        self.wfile.write(b"220 box\r\n")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                letter = iter(self.rfile.readline, b".\r\n")
                self.letters.append(b"".join(letter).decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 box\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def postbox(settings: LazySettings) -> Iterator[Callable[[], None]]:
    """An SMTP server that the settings name; it is out until it is called."""
    with socketserver.TCPServer(("127.0.0.1", 0), Postbox, bind_and_activate=False) as server:
        server.server_bind()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]

        def open_it() -> None:
            server.server_activate()
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            opened.append(True)

        opened: list[bool] = []
        yield open_it
        if opened:
            server.shutdown()


@pytest.mark.usefixtures("can_mail")
def test_a_mail_server_that_is_out_costs_time_and_no_mail(
    submit: Submit, maker: Viewer, postbox: Callable[[], None]
) -> None:
    run = submit()
    telling.ask(maker, run=run, wanted=True)
    go(run)
    assert telling.send_due() == 0
    postbox()
    assert telling.send_due() == 1
    assert [letter for letter in Postbox.letters if "moss-glow is learned" in letter]
