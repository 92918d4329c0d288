"""`glossa login`, `logout` and `whoami`: which hub, and who one is there."""

import argparse
import getpass
import sys

from hub.client import remote, settings
from hub.client.commands import common
from hub.client.errors import ClientError, Exit, usage
from hub.client.names import hub_address
from hub.client.settings import Account
from hub.client.transport import Transport


def add_login(parser: argparse.ArgumentParser) -> None:
    """The address, and how the token comes in."""
    parser.add_argument("hub", nargs="?", metavar="URL", help="the hub (else GLOSSA_HUB, else the last one)")
    parser.add_argument(
        "--token-stdin", action="store_true", help="read the token from standard input instead of asking"
    )
    common.add_output(parser)


def login(options: argparse.Namespace) -> int:
    """Try the token, and keep it."""
    kept = settings.load()
    named = settings.named_hub(options.hub) or kept.default
    if not named:
        raise usage("Which hub? Write its address: glossa login https://hub.example.org")
    hub = hub_address(named)
    if hub.startswith("http://") and not hub_address(hub.split("://")[1]).startswith("http://"):
        common.warn(f"Warning: {hub} is plain http: whoever listens on the way can read the token.")
    secret = _secret(hub, from_stdin=options.token_stdin)
    who = remote.whoami(Transport(Account(hub, secret)))
    name, scopes = who["name"], ", ".join(who["scopes"])
    kept.hubs[hub] = {"token": secret, "user": name}
    kept.default = hub
    path = settings.save(kept)
    record = {"hub": hub, "user": name, "scopes": who["scopes"]}
    common.tell(options, record, f"You are {name} at {hub}; the token may {scopes}. It is kept in {path}.")
    return Exit.DONE


def add_logout(parser: argparse.ArgumentParser) -> None:
    """Which hub."""
    parser.add_argument("hub", nargs="?", metavar="URL", help="the hub (else the one of the last login)")
    parser.add_argument("--all", action="store_true", help="forget every hub")
    common.add_output(parser)


def logout(options: argparse.Namespace) -> int:
    """Forget the token; it stays valid until it is revoked on the site."""
    kept = settings.load()
    hub = hub_address(options.hub) if options.hub else kept.default
    forgotten = list(kept.hubs) if options.all else [hub] if hub in kept.hubs else []
    for one in forgotten:
        del kept.hubs[one]
    if kept.default not in kept.hubs:
        kept.default = next(iter(kept.hubs), "")
    if forgotten:
        settings.save(kept)
    line = f"Forgotten: {', '.join(forgotten)}." if forgotten else "There was nothing to forget."
    if forgotten:
        line += " The token itself still works until it is revoked on the site, under Settings, Tokens."
    common.tell(options, {"forgotten": forgotten}, line)
    return Exit.DONE


def add_whoami(parser: argparse.ArgumentParser) -> None:
    """Which hub."""
    common.add_hub(parser)
    common.add_output(parser)


def whoami(options: argparse.Namespace) -> int:
    """Ask the hub."""
    account = settings.account(options.hub)
    if account.token is None:
        message = f"You are not logged in at {account.hub}. Do: glossa login {account.hub}"
        raise ClientError(Exit.NOT_ALLOWED, "not_authenticated", message)
    who = remote.whoami(Transport(account))
    name, scopes = who["name"], ", ".join(who["scopes"])
    teams = who["teams"]
    record = {"hub": account.hub, "user": name, "scopes": who["scopes"], "teams": teams}
    line = f"{name} at {account.hub}; the token may {scopes}"
    if teams:
        line += f"; you write for {', '.join(teams)}"
    common.tell(options, record, line)
    return Exit.DONE


def _secret(hub: str, *, from_stdin: bool) -> str:
    if from_stdin or not sys.stdin.isatty():
        secret = sys.stdin.readline()
    else:
        sys.stderr.write(f"Make a token at {hub}/settings/tokens; it is not shown while you paste it.\n")
        secret = getpass.getpass("Token: ")
    secret = secret.strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise usage("That is no token: it is one word of letters, digits and underscores.")
    return secret
