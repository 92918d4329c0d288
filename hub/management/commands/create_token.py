"""`manage.py create_token NAME --scope read …`: make an access token; the token alone goes to stdout."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.access import Viewer
from hub.errors import HubError
from hub.models import User
from hub.services.people import tokens


class Command(BaseCommand):
    """Make an access token for somebody's tools."""

    help = "Make an access token. It is printed once and cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, for what, for how long."""
        parser.add_argument("name", help="the person")
        parser.add_argument(
            "--scope", action="append", choices=tokens.SCOPES, help="give it once for each scope"
        )
        parser.add_argument("--days", type=int, default=tokens.DEFAULT_DAYS, help="how long it works")
        parser.add_argument("--label", default="Made by the operator", help="what the token is for")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token, or say in one line why not."""
        user = User.objects.select_related("owner").filter(username=options["name"].lower()).first()
        if user is None:
            raise CommandError(f"There is nobody called {options['name']}.")
        try:
            _, secret = tokens.create(
                Viewer(user), name=options["label"], scopes=options["scope"] or ["read"], days=options["days"]
            )
        except HubError as error:
            raise CommandError(error.message) from None
        self.stdout.write(secret)
