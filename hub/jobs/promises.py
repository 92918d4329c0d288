"""The worker's side of the outbox: a promise is kept when its job has been done, and its row goes then."""

import logging
from typing import Any

from dramatiq import Broker, Message, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.middleware import CurrentMessage

from hub.models import OutboxJob

log = logging.getLogger(__name__)


class KeepPromises(Middleware):
    """Removes a job's row when the job was done, was too old, or was given up."""

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """A failed job keeps its row: the broker tries again, or gives up below."""
        if exception is None:
            _remove(message)

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        """Skipped on purpose."""
        _remove(message)

    def after_nack(self, broker: Broker, message: MessageProxy) -> None:
        """Given up after all retries."""
        log.error("gave up job %s%s", message.actor_name, message.args)
        _remove(message)


def first_delivery() -> bool:
    """Whether this is the first time that the current job is done: for acts that must not happen twice.

    Call it in the transaction of the act. True also for a message that no row stands for.
    """
    message: Message[Any] | None = CurrentMessage.get_current_message()
    if message is None or "outbox" not in message.options:
        return True
    return _remove(message)


def _remove(message: Message[Any] | MessageProxy) -> bool:
    job_id: str | None = message.options.get("outbox")
    return job_id is not None and OutboxJob.objects.filter(id=job_id).delete()[0] > 0
