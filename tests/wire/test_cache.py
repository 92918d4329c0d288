"""A cache whose server may be out: reads miss, writes are dropped, nothing fails."""

from typing import Any

import pytest
from django.core.cache import cache

from hub.wire import cache as wire_cache
from hub.wire.cache import FailSafeRedisCache
from tests.parts.valkey import Valkey


@pytest.fixture
def lonely(monkeypatch: Any) -> FailSafeRedisCache:
    """A cache whose server is not there."""
    monkeypatch.setattr(wire_cache, "REST_SECONDS", 0)
    return FailSafeRedisCache("unix:///nowhere/valkey.sock?db=1", {})


def test_without_a_server_it_answers_as_an_empty_cache(lonely: FailSafeRedisCache) -> None:
    lonely.set("a", 1)
    assert lonely.get("a") is None
    assert lonely.get("a", "otherwise") == "otherwise"
    assert lonely.get_or_set("a", 5) == 5
    assert lonely.get_many(["a", "b"]) == {}
    assert not lonely.has_key("a")
    assert not lonely.touch("a")
    assert not lonely.delete("a")
    assert lonely.set_many({"a": 1}) == ["a"]
    lonely.delete_many(["a"])
    lonely.clear()
    with pytest.raises(ValueError, match="not found"):
        lonely.incr("a")
    assert lonely.count("a", 1, 60) is None


def test_without_a_server_a_lock_is_granted_since_nobody_else_can_hold_one(
    lonely: FailSafeRedisCache,
) -> None:
    assert lonely.add("lock", 1)


def test_with_a_server_it_is_a_cache(valkey: Valkey) -> None:
    cache.set_many({"a": 1, "b": [2]})
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": [2]}
    assert cache.incr("a") == 2
    assert not cache.add("a", 5)
    assert cache.touch("a", 10)
    assert cache.has_key("a")
    assert cache.delete("a")
    cache.delete_many(["b"])
    assert cache.get("b") is None


def test_a_counter_lives_from_its_first_call_on_however_often_it_is_counted(valkey: Valkey) -> None:
    counted = [cache.count("calls", delta, 60) for delta in (1, 4, 1)]  # type: ignore[attr-defined]  # ours
    assert counted == [1, 5, 6]
    assert cache.incr("calls") == 7
    with valkey.client(database=1) as client:
        lives = [client.execute_command("TTL", name) for name in client.execute_command("KEYS", "*calls")]
    assert lives and all(0 < life <= 60 for life in lives)


def test_a_silent_server_costs_one_timeout_and_is_asked_again_later(
    monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    import socket

    monkeypatch.setattr(wire_cache, "REST_SECONDS", 600)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        port = deaf.getsockname()[1]
        slow = FailSafeRedisCache(f"redis://127.0.0.1:{port}/1", {"OPTIONS": {"socket_timeout": 0.2}})
        for _ in range(20):
            assert slow.get("a") is None
    assert [one.getMessage()[:25] for one in caplog.records] == ["the cache does not answer"]
