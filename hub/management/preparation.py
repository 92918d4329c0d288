"""What a hub needs before it serves its first page, done once and skipped when it is done."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from hub.models import User
from hub.services.people import accounts

ADMINISTRATOR = "curator"


def prepare_database(say: Callable[[str], None]) -> None:
    """Apply the migrations that are not applied."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)


def collect_static_files(say: Callable[[str], None]) -> None:
    """Put the static files where the site serves them from, when any has changed."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    state = _static_state()
    if stamp.is_file() and stamp.read_text() == state:
        return
    say("Collecting the static files …")
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(state)


def seed(say: Callable[[str], None]) -> None:
    """Install the bundled base model and catalogue. The trainer has the command, since it has both."""
    if "seed_catalogue" in get_commands():
        call_command("seed_catalogue")


def administrator() -> User:
    """The local administrator, made on the first start."""
    found = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return found or accounts.create_user(
        name=ADMINISTRATOR, staff=True, moderator=True, made_by_operator=True
    )


def _static_state() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            changed = storage.get_modified_time(path).timestamp()
            digest.update(f"{path} {storage.size(path)} {changed}\n".encode())
    return digest.hexdigest()
