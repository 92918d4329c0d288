"""What a hub is asked, and what its answers mean; every field is checked before it is used."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from hub.client import lockfile
from hub.client.errors import ClientError, Exit, untrusted
from hub.client.lockfile import Lock, Member
from hub.client.names import Reference, check_commit, check_full_name, check_trigger, segment
from hub.client.transport import Call, Transport

API: Final = "api/hub/v1"
_JOBS: Final = 8


def whoami(transport: Transport) -> dict[str, Any]:
    """`name` and `scopes` of the token that is shown, and the `teams` that its person writes for.

    ClientError when it does not work. Hubs of before have no teams.
    """
    record = transport.get(f"{API}/whoami")
    scopes, teams = field(record, "scopes"), record.get("teams")
    return {
        "name": str(field(record, "name")),
        "scopes": [str(scope) for scope in scopes] if isinstance(scopes, list) else [],
        "teams": [segment(team) for team in teams if isinstance(team, str)]
        if isinstance(teams, list)
        else [],
    }


def embedding_path(reference: Reference) -> str:
    """Where the API keeps an embedding."""
    return f"{API}/embeddings/{segment(reference.owner)}/{segment(reference.name)}"


def member(transport: Transport, reference: Reference, *, layout: str = "") -> Member:
    """The version that a reference means, with every file the hub offers of it and knows the digest of.

    The file in this `layout` is among them, made now where nobody has asked for it before.
    """
    place, revision = f"{segment(reference.owner)}/{segment(reference.name)}", reference.revision
    if revision == "main":
        # `main` moves when the card is saved; a lock names the commit at which the version was published.
        newest = field(transport.get(embedding_path(reference)), "version")
        revision = f"v{_whole(field(newest, 'number'))}" if newest else "main"
    record = transport.get(f"api/models/{place}/revision/{segment(revision)}")
    card = field(record, "cardData")
    facts = card.get("glossa") if isinstance(card, dict) else None
    if not isinstance(facts, dict) or "version" not in facts:
        raise ClientError(
            Exit.NOT_FOUND, "repo_not_found", "There is no embedding of this name with a version."
        )
    number = _whole(facts["version"])
    listed = transport.get(f"{API}/embeddings/{place}/versions/{number}/files")
    if any(row.get("layout") == layout and not row.get("sha256") for row in rows(field(listed, "files"))):
        path = f"{API}/embeddings/{place}/versions/{number}/files/{segment(layout)}"
        with transport.opened(Call("GET", transport.url(path))) as response:
            transport.whole(response)
        listed = transport.get(f"{API}/embeddings/{place}/versions/{number}/files")
    files = [_file(row, transport.hub) for row in rows(field(listed, "files")) if row.get("sha256")]
    return Member(
        name=check_full_name(field(record, "id")),
        version=number,
        commit=check_commit(field(record, "sha")),
        trigger=check_trigger(facts.get("trigger")),
        family=str(facts.get("family")),
        files=tuple(files),
    )


def members(transport: Transport, references: Sequence[Reference], *, layout: str = "") -> list[Member]:
    """The same for many, in their order. The first refusal ends it."""

    def ask(one: Reference) -> Member:
        try:
            return member(transport, one, layout=layout)
        except ClientError as error:
            error.message = f"{one}: {error.message}"
            raise

    return in_parallel(ask, references)


def lock_of_names(transport: Transport, references: Sequence[Reference]) -> Lock:
    """A lock made of single names. ClientError when one is named twice."""
    found = members(transport, references)
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ClientError(
            Exit.USAGE, "named_twice", f"{twice} is named twice; a lock holds one version of it."
        )
    return Lock(hub=transport.hub, members=tuple(found))


def lock_of_pack(transport: Transport, reference: Reference) -> bytes:
    """The hub's own lock file of a pack, byte for byte, found to be one. ClientError `repo_not_found` for no pack.

    A pack that was renamed is found by its old name too.
    """
    path = f"{API}/packs/{segment(reference.owner)}/{segment(reference.name)}/lock"
    with transport.opened(Call("GET", transport.url(path), {"Accept": "application/json"})) as response:
        data = transport.whole(response)
    if lockfile.parse(data, source=f"What {transport.hub} sends").pack is None:
        raise untrusted(f"{transport.hub} sends something else for the pack {reference.full_name}.")
    return data


def in_parallel(ask: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Ask for each item, a few at a time; the answers in order. The first error cancels what has not begun."""
    if len(items) == 1:
        return [ask(items[0])]
    with ThreadPoolExecutor(_JOBS, thread_name_prefix="glossa") as pool:
        futures = [pool.submit(ask, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _file(record: dict[str, Any], hub: str) -> lockfile.LockedFile:
    try:
        return lockfile.locked_file({"filename": record["path"], **record}, hub)
    except (KeyError, TypeError):
        raise untrusted(
            f"{hub} tells of a file in a way that this client does not know. Update it."
        ) from None


def field(record: Any, name: str) -> Any:
    """A field of an answer. ClientError when it is not there."""
    if isinstance(record, dict) and name in record:
        return record[name]
    raise untrusted(f"The answer of the hub has no {name}. Is it a Glossa hub, and this client new enough?")


def rows(value: Any) -> list[dict[str, Any]]:
    """A list of objects. ClientError for anything else."""
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return value
    raise untrusted("The answer of the hub is no list. Is it a Glossa hub, and this client new enough?")


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9:
        return value
    raise untrusted("The answer of the hub has no number where one belongs.")
