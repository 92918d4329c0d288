"""Make a folder hold what a lock says: parallel, interruptible, and safe against a kill at any moment."""

import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from hub.client import download, planning, state
from hub.client.errors import ClientError, Exit, local
from hub.client.files import digest, sync_folder
from hub.client.lockfile import Member
from hub.client.planning import Plan
from hub.client.progress import Progress
from hub.client.tools import Placed, Tool
from hub.client.transport import Transport

DEFAULT_JOBS: Final = 8
MOST_JOBS: Final = 64


@dataclass(frozen=True)
class Request:
    """What is to be done, and how."""

    members: tuple[Member, ...]
    tool: Tool | None
    folder: Path
    wanted_by: str
    jobs: int = DEFAULT_JOBS
    prune: bool = False
    overwrite: bool = False
    without: tuple[str, ...] = ()


@dataclass
class Result:
    """What came of it."""

    placed: list[Placed] = field(default_factory=list)
    kept: list[Placed] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    left_out: list[Member] = field(default_factory=list)
    failed: list[tuple[str, ClientError]] = field(default_factory=list)
    seconds: float = 0.0


def sync(transport: Transport, request: Request, progress: Progress) -> Result:
    """Do it. Files that cannot be had are told in `failed`; all others are put in place nevertheless.

    Stopped by an exception, Ctrl-C among them, it leaves whole files only, and a state that says which.
    """
    began = time.monotonic()
    wanted = planning.wanted(request.members, request.tool, without=request.without)
    with state.alone(request.folder, progress.note):
        before = state.load(request.folder)
        made = planning.plan(
            wanted.files,
            state=before,
            digest_of=lambda filename: digest(request.folder / filename),
            wanted_by=request.wanted_by,
            prune=request.prune,
            overwrite=request.overwrite,
        )
        result = Result(kept=made.keep, changed=made.changed, left_out=wanted.left_out)
        result.failed = [(file.filename, download.in_the_way(file, request.folder)) for file in made.taken]
        if made.fetch:
            state.save(request.folder, before | _announced(made, before, request))
        try:
            _fetch_all(transport, request, progress, made.fetch, before, result)
            if not result.failed:
                _remove(request.folder, made, result)
        finally:
            after = _settled(request, made, before, result)
            if made.fetch or after != before:
                sync_folder(request.folder)
                state.save(request.folder, after)
            _clear_parts(request.folder, all_of_them=not result.failed and not transport.stopped.is_set())
    result.seconds = time.monotonic() - began
    return result


def _announced(made: Plan, before: state.State, request: Request) -> state.State:
    """What is written down before anything is put in place: the new digests beside the old ones."""
    announced = {}
    for file in made.fetch:
        old, new = before.get(file.filename), _entry(file, request, before)
        digests = dict.fromkeys([*(old.digests if old else ()), *new.digests])
        announced[file.filename] = replace(new, digests=tuple(digests))
    return announced


def _fetch_all(
    transport: Transport,
    request: Request,
    progress: Progress,
    files: list[Placed],
    before: state.State,
    result: Result,
) -> None:
    progress.start(len(files))
    with ThreadPoolExecutor(max(1, min(request.jobs, MOST_JOBS)), thread_name_prefix="glossa") as pool:
        waiting: dict[Future[None], Placed] = {}
        try:
            for file in files:
                may_replace = request.overwrite or file.filename in before
                future = pool.submit(download.fetch, transport, file, request.folder, may_replace=may_replace)
                waiting[future] = file
            for future in as_completed(list(waiting)):
                _take(future, waiting.pop(future), result, progress)
                if result.failed and result.failed[-1][1].exit_code is Exit.UNREACHABLE:
                    # It was tried long enough: the others would fare no better.
                    break
        finally:
            if waiting:
                pool.shutdown(wait=False, cancel_futures=True)
                transport.stop()
            progress.finish()


def _take(future: "Future[None]", file: Placed, result: Result, progress: Progress) -> None:
    try:
        future.result()
    except ClientError as error:
        result.failed.append((file.filename, error))
    else:
        result.placed.append(file)
        progress.done(file.filename, file.file.size, file.member.label)


def _remove(folder: Path, made: Plan, result: Result) -> None:
    """Remove what no lock wants any longer."""
    for filename in made.remove:
        try:
            (folder / filename).unlink(missing_ok=True)
        except OSError as error:
            message = f"{folder / filename} cannot be removed: {error.strerror}."
            result.failed.append((filename, local("unwritable", message)))
        else:
            result.removed.append(filename)


def _settled(request: Request, made: Plan, before: state.State, result: Result) -> state.State:
    """What is to be written down in the end: each file of ours that is there, as it is there."""
    after = {filename: entry for filename, entry in before.items() if filename not in result.removed}
    for file in made.keep:
        if file.filename in before:
            after[file.filename] = _entry(file, request, before)
    placed = {file.filename for file in result.placed}
    for file in made.fetch:
        there = file.file.sha256 if file.filename in placed else digest(request.folder / file.filename)
        if there == file.file.sha256:
            after[file.filename] = _entry(file, request, before)
        elif there is None:
            after.pop(file.filename, None)
    return after


def _entry(file: Placed, request: Request, before: state.State) -> state.Entry:
    """A file as it is when it has arrived. What a person once pulled by hand stays theirs."""
    old = before.get(file.filename)
    by = state.BY_HAND if old is not None and old.wanted_by == state.BY_HAND else request.wanted_by
    return state.Entry((file.file.sha256,), file.member.name, file.member.version, by)


def _clear_parts(folder: Path, *, all_of_them: bool) -> None:
    """Remove what broken transfers have left; after a failure only what is not worth being taken up again."""
    for part in (folder / state.FOLDER / "parts").iterdir():
        if all_of_them or part.stat().st_size < download.WORTH_KEEPING:
            part.unlink(missing_ok=True)
