"""The gate of an embedding: who may have its files. Its page, card, pictures, facts and file list are for everybody.

`hub.wire.files.send`, the one way out, asks `check` of each file that stands behind a gate; what gives a file's values
away without sending it (a start of training, a push by digest) asks here as well.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db.models import Model, Q, QuerySet

from hub.access import Viewer, allows, can, has_scope_for, require, under, visible
from hub.catalog.shapes import Facet, Paged
from hub.errors import Forbidden, HubError, NotFound, Unauthenticated
from hub.models import AccessRequest, Embedding
from hub.models.registry import Gate

Row = TypeVar("Row", bound=Model)
State = AccessRequest.State
CODE: Final = "gated"
PAGE_SIZE: Final = 50


@dataclass(frozen=True)
class Behind:
    """What a gated file stands behind, in as much as has to be known to decide on it."""

    embedding: int
    owner_id: int
    full_name: str
    gate: str


def of(row: Embedding) -> Behind | None:
    """The gate of an embedding whose owner is loaded; None where it has none."""
    return Behind(row.pk, row.owner_id, row.full_name, row.gate) if row.is_gated else None


def may_have(viewer: Viewer, gate: Behind | None) -> bool:
    """Whether the viewer, who may see the embedding, may have its files: by their role, by a grant, or as anybody."""
    if gate is None or can(viewer, "pull_gated", gate):
        return True
    if viewer.user is None or not has_scope_for(viewer, "pull_gated"):
        return False
    return _grants(viewer).filter(embedding=gate.embedding).exists()


def check(viewer: Viewer, gate: Behind | None) -> None:
    """Nothing for whoever may have the files. Unauthenticated or Forbidden `gated`, saying how one comes by them."""
    if gate is not None and not may_have(viewer, gate):
        raise refusal(viewer, gate)


def refusal(viewer: Viewer, gate: Behind) -> HubError:
    """Why this viewer does not get the files, and what to do; `detail` names the embedding, whose page one asks on."""
    about: dict[str, Any] = {"embedding": gate.full_name, "gate": gate.gate}
    name = gate.full_name
    if viewer.user is None:
        return Unauthenticated(CODE, f"{name} is gated: sign in, and ask for its files on its page.", **about)
    row = AccessRequest.objects.filter(embedding=gate.embedding, user=viewer.user).first()
    if row is not None and row.state == State.REJECTED:
        why = f": {row.reason}" if row.reason else "."
        return Forbidden(
            CODE, f"{name} is gated, and its owner rejected your request{why}", state=row.state, **about
        )
    if row is not None and row.state == State.PENDING:
        return Forbidden(
            CODE, f"{name} is gated; your request waits for its owner.", state=row.state, **about
        )
    if not has_scope_for(viewer, "pull_gated"):
        return Forbidden(
            CODE, f"{name} is gated: this needs a token with the scope “read”.", scope="read", **about
        )
    how = "agree to its terms" if gate.gate == Gate.AUTO else "ask its owner for access"
    return Forbidden(CODE, f"{name} is gated: {how} on its page.", **about)


def open_to(viewer: Viewer, rows: QuerySet[Row], *, prefix: str = "embedding__") -> QuerySet[Row]:
    """Those of these whose files no gate keeps from the viewer; whether they may see them was asked before."""
    if allows(viewer, "pull_gated"):
        return rows
    question = Q(**{f"{prefix}gate": Gate.OFF})
    if viewer.user is not None and has_scope_for(viewer, "pull_gated"):
        question |= under(viewer, "pull_gated", prefix=prefix)
        question |= Q(**{f"{prefix}pk__in": _grants(viewer).values("embedding")})
    return rows.filter(question)


def _grants(viewer: Viewer) -> QuerySet[AccessRequest]:
    return AccessRequest.objects.filter(user=viewer.user, state=State.ACCEPTED)


@dataclass(frozen=True)
class Place:
    """Where a viewer stands at a gate: whether the files are theirs, and what they asked (None: nothing).

    `waiting` counts the requests that wait, for those who answer them.
    """

    gate: str
    terms: str
    may_have: bool
    may_manage: bool
    request: AccessRequest | None
    waiting: int


def place(viewer: Viewer, row: Embedding) -> Place | None:
    """The viewer's place at the gate of an embedding that they see; None where it has no gate."""
    gate = of(row)
    if gate is None:
        return None
    keeps = can(viewer, "manage_gate", row)
    return Place(
        gate=row.gate,
        terms=row.gate_terms,
        may_have=may_have(viewer, gate),
        may_manage=keeps,
        request=own(viewer, row),
        waiting=requests(viewer, embedding=row, state=State.PENDING).count() if keeps else 0,
    )


def own(viewer: Viewer, row: Embedding) -> AccessRequest | None:
    """What the viewer themselves asked of this embedding."""
    if viewer.user is None:
        return None
    return AccessRequest.objects.filter(embedding=row, user=viewer.user).select_related("user").first()


def requests(viewer: Viewer, *, embedding: Embedding, state: str = "") -> QuerySet[AccessRequest]:
    """What people asked of this embedding, newest first, for those who answer them. Refused as by `require`."""
    require(viewer, "manage_gate", embedding)
    rows = AccessRequest.objects.filter(embedding=embedding).select_related("user", "decided_by")
    return rows.filter(state=state) if state else rows


def request(viewer: Viewer, *, embedding: Embedding, person: str) -> AccessRequest:
    """The request of that person, for those who answer it. NotFound where there is none."""
    rows = requests(viewer, embedding=embedding).select_related("embedding__owner")
    found = rows.filter(user__username=person.strip().lower()).first()
    if found is None:
        raise NotFound(f"{person[:96]} has not asked for these files.", code="request_not_found")
    return found


@dataclass(frozen=True)
class RequestPage(Paged):
    """One page of the requests of a state, and how many there are of each."""

    items: tuple[AccessRequest, ...]
    states: tuple[Facet, ...]
    page: int
    pages: int


def request_page(viewer: Viewer, *, embedding: Embedding, state: str, page: int) -> RequestPage:
    """The requests of that state, newest first; two queries beside the question who asks. Refused as `requests`."""
    rows = requests(viewer, embedding=embedding)
    counts = Counter(rows.order_by().values_list("state", flat=True))
    states = [Facet(one, State(one).label, counts[one], one == state) for one in State.values]
    start = (page - 1) * PAGE_SIZE
    shown = rows.filter(state=state)[start : start + PAGE_SIZE]
    return RequestPage(tuple(shown), tuple(states), page, max(1, -(-counts[state] // PAGE_SIZE)))


def waiting(viewer: Viewer) -> QuerySet[AccessRequest]:
    """What waits for the viewer's answer, or for their team's admins', the oldest first."""
    if viewer.user is None or not has_scope_for(viewer, "manage_gate"):
        return AccessRequest.objects.none()
    rows = AccessRequest.objects.filter(
        under(viewer, "manage_gate", prefix="embedding__"), state=State.PENDING
    )
    rows = rows.filter(embedding__deleted_at=None).exclude(embedding__gate=Gate.OFF)
    return rows.select_related("user", "embedding__owner").order_by("created_at", "pk")


def asked_by(viewer: Viewer) -> QuerySet[AccessRequest]:
    """What the viewer asked of embeddings that they see, newest first."""
    if viewer.user is None:
        return AccessRequest.objects.none()
    seen = visible(Embedding.objects.all(), viewer).values("pk")
    rows = AccessRequest.objects.filter(user=viewer.user, embedding__in=seen)
    return rows.select_related("embedding__owner")
