"""Run a management command of the hub: `glossa …`, `python -m hub …`, or `manage.py …` in a clone."""

import os
import sys


def main() -> None:
    """Run it; a setting that cannot be read or a folder that cannot be made is said in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    try:
        from hub import killpoints, settings  # noqa: F401  both refuse what they cannot read
    except (OSError, ValueError) as error:
        sys.exit(f"Glossa cannot start: {error}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
