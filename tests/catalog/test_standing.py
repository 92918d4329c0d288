"""A standing question is asked in one query, with whatever values, and says what the queryset says."""

import pytest
from django.db.models import F
from pytest_django import DjangoAssertNumQueries

from hub.catalog.standing import Standing
from hub.models import Embedding
from tests import factories

pytestmark = pytest.mark.django_db
NAMED = Standing(
    lambda owner, name: Embedding.objects.filter(owner__name=owner, name=name).values_list("title", "kind")[
        :1
    ],
    "sample-owner",
    "sample-name",
)


def test_it_is_one_query_for_each_call(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    factories.embedding("ada", "moss", title="Moss", kind="style")
    factories.embedding("ada", "fern", title="Fern", kind="object")
    for name, row in (("moss", ("Moss", "style")), ("fern", ("Fern", "object")), ("ink", None)):
        with django_assert_num_queries(1):
            assert NAMED.ask("ada", name) == row


@pytest.mark.parametrize(
    "name", ["' OR 1=1 --", "%s", "%", "sample-name", 'x"; DROP TABLE hub_embedding; --']
)
def test_values_are_values_whatever_is_in_them(name: str) -> None:
    factories.embedding("ada", "moss")
    assert NAMED.ask("ada", name) is None
    assert Embedding.objects.count() == 1


def test_a_value_may_stand_in_many_places() -> None:
    row = factories.embedding("ada", "moss", title="moss")
    number = 2_000_000_001
    question = Standing(
        lambda pk: Embedding.objects.filter(pk=pk, owner=F("owner_id")).exclude(head=pk).values_list("pk"),
        number,
    )
    assert question.ask(row.pk) == (row.pk,)
    assert question.ask(row.pk + 1) is None


def test_a_question_that_does_not_use_a_value_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        Standing(lambda pk: Embedding.objects.values_list("pk"), 7).ask(1)
