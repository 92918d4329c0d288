"""A cache that the site can live without: while the server is out, reads miss and writes are dropped."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# After a failure the server is left alone this long: a hanging one costs one timeout, not one a call.
REST_SECONDS = 2.0


class FailSafeRedisCache(RedisCache):
    """Django's Redis cache, whose every call answers as an empty cache would while the server is out."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        options = {"socket_timeout": 1, "socket_connect_timeout": 1, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self._resting_until = 0.0

    def _attempt(self, call: Callable[[], Any], otherwise: Any) -> Any:
        """The answer of the server, or `otherwise` when it cannot be asked."""
        if time.monotonic() < self._resting_until:
            return otherwise
        try:
            return call()
        except (RedisError, OSError) as error:
            self._resting_until = time.monotonic() + REST_SECONDS
            log.warning("the cache does not answer: %s", error)
            return otherwise

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        """Locks are taken with `add`: without a server nobody else holds one, so it is granted."""
        return bool(
            self._attempt(lambda: super(FailSafeRedisCache, self).add(key, value, *args, **kwargs), True)
        )

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """The value, or the default."""
        return self._attempt(lambda: super(FailSafeRedisCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        """Keep the value, if there is a server."""
        self._attempt(lambda: super(FailSafeRedisCache, self).set(key, value, *args, **kwargs), None)

    def touch(self, key: Any, *args: Any, **kwargs: Any) -> bool:
        """Whether the key is there and lives longer now."""
        return bool(self._attempt(lambda: super(FailSafeRedisCache, self).touch(key, *args, **kwargs), False))

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Whether there was something to delete."""
        return bool(self._attempt(lambda: super(FailSafeRedisCache, self).delete(key, version), False))

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        """The values that are known."""
        return dict(self._attempt(lambda: super(FailSafeRedisCache, self).get_many(keys, version), {}))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        """Whether the key is known."""
        return bool(self._attempt(lambda: super(FailSafeRedisCache, self).has_key(key, version), False))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Count up. ValueError for an unknown key, as Django promises; so too without a server."""
        value = self._attempt(lambda: super(FailSafeRedisCache, self).incr(key, delta, version), None)
        if value is None:
            raise ValueError(f"Key {key!r} not found")
        return int(value)

    def count(self, key: str, delta: int, seconds: int) -> int | None:
        """Add to a counter that lives so long from its first call on: what it is at then. None without a server.

        One round trip, where `add` and `incr` need three.
        """
        name = self.make_and_validate_key(key)

        def counted() -> int:
            pipeline = self._cache.get_client(name, write=True).pipeline(transaction=False)
            pipeline.set(name, 0, ex=seconds, nx=True)
            pipeline.incrby(name, delta)
            return int(pipeline.execute()[1])

        found: int | None = self._attempt(counted, None)
        return found

    def set_many(self, data: dict[Any, Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Keep the values; the answer lists the keys that were not kept."""
        return list(
            self._attempt(lambda: super(FailSafeRedisCache, self).set_many(data, *args, **kwargs), list(data))
        )

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        """Forget the keys."""
        self._attempt(lambda: super(FailSafeRedisCache, self).delete_many(keys, version), None)

    def clear(self) -> None:
        """Forget everything."""
        self._attempt(super().clear, None)
