"""Limits of calls: counted per person or address, refused beyond, forgotten without a cache."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from hub.access import ANONYMOUS
from hub.errors import RateLimited
from hub.web.accounts import AccountAdapter
from hub.wire import throttle
from hub.wire.cache import FailSafeRedisCache
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: Any) -> None:
    """Two calls for strangers, three for people."""
    monkeypatch.setitem(throttle.LIMITS, "api", throttle.Limit(2, 3))


def call(address: str, viewer: Any = ANONYMOUS) -> None:
    """One counted call from there."""
    throttle.count(RequestFactory().get("/", REMOTE_ADDR=address), viewer, "api")


def test_calls_beyond_the_limit_are_refused_with_the_time_to_wait() -> None:
    call("10.0.0.1")
    call("10.0.0.1")
    with pytest.raises(RateLimited) as refusal:
        call("10.0.0.1")
    assert 0 < refusal.value.detail["retry_after"] <= throttle.WINDOW_SECONDS
    call("10.0.0.2")


def test_a_person_is_counted_wherever_the_calls_come_from() -> None:
    viewer = factories.viewer("mara")
    for last in (1, 2, 3):
        call(f"10.0.1.{last}", viewer)
    with pytest.raises(RateLimited):
        call("10.0.1.4", viewer)


def test_a_network_of_ipv6_addresses_counts_as_one() -> None:
    call("2001:db8:1:2::1")
    call("2001:db8:1:2::2")
    with pytest.raises(RateLimited):
        call("2001:db8:1:2:ffff::3")
    call("2001:db8:1:3::1")


def test_behind_a_proxy_the_address_that_it_saw_counts(settings: Any) -> None:
    claimed = {"HTTP_X_FORWARDED_FOR": "10.9.9.9, 192.0.2.7", "REMOTE_ADDR": "10.0.2.1"}
    request = RequestFactory().get("/", **claimed)
    assert throttle.address_of(request) == "10.0.2.1"
    settings.HUB = {**settings.HUB, "HUB_TRUSTED_PROXIES": 1}
    assert throttle.address_of(request) == "192.0.2.7"
    assert throttle.address_of(RequestFactory().get("/", REMOTE_ADDR="10.0.2.1")) == "10.0.2.1"


def test_failed_sign_ins_are_counted_where_other_calls_are(settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_TRUSTED_PROXIES": 1}
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR="192.0.2.7", REMOTE_ADDR="10.0.2.1")
    assert AccountAdapter().get_client_ip(request) == "192.0.2.7"


def test_the_client_is_told_by_429(client: Client) -> None:
    statuses = [client.get("/api/models").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert int(client.get("/api/models")["Retry-After"]) > 0


def process() -> throttle.Bundles:
    """The counters of another process."""
    return throttle.Bundles()


def test_a_process_asks_for_a_bundle_of_calls_once_and_still_counts_each(
    monkeypatch: Any, valkey: Any
) -> None:
    asked: list[tuple[str, int]] = []
    ask = FailSafeRedisCache.count

    def noted(cache: FailSafeRedisCache, key: str, delta: int, seconds: int) -> int | None:
        asked.append((key, delta))
        return ask(cache, key, delta, seconds)

    monkeypatch.setattr(FailSafeRedisCache, "count", noted)
    mine = process()
    assert [mine.add("who", 500) for _ in range(25)] == list(range(1, 26))
    assert 1 <= len(asked) <= 5


def test_several_processes_are_over_a_limit_by_less_than_a_bundle_of_each_other(valkey: Any) -> None:
    mine, theirs = process(), process()
    for _ in range(300):
        mine.add("who", 500)
        theirs.add("who", 500)
    bundle = 500 // throttle.BUNDLES_IN_A_LIMIT
    for one in (mine, theirs):
        used = one.add("who", 500)
        assert used is not None
        assert 600 - bundle <= used <= 602


def test_a_bundle_is_told_after_a_second_at_the_latest(monkeypatch: Any, valkey: Any) -> None:
    monkeypatch.setattr(throttle, "BUNDLE_SECONDS", 0.0)
    mine, theirs = process(), process()
    assert [mine.add("who", 500), theirs.add("who", 500), mine.add("who", 500)] == [1, 2, 3]


def test_a_process_does_not_remember_callers_without_end(monkeypatch: Any, valkey: Any) -> None:
    monkeypatch.setattr(throttle, "MOST_CALLERS", 2)
    mine = process()
    for who in "abcabc":
        assert mine.add(who, 500) is not None
    assert len(mine) <= 2


def test_without_a_cache_nothing_is_counted_and_nothing_fails(client: Client, valkey: Any) -> None:
    valkey.stop()
    assert {client.get("/api/models").status_code for _ in range(4)} == {200}


def test_routes_without_a_bucket_are_not_counted(client: Client) -> None:
    assert {client.get("/healthz").status_code for _ in range(4)} == {200}
