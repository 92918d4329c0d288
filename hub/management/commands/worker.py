"""`manage.py worker`: do the jobs of one queue until told to stop."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from hub import checks
from hub.jobs import runner


class Command(BaseCommand):
    """Run one worker process; start more of them for more work, on any machine."""

    help = "Do the jobs of a queue: `default` for small work, `gpu` for training and previews."
    # They would load every page of the site into the worker.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The queue."""
        parser.add_argument("--queue", choices=sorted(settings.QUEUES), default="default")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        checks.log_fences()
        runner.run(options["queue"])
