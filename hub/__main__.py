"""`glossa …` and `python -m hub …`: a command of the client, else a management command as `manage.py …` in a clone."""

import os
import sys

from hub.client import COMMANDS


def main() -> None:
    """Run the client where its word is given, or nothing at all; else a management command."""
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help", "--version") or is_for_client(words):
        from hub.client import cli

        sys.exit(cli.run(words))
    manage()


def is_for_client(words: list[str]) -> bool:
    """Whether a command line is the client's. Training with --out is done here, without a hub."""
    if words[0] == "train" and any(word.partition("=")[0] == "--out" for word in words):
        return False
    return words[0] in COMMANDS


def manage() -> None:
    """Run a management command; a setting that cannot be read or a folder that cannot be made is said in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    try:
        from hub import killpoints, settings  # noqa: F401  both refuse what they cannot read
    except (OSError, ValueError) as error:
        sys.exit(f"Glossa cannot start: {error}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("hub", "trainer")):
            raise
        if sys.argv[1] == "help":
            from hub.client import cli

            sys.exit(cli.run(["--help"]))
        sys.exit(
            f"glossa {sys.argv[1]}: there is no such command of the client, and the site, which has others, is not "
            f"installed here ({error.name} is missing): pip install 'glossa[site]'. See glossa --help."
        )
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
