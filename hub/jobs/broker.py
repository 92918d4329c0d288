"""The queue server: dramatiq's broker as the settings describe it, and whether it answers."""

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError

# What a broker that is out raises, depending on which layer notices.
OUT = (BrokerConnectionError, redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError)


def get() -> RedisBroker:
    """The broker of this process."""
    broker = dramatiq.get_broker()
    assert isinstance(broker, RedisBroker)
    return broker


def answers() -> bool:
    """Whether the broker is up now: pages tell a maker that a run waits for it."""
    try:
        return bool(get().client.ping())
    except OUT:
        return False
