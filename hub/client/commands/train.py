"""`glossa train`: have the hub learn a word from pictures, watch it, and publish what comes out."""

import argparse
import dataclasses
import uuid

from hub.client import remote, training
from hub.client.commands import common
from hub.client.errors import ClientError, Exit, usage
from hub.client.progress import Progress
from hub.client.training import State
from hub.client.transport import Transport

_KINDS = ("style", "object", "subject", "negative")
_PRESETS = ("quick", "standard", "thorough")


def add(parser: argparse.ArgumentParser) -> None:
    """Pictures, the word, how well, and what then."""
    parser.add_argument(
        "pictures", nargs="*", metavar="PICTURE", help="JPEG, PNG or WebP files, or folders of them"
    )
    parser.add_argument(
        "--name", help="the address under your name, and the word unless --trigger says another"
    )
    parser.add_argument("--kind", choices=_KINDS, help="what the pictures have in common")
    parser.add_argument("--consent", action="store_true",
                        help="you may use these pictures, and every person in them agreed")  # fmt: skip
    parser.add_argument("--trigger", default="", metavar="WORD", help="the word of the prompt")
    parser.add_argument("--initializer", default="", metavar="WORDS", help="a word or two that come close")
    parser.add_argument("--preset", choices=_PRESETS, default="standard", help="how thoroughly (%(default)s)")
    parser.add_argument(
        "--base-model", metavar="NAME", help="a base model that the hub has installed (else its first)"
    )
    parser.add_argument("--licence", "--license", default="cc-by-4.0", metavar="ID", help="(%(default)s)")
    parser.add_argument("--title", default="", help="shown above the pictures")
    parser.add_argument("--visibility", choices=("public", "unlisted", "private"), default="public")
    parser.add_argument("--vectors", metavar="N", default="", help="vectors per token")
    parser.add_argument("--steps", metavar="N", default="", help="at most this many steps")
    parser.add_argument("--seed", metavar="N", default="")
    parser.add_argument("--follow", metavar="RUN", help="watch a run that was started before")
    parser.add_argument("--no-wait", action="store_true", help="start the run and leave it to the hub")
    parser.add_argument("--publish", action="store_true", help="publish the result when it is there")
    parser.add_argument("--notes", default="", help="what is new in this version")
    common.add_hub(parser)
    common.add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Start or find the run, follow it, publish."""
    progress = common.progress_of(options)
    transport = common.connected(options, progress)
    if not transport.has_token:
        message = f"To train, log in with a token of the scope train: glossa login {transport.hub}"
        raise ClientError(Exit.NOT_ALLOWED, "not_authenticated", message)
    if options.follow:
        run_id = training.check_run(options.follow.rstrip("/").rpartition("/")[2])
    else:
        run_id = _started(options, transport, progress)
    page = transport.url(f"runs/{run_id}")
    if options.no_wait:
        common.tell(options, {"run": run_id, "url": page}, f"The run has begun: {page}")
        return Exit.DONE
    progress.note(f"The run: {page}. Ctrl-C stops watching, not the run; watch again with --follow {run_id}")
    return _ended(options, transport, run_id, _watched(transport, run_id, progress))


def _started(options: argparse.Namespace, transport: Transport, progress: Progress) -> str:
    for name in ("pictures", "name", "kind", "consent"):
        if not getattr(options, name):
            shown = "pictures" if name == "pictures" else f"--{name}"
            raise usage(
                f"A run needs {shown}: glossa train PICTURE … --name moss-glow --kind style --consent"
            )
    ids = []
    for path in training.pictures_of(options.pictures):
        found, remarks = training.add_picture(transport, path)
        ids.append(found)
        progress.note(" ".join([f"{path.name}: sent.", *remarks]))
    fields = {
        "name": options.name,
        "kind": options.kind,
        "trigger": options.trigger,
        "initializer": options.initializer,
        "preset": options.preset,
        "base_model": options.base_model or _first_base(transport),
        "licence": options.licence,
        "title": options.title,
        "visibility": options.visibility,
        "vectors_per_token": options.vectors,
        "max_steps": options.steps,
        "seed": options.seed,
        "may_shrink": "on",
    }
    return training.submit(transport, fields, list(dict.fromkeys(ids)), key=uuid.uuid4())


def _first_base(transport: Transport) -> str:
    bases = remote.rows(remote.field(transport.get(f"{remote.API}/base-models"), "items"))
    installed = sorted(
        (base for base in bases if base.get("is_installed")), key=lambda base: str(base.get("title"))
    )
    if not installed:
        raise ClientError(Exit.NOT_FOUND, "base_not_found", f"{transport.hub} has no base model installed.")
    return str(installed[0]["name"])


def _watched(transport: Transport, run_id: str, progress: Progress) -> State:
    last: State | None = None
    for state in training.follow(transport, run_id):
        if last is None or (state.label, state.step, state.says) != (last.label, last.step, last.says):
            progress.note(_line(state))
        last = state
    assert last is not None  # the first answer always comes
    return last


def _line(state: State) -> str:
    parts = [state.label]
    parts += [f"step {state.step} of {state.steps}"] if state.step else []
    parts += [f"error {state.loss:.4f}"] if state.loss is not None else []
    parts += [f"about {state.left} s left"] if state.left else []
    return ", ".join(parts) + (f". {state.says}" if state.says else "")


def _ended(options: argparse.Namespace, transport: Transport, run_id: str, state: State) -> int:
    record = {"run": run_id, "url": transport.url(f"runs/{run_id}"), **dataclasses.asdict(state)}
    if state.state != training.DONE:
        common.tell(options, record, f"{state.label}: {state.says or record['url']}")
        return Exit.REFUSED
    if not options.publish:
        common.tell(options, record, f"Done. Look at the draft, and publish it there: {record['url']}")
        return Exit.DONE
    name = training.publish(transport, run_id, notes=options.notes)
    record |= {"name": name, "page": transport.url(name)}
    common.tell(options, record, f"{name} is published: {transport.url(name)}")
    return Exit.DONE
