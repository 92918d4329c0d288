"""The schema tells the truth: whatever is sent, what comes back is documented, and never a server's error.

Calls are made up from the schema, most of them to things that are there and by callers who may do what they ask; each
is undone. What was reached is counted, so that a fuzzer that meets refusals alone does not pass.
"""

import sys
from collections import defaultdict
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.api import contract
from tests.api.calls import CALLS, Asked
from tests.api.seeded import WHO, Seeded
from trainer.api import events

EXAMPLES = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# What of a call is made up: all of it, what is sent, a part of what is sent, or only what may be left out.
HOW = st.sampled_from(["all", "body", "part", "part", "rest", "rest"])
MET: dict[str, set[int]] = defaultdict(set)


@pytest.fixture(autouse=True)
def short_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream of a run that waits ends soon."""
    monkeypatch.setattr(events, "LONGEST_SECONDS", 0.5)


@pytest.mark.django_db
def test_the_schema_is_served_and_names_every_route(client: Client) -> None:
    from hub.api.urls import urlpatterns

    answer = client.get(f"{contract.API}/schema")
    assert answer.json()["openapi"].startswith("3.1")
    routes = {str(one.pattern) for one in urlpatterns} - {"schema", "<path:rest>"}
    assert len(answer.json()["paths"]) >= len(routes)
    fresh = client.get(f"{contract.API}/schema", headers={"if-none-match": answer["ETag"]})
    assert fresh.status_code == 304


def made_up(case: Any, asked: Asked, how: str) -> Any:
    """The case with the parts of a call that is known to be good, as far as they are not to be made up."""
    if how != "all":
        case.path_parameters = {name: str(value) for name, value in asked.path.items()}
        for header in ("Idempotency-Key", "If-Match"):
            case.headers.pop(header, None)
    if how == "rest" and asked.body is not None:
        case.body = dict(asked.body)
    if how == "part" and isinstance(asked.body, dict) and isinstance(case.body, dict):
        kept = sorted(asked.body)[: len(asked.body) - 1]
        case.body = {**case.body, **{name: asked.body[name] for name in kept}}
    return case


@pytest.mark.django_db
@pytest.mark.parametrize("name", contract.operations())
def test_no_answer_is_a_server_error_or_undocumented(hub: Seeded, name: str) -> None:
    path, method, _ = contract.operations()[name]
    asked = CALLS[name](hub)
    callers = {who: hub.headers(who) for who in {*WHO, asked.who}}

    @EXAMPLES
    @given(
        case=contract.told()[path][method].as_strategy(),
        how=HOW,
        who=st.sampled_from([*WHO, *[asked.who] * 6]),
    )
    def ask(case: Any, how: str, who: str) -> None:
        with transaction.atomic():
            response = contract.sent_by(made_up(case, asked, how), callers[who])
            transaction.set_rollback(True)
        case.validate_response(response, checks=contract.KEPT)
        MET[name].add(response.status_code)

    ask()


def test_most_operations_were_really_reached() -> None:
    if len(MET) < len(contract.operations()):
        pytest.skip("only a part of the operations was asked")
    refused_alone = sorted(name for name, met in MET.items() if min(met) >= 400)
    calls = (
        f"{len(MET)} operations, {len(MET) - len(refused_alone)} reached; never: {', '.join(refused_alone)}"
    )
    sys.stderr.write(f"\n{calls}\n")
    assert len(refused_alone) <= len(MET) // 10, calls
