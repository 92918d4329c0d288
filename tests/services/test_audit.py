"""The audit log is a chain: what was written can neither change nor vanish unseen."""

import itertools

import pytest
from django.db import transaction

from hub.access import ANONYMOUS
from hub.models import AuditEntry
from hub.services import audit
from tests import factories


@pytest.mark.django_db
def test_each_entry_holds_the_hash_of_the_one_before() -> None:
    factories.published()
    entries = list(AuditEntry.objects.all())
    assert [entry.act for entry in entries] == ["create_user", "create_embedding", "add_draft", "publish"]
    for before, entry in itertools.pairwise(entries):
        assert entry.previous_hash == before.hash and entry.sequence == before.sequence + 1
    assert list(audit.breaks()) == []


@pytest.mark.django_db
def test_an_entry_goes_with_its_transaction() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.record(ANONYMOUS, "try", "nothing", number=1)
        raise ZeroDivisionError
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_a_mistake() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        audit.record(ANONYMOUS, "try", "nothing")
