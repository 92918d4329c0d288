"""`manage.py create_user NAME [--staff] [--password-stdin]`: make a person's account."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from hub.errors import HubError
from hub.services.people import accounts


class Command(BaseCommand):
    """Make a person, and the name they publish under."""

    help = "Make a person's account. Without a password they sign in by a link, which is printed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name and powers."""
        parser.add_argument("name", help="small letters, digits, dots, dashes, underscores")
        parser.add_argument("--email", default="", help="where mail for them goes")
        parser.add_argument("--staff", action="store_true", help="an administrator")
        parser.add_argument("--moderator", action="store_true", help="may look after what others publish")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the account, or say in one line why not."""
        password = sys.stdin.readline().rstrip("\n") if options["password_stdin"] else None
        try:
            if password is not None:
                validate_password(password)
            user = accounts.create_user(
                name=options["name"],
                email=options["email"],
                password=password,
                staff=options["staff"],
                moderator=options["moderator"],
                made_by_operator=True,
            )
        except HubError as error:
            raise CommandError(error.message) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"Made {user.username}.")
        if password is None:
            address = f"{settings.PUBLIC_URL}/sign-in/{accounts.one_time_link(user)}"
            self.stdout.write(f"Sign-in link for the next 24 hours: {address}")
