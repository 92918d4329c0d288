"""Which hub, and who one is there: options, environment, and a file of tokens that only its owner can read."""

import json
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.client.errors import local, usage
from hub.client.files import write_atomically
from hub.client.names import hub_address


@dataclass
class Credentials:
    """What `login` keeps: the hub used when none is named, and for each hub its token and whose it is."""

    default: str = ""
    hubs: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """A hub, and the token to show there, if there is one."""

    hub: str
    token: str | None = None


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the client keeps its file: GLOSSA_CONFIG_DIR, or the place of the system."""
    if environment.get("GLOSSA_CONFIG_DIR"):
        return Path(environment["GLOSSA_CONFIG_DIR"])
    if sys.platform == "win32" and environment.get("APPDATA"):
        return Path(environment["APPDATA"]) / "glossa"
    home = environment.get("XDG_CONFIG_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".config") / "glossa"


def credentials_file(environment: Mapping[str, str] = os.environ) -> Path:
    """The file of tokens."""
    return folder(environment) / "credentials.json"


def load(path: Path | None = None) -> Credentials:
    """What is kept; nothing where there is no file yet. ClientError for a file that cannot be read."""
    path = path or credentials_file()
    try:
        text = path.read_text(encoding="utf-8")
        if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        found: Any = json.loads(text)
        hubs = {hub_address(hub): dict(row) for hub, row in found["hubs"].items()}
        return Credentials(str(found.get("default", "")), hubs)
    except FileNotFoundError:
        return Credentials()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise local("bad_credentials", f"{path} is damaged. Remove it and log in again.") from None
    except OSError as error:
        raise local("unreadable", f"{path}: {error.strerror}.") from None


def save(credentials: Credentials, path: Path | None = None) -> Path:
    """Keep them, for the owner's eyes only."""
    path = path or credentials_file()
    content = {"default": credentials.default, "hubs": credentials.hubs}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode(), mode=0o600)
    except OSError as error:
        raise local("unwritable", f"{path}: {error.strerror}.") from None
    return path


def named_hub(option: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """The hub that --hub or GLOSSA_HUB names."""
    named = option or environment.get("GLOSSA_HUB")
    return hub_address(named) if named else None


def account(
    option: str | None, *, otherwise: str | None = None, environment: Mapping[str, str] = os.environ
) -> Account:
    """The hub to talk to (--hub, GLOSSA_HUB, `otherwise`, the one of the last login), with its token.

    GLOSSA_TOKEN is for the hub that --hub or GLOSSA_HUB names, or the one of the last login. It is never shown to a
    hub that only a lock file names: whoever made the file would get the token.
    """
    named, kept = named_hub(option, environment), load(credentials_file(environment))
    hub = named or otherwise or kept.default
    if not hub:
        raise usage("Which hub? Say `glossa login https://hub.example.org`, or set GLOSSA_HUB, or add --hub.")
    token = kept.hubs.get(hub, {}).get("token")
    if environment.get("GLOSSA_TOKEN") and hub == (named or kept.default):
        token = environment["GLOSSA_TOKEN"].strip()
    return Account(hub, token or None)
