"""Named points at which a test lets a process die, to prove what is true after a crash at that instruction.

`kill_point("K4")` costs a dictionary look-up unless HUB_KILL_POINT names the point: `K4`, or `K4@3` for the
third time that it is reached. `K4!TERM` asks the process to stop instead, `K4!ENOSPC` lets the disk be full there once.
An unknown name stops the start.
"""

import errno
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hub import env

POINTS: Mapping[str, str] = MappingProxyType(
    {
        "K1": "upload: body half read",
        "K2": "blob: written, before fsync of the file",
        "K3": "blob: after fsync, before the rename",
        "K4": "blob: after the rename, before fsync of the folder",
        "K5": "upload: the parser is killed",
        "K6": "upload: after the blob, before the transaction",
        "K7": "upload: inside the transaction",
        "K8": "upload: after the commit, before the answer",
        "K9": "publish: before the commit",
        "K10": "publish: after the commit, before the outbox is sent",
        "K11": "outbox: job is in the broker, row not marked",
        "K12": "publish: in the middle of a cache purge",
        "K13": "publish: in the middle of an index update",
        "K14": "submit: one picture of several stored",
        "K15": "submit: all pictures stored, no row",
        "K16": "submit: row, no message",
        "K17": "submit: message, no answer",
        "K18": "submit: twice with one key",
        "K19": "run: after the claim",
        "K20": "run: before step 1",
        "K21": "run: in the middle of a step",
        "K22": "run: in the middle of a checkpoint blob",
        "K23": "run: checkpoint blob without its row",
        "K24": "run: checkpoint row, the old one not dropped",
        "K25": "run: the heartbeat is dead",
        "K26": "run: lease lost while training",
        "K27": "run: last step, before saving",
        "K28": "run: after the artifact, before the draft",
        "K29": "run: inside the transaction of the draft",
        "K30": "run: after the draft, before `done`",
        "K31": "run: during the preview sheet",
        "K32": "cancel: before the flag",
        "K33": "cancel: the child ignores SIGTERM",
        "K34": "cancel: after the kill, before the state",
        "K35": "gc: after the mark",
        "K36": "gc: between two deletes",
        "K37": "gc: blob referenced again between mark and delete",
        "K38": "gc: bytes deleted, row not",
        "K39": "gc: in the middle of a prefix",
        "K40": "purge: in the middle of training pictures",
        "K41": "backup: in the middle of the dump",
        "K42": "backup: between dump and blobs",
        "K43": "backup: in the middle of a blob copy",
        "K44": "restore: half done",
        "K45": "restore: into a target that is not empty",
        "K46": "migrate: in the middle",
        "K47": "rescan: in the middle of a batch",
        "K48": "rescan: two at once",
        "K49": "token: revoked, before the answer",
        "K50": "sessions: in the middle of a purge",
        "K51": "webhook: delivery claimed, nothing sent",
        "K52": "webhook: answered, the answer not written down",
        "K53": "webhook: answer written down, the next delivery not claimed",
    }
)
WAYS = ("KILL", "TERM", "ENOSPC")
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Order:
    """What is to happen: at which point, at which time that it is reached, in which of WAYS."""

    name: str = ""
    times: int = 0
    way: str = "KILL"


def parse(text: str) -> Order:
    """`"K4@3!TERM"` as an order, `""` as one for nothing. ValueError for a point or way that there is not."""
    if not text:
        return Order()
    place, _, way = text.partition("!")
    name, _, times = place.partition("@")
    if name not in POINTS or not (times or "1").isdecimal() or int(times or "1") < 1:
        raise ValueError(f"HUB_KILL_POINT={text!r}: no such kill point")
    if (way or "KILL") not in WAYS:
        raise ValueError(f"HUB_KILL_POINT={text!r}: no such way; there are {', '.join(WAYS)}")
    return Order(name, int(times or "1"), way or "KILL")


_order = parse(env.read()["HUB_KILL_POINT"])
_left = _order.times
_lock = threading.Lock()


def arm(text: str) -> None:
    """Give this process an order as HUB_KILL_POINT would, and forget the one before."""
    global _order, _left
    _order = parse(text)
    _left = _order.times


def kill_point(name: str) -> None:
    """Die here by SIGKILL, or what was ordered, if this point was named for this process; otherwise do nothing."""
    global _left
    if name not in POINTS:
        raise ValueError(f"{name!r} is no kill point")
    if name != _order.name:
        return
    with _lock:
        _left -= 1
        is_now = _left == 0
    if not is_now:
        return
    if _order.way == "ENOSPC":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.kill(os.getpid(), signal.SIGTERM if _order.way == "TERM" else signal.SIGKILL)
    _wait_for_the_stop()


def _wait_for_the_stop() -> None:
    """Stay at this instruction until the main thread has passed the stop on to this one, or the stop comes later."""
    if threading.current_thread() is threading.main_thread():
        return
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        time.sleep(0.01)
