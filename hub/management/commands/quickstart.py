"""`manage.py quickstart`: the whole hub in one terminal, from an empty folder to an address and a way in."""

import os
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from hub.management import embedded_valkey, preflight, preparation
from hub.management.children import Child, Hurry, stop_all
from hub.services.people import accounts

READY_SECONDS = 90.0
SITE_WORKERS, SITE_THREADS = 2, 4


class Command(BaseCommand):
    """Prepare what is missing, start broker, site and workers, keep them alive, stop them in order."""

    help = "Run the whole hub in this terminal. Ctrl-C stops it."
    # They would load the whole site into the supervisor; what matters here is in `preflight`.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The port."""
        parser.add_argument("--port", type=int, default=settings.PORT, help="default: $PORT, else 8000")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP."""
        self.hurry = Hurry()
        self.children: list[Child] = []
        port = options["port"]
        with self._checked(port):
            try:
                self._start_broker()
                self._prepare()
                self._start(port)
                self._watch()
            finally:
                self._stop()

    def _checked(self, port: int) -> IO[str]:
        """Refuse what cannot work, warn of what works badly; the answer holds the data folder."""
        preflight.check_python()
        preflight.check_room(settings.DATA_DIR)
        held = preflight.hold(settings.DATA_DIR)
        preflight.check_port(port)
        preflight.check_database()
        for warning in preflight.warnings():
            self._say(f"Note: {warning}")
        return held

    def _start_broker(self) -> None:
        if not settings.BROKER_IS_EMBEDDED:
            return
        embedded_valkey.clear_the_way()
        server = embedded_valkey.child()
        self.children.append(server)
        server.start()
        embedded_valkey.wait_for(server)

    def _prepare(self) -> None:
        for step in (preparation.prepare_database, preparation.collect_static_files, preparation.seed):
            if not self.hurry.asked:
                step(self._say)
        preparation.administrator()
        # The children have their own connections; this process needs none while it only watches.
        connections.close_all()

    def _start(self, port: int) -> None:
        if self.hurry.asked:
            return
        started = [_site(port), _worker("default", port), _worker("gpu", port)]
        self.children.extend(started)
        for child in started:
            child.start()
        self._wait_for_site(port)
        if self.hurry.asked:
            return
        address = settings.HUB["HUB_PUBLIC_URL"].rstrip("/") or f"http://127.0.0.1:{port}"
        link = accounts.one_time_link(preparation.administrator())
        connections.close_all()
        self._say(f"Glossa is ready at {address}")
        # Written out, because looking it up would load every page into the supervisor.
        self._say(f"Sign in as the administrator, once, with: {address}/sign-in/{link}")

    def _wait_for_site(self, port: int) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.hurry.asked and not _serves(port):
            self._revive()
            if time.monotonic() > deadline or any(child.deaths > 3 for child in self.children):
                raise CommandError("The hub does not start; the lines above say why.")
            time.sleep(0.1)

    def _watch(self) -> None:
        while not self.hurry.asked:
            self._revive()
            time.sleep(0.2)

    def _revive(self) -> None:
        for child in self.children:
            news = child.revive()
            if news:
                self._say(news)

    def _stop(self) -> None:
        if not self.children:
            return
        self._say("Stopping; a training run saves its last step first. Ctrl-C again to stop at once.")
        # The broker goes last: the others still talk to it while they leave.
        broker = [child for child in self.children if child.name == "The broker"]
        stop_all([child for child in self.children if child not in broker], self.hurry)
        stop_all(broker, self.hurry)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _site(port: int) -> Child:
    options = {
        "bind": f"127.0.0.1:{port}",
        "worker-class": "gthread",
        "workers": str(SITE_WORKERS),
        "threads": str(SITE_THREADS),
        "graceful-timeout": "30",
        "log-level": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "hub.wsgi:application",
        "--preload",
        "--no-control-socket",
        *words,
    ]
    return Child("The site", command, patience=35, environment=_environment(port), folder=settings.ROOT)


def _worker(queue: str, port: int) -> Child:
    command = [sys.executable, "-m", "hub", "worker", "--queue", queue]
    name = "The gpu worker" if queue == "gpu" else "The worker"
    return Child(name, command, patience=60, environment=_environment(port), folder=settings.ROOT)


def _environment(port: int) -> dict[str, str]:
    """The children find the same data folder from another working folder, and the same port."""
    return {
        "DJANGO_SETTINGS_MODULE": "hub.settings",
        "HUB_DATA_DIR": str(settings.DATA_DIR),
        "PORT": str(port),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(settings.ROOT), os.environ.get("PYTHONPATH", "")])),
    }


def _serves(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
