"""`glossa train`: have the hub learn a word from pictures, watch it, and publish what comes out."""

import argparse
import dataclasses
import json
import sys
from typing import Any

from hub.client import remote, training
from hub.client.commands import common
from hub.client.errors import ClientError, Exit, usage
from hub.client.progress import Progress, bar, span
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
    parser.add_argument("--start", default="", metavar="OWNER/NAME",
                        help="a word on the hub whose vectors learning starts at; @v2 names a version")  # fmt: skip
    parser.add_argument("--preset", choices=_PRESETS, default="standard", help="how thoroughly (%(default)s)")
    parser.add_argument(
        "--base-model", metavar="NAME", help="a base model that the hub has installed (else its first)"
    )
    parser.add_argument("--licence", "--license", default="cc-by-4.0", metavar="ID", help="(%(default)s)")
    parser.add_argument("--title", default="", help="shown above the pictures")
    parser.add_argument("--visibility", choices=("public", "unlisted", "private"), default="public")
    parser.add_argument("--vectors", type=int, metavar="N", help="vectors per token")
    parser.add_argument("--steps", type=int, metavar="N", help="at most this many steps")
    parser.add_argument("--seed", type=int, metavar="N", help="the same seed and pictures, the same result")
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE",
                        help="any setting of the hub's manual of training, such as norm=soft; repeatable")  # fmt: skip
    parser.add_argument("--template", action="append", default=[], metavar="LINE",
                        help="a prompt with [name] in place of the hub's own; may be repeated")  # fmt: skip
    parser.add_argument("--preview-prompt", action="append", default=[], metavar="LINE",
                        help="a prompt with [name] that the sheet shows too; may be repeated")  # fmt: skip
    parser.add_argument("--captions", choices=("text", "none"), default="text",
                        help="text: NAME.txt beside NAME.png says what else is in it (%(default)s)")  # fmt: skip
    parser.add_argument("--follow", metavar="RUN", help="watch a run that was started before")
    parser.add_argument("--stop", metavar="RUN", help="stop a run; what it has learned is kept")
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
    if options.stop:
        return _stopped(options, transport, _named(options.stop))
    run_id = _named(options.follow) if options.follow else _started(options, transport, progress)
    page = transport.url(f"runs/{run_id}")
    if options.no_wait:
        common.tell(options, {"run": run_id, "url": page}, f"The run has begun: {page}")
        return Exit.DONE
    progress.note(f"The run: {page}. Ctrl-C stops watching, not the run.")
    try:
        state = _watched(transport, run_id, progress)
    except KeyboardInterrupt:
        return _left(transport, run_id, progress, publish=options.publish)
    return _ended(options, transport, run_id, state)


def _named(text: str) -> str:
    """The id of a run, of its address too."""
    return training.check_run(text.rstrip("/").rpartition("/")[2])


def _started(options: argparse.Namespace, transport: Transport, progress: Progress) -> str:
    for name in ("pictures", "name", "kind", "consent"):
        if not getattr(options, name):
            shown = "pictures" if name == "pictures" else f"--{name}"
            raise usage(
                f"A run needs {shown}: glossa train PICTURE … --name moss-glow --kind style --consent"
            )
    pictures = training.pictures_of(options.pictures)
    fields = _fields(options, options.base_model or _first_base(transport))
    if options.captions == "text" and (captions := training.captions_of(pictures)):
        fields["captions"] = json.dumps(captions)
    if boxes := training.boxes_of(pictures):
        fields["boxes"] = json.dumps(boxes)
    try:
        made = training.start(
            transport, fields, pictures, told=lambda path: progress.note(f"{path.name}: sent.")
        )
    except KeyboardInterrupt:
        progress.finish()
        common.warn(
            f"Interrupted. If the hub had all pictures, the run is among yours: {transport.url('runs')}"
        )
        sys.exit(Exit.INTERRUPTED)
    for remark in made.remarks:
        progress.note(remark)
    return made.run


def _fields(options: argparse.Namespace, base: str) -> dict[str, str]:
    """The form of the API; what was not said is left to the hub."""
    settings: dict[str, Any] = {
        "vectors_per_token": options.vectors,
        "max_steps": options.steps,
        "seed": options.seed,
        "templates": options.template or None,
        "preview_prompts": options.preview_prompt or None,
        **training.settings_of(options.set),
    }
    fields = {
        "name": options.name,
        "kind": options.kind,
        "consent": "true",
        "trigger": options.trigger,
        "initializer": options.initializer,
        "start_from": options.start,
        "preset": options.preset,
        "base_model": base,
        "licence": options.licence,
        "title": options.title,
        "visibility": options.visibility,
        "settings": json.dumps({name: value for name, value in settings.items() if value is not None}),
    }
    return {name: value for name, value in fields.items() if value}


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
    try:
        for state in training.follow(transport, run_id):
            if state.says:
                progress.note(state.says)
            elif not state.is_over:
                progress.show(_line(state))
            last = state
    finally:
        progress.finish()
    assert last is not None  # the first answer always comes
    return last


def _line(state: State) -> str:
    """How it stands, in one line."""
    if state.place is not None:
        parts = [state.label, f"place {state.place} in line"]
        parts += [f"starts in about {span(state.starts_in)}"] if state.starts_in else []
        return ", ".join(parts)
    if state.state != "training" or not state.steps:
        return state.label + (f": {state.stage}" if state.stage.lower() not in ("", state.label) else "")
    parts = [f"{bar(state.step / state.steps)} step {state.step} of {state.steps}"]
    parts += [f"error {state.loss:.4f}"] if state.loss is not None else []
    parts += [f"about {span(state.left)} left"] if state.left else []
    return ", ".join(parts)


def _left(transport: Transport, run_id: str, progress: Progress, *, publish: bool) -> int:
    """The person has seen enough; the run goes on."""
    progress.finish()
    again = f"glossa train --follow {run_id}{' --publish' if publish else ''} --hub {transport.hub}"
    common.warn(f"The run goes on. Watch it again: {again}")
    common.warn(f"Stop it: glossa train --stop {run_id} --hub {transport.hub}")
    return Exit.INTERRUPTED


def _stopped(options: argparse.Namespace, transport: Transport, run_id: str) -> int:
    state = training.cancel(transport, run_id)
    said = "The run is stopped" if state.is_over else "The run stops after the step it is at"
    page = transport.url(f"runs/{run_id}")
    common.tell(options, _record(run_id, page, state), f"{said}; what it has learned is kept: {page}")
    return Exit.DONE


def _ended(options: argparse.Namespace, transport: Transport, run_id: str, state: State) -> int:
    page = transport.url(f"runs/{run_id}")
    if state.state != training.DONE:
        said = f"{state.label.capitalize()}: {state.message or page}"
        common.tell(options, _record(run_id, page, state), said)
        return Exit.REFUSED
    if not options.publish:
        said = f"Done. Look at the draft, and publish it there: {page}"
        if state.version is not None:
            said = f"Done, and published: {state.embedding}@v{state.version}"
        common.tell(options, _record(run_id, page, state), said)
        return Exit.DONE
    state = training.publish(transport, run_id, notes=options.notes)
    record = _record(run_id, page, state) | {"name": state.embedding, "page": transport.url(state.embedding)}
    common.tell(
        options, record, f"{state.embedding}@v{state.version} is published: {transport.url(state.embedding)}"
    )
    return Exit.DONE


def _record(run_id: str, page: str, state: State) -> dict[str, Any]:
    """What --json prints of a run."""
    told = dataclasses.asdict(state)
    told.pop("says")
    return {"run": run_id, "url": page, "label": state.label, **told}
