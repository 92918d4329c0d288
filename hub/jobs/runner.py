"""Runs the workers of one queue in this process until it is told to stop."""

import importlib
import logging
import os
import signal
import threading
import time
from dataclasses import dataclass
from types import FrameType

from django.conf import settings
from dramatiq import Worker

from hub.jobs import broker, relay, ticker
from hub.jobs.promises import KeepPromises

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
# Time for a running job to save what it has before the process leaves.
STOP_SECONDS = 55.0


@dataclass(frozen=True)
class Shape:
    """How much a worker of a queue takes at a time. `prefetch` 1: a busy worker holds nothing back."""

    threads: int
    prefetch: int


SHAPES = {
    "default": Shape(threads=2, prefetch=4),
    "gpu": Shape(threads=1, prefetch=1),
    # Others' machines may be slow: threads of their own, so that nothing else waits for those.
    "hooks": Shape(threads=2, prefetch=2),
}
# Queues whose work the same process does.
BESIDE: dict[str, tuple[str, ...]] = {"default": ("hooks",)}


def _is_no_second_pool(record: logging.LogRecord) -> bool:
    return "middleware of the same type twice" not in str(record.msg)


class QueueWorker:
    """Threads that do the jobs of one queue and of those beside it, and the ticker that sweeps."""

    def __init__(self, queue: str) -> None:
        importlib.import_module(settings.QUEUES[queue])
        self._broker = broker.get()
        if not any(isinstance(middleware, KeepPromises) for middleware in self._broker.middleware):
            self._broker.add_middleware(KeepPromises())
            ticker.every(SWEEP_SECONDS, relay.send_pending)
        # Each pool of threads brings a middleware of one type to the broker, which takes two for a mistake.
        self._broker.logger.addFilter(_is_no_second_pool)
        self._workers = [self._threads(name) for name in (queue, *BESIDE.get(queue, ()))]
        self._ticker = ticker.Ticker()

    def _threads(self, queue: str) -> Worker:
        shape = SHAPES[queue]
        worker = Worker(self._broker, queues={queue}, worker_threads=shape.threads)
        worker.queue_prefetch = shape.prefetch
        return worker

    def start(self) -> None:
        """Begin to take jobs."""
        self._broker.emit_after("process_boot")
        for worker in self._workers:
            worker.start()
        self._ticker.start()

    def stop(self) -> None:
        """Take no more jobs, let the running ones end or save, and leave."""
        self._ticker.stop()
        until = time.monotonic() + STOP_SECONDS
        for worker in self._workers:
            worker.stop(timeout=max(int((until - time.monotonic()) * 1000), 1000))


def run(queue: str) -> None:
    """Do jobs until SIGTERM or SIGINT; a second signal leaves at once, which is safe."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            os._exit(128 + number)
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    worker = QueueWorker(queue)
    worker.start()
    log.info("worker of queue %s is ready", queue)
    asked.wait()
    log.info("worker of queue %s stops", queue)
    worker.stop()
    broker.get().close()
