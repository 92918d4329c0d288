"""`glossa`: reads the command line, runs a command, turns errors into a sentence and an exit code."""

import argparse
import importlib
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, Final

from hub.client.connections import agent
from hub.client.errors import ClientError, Exit

# Word, module below `commands`, prefix of its two functions, what it does.
_WORDS: Final = (
    ("login", "account", "login", "keep a token for a hub"),
    ("logout", "account", "logout", "forget it"),
    ("whoami", "account", "whoami", "say whose token is used"),
    ("search", "search", "", "find embeddings"),
    ("pull", "sync", "pull", "fetch embeddings by name, into a tool's folder"),
    ("push", "push", "", "publish a file"),
    ("lock", "lock", "", "write down a pack, or a list of names, as a lock file"),
    ("sync", "sync", "", "make a folder hold what the lock file says"),
    ("verify", "verify", "", "hold a folder against the lock file, offline"),
    ("train", "train", "", "have the hub learn a word from pictures"),
)
_EPILOG: Final = """\
exit codes: 0 done; 1 verify found differences; 2 wrong command line; 3 not found; 4 not allowed or not logged in;
5 no answer from the hub; 6 an answer that cannot be trusted; 7 this machine: disk, permissions, a file in the way;
8 refused by the hub; 130 interrupted

Where the site is installed, every management command of the hub runs too: glossa quickstart, glossa help."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter is no reason to stop
    options = parser(words).parse_args(words)
    if not hasattr(options, "run"):
        parser(words).print_help()
        return Exit.USAGE
    _end_as_by_ctrl_c(signal.SIGTERM)
    try:
        return int(options.run(options))
    except ClientError as error:
        _refuse(options, error)
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. What had arrived is whole; run the same command again to go on.\n")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser. Only the module of the command that is named is loaded."""
    whole = argparse.ArgumentParser(
        prog="glossa",
        description="Find, pull, pin and publish textual-inversion embeddings of a Glossa hub.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=agent().replace("/", " "))
    commands = whole.add_subparsers(metavar="command", title="commands")
    for word, module, prefix, about in _WORDS:
        one = commands.add_parser(word, help=about, description=f"{about[0].upper()}{about[1:]}.")
        if word == next((text for text in words if not text.startswith("-")), None):
            _fill(one, module, prefix)
    return whole


def _fill(parser: argparse.ArgumentParser, module: str, prefix: str) -> None:
    loaded: Any = importlib.import_module(f"hub.client.commands.{module}")
    getattr(loaded, f"add_{prefix}" if hasattr(loaded, f"add_{prefix}") else "add")(parser)
    parser.set_defaults(run=getattr(loaded, prefix or "run"))


def _refuse(options: argparse.Namespace, error: ClientError) -> None:
    if getattr(options, "json", False):
        sys.stdout.write(json.dumps(error.record()) + "\n")
    sys.stderr.write(f"glossa: {error.message}\n")


def _end_as_by_ctrl_c(number: int) -> None:
    """A polite kill cleans up as Ctrl-C does."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(number, interrupt)
