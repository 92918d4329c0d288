"""What a process remembers of things that may change: each with a stamp, and given back for that stamp alone."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Memory(Generic[Kept]):
    """The values used last, up to a weight in all. Never asked without a stamp that was read just now."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.weight = 0
        self._held: OrderedDict[Hashable, tuple[Hashable, Kept, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, stamp: Hashable) -> Kept | None:
        """What was kept under this key with this stamp, or None."""
        with self._lock:
            held = self._held.get(key)
            if held is None or held[0] != stamp:
                return None
            self._held.move_to_end(key)
            return held[1]

    def put(self, key: Hashable, stamp: Hashable, value: Kept, weight: int = 1) -> None:
        """Keep it in place of what was there, and let go of what was not used for longest.

        The stamp was read before the value was made: what changed in between has drawn another one.
        """
        with self._lock:
            self._drop(key)
            if weight > self.most:
                return
            self._held[key] = (stamp, value, weight)
            self.weight += weight
            while self.weight > self.most:
                self._drop(next(iter(self._held)))

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._held.clear()
            self.weight = 0

    def _drop(self, key: Hashable) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self.weight -= held[2]
