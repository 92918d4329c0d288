"""A template that is no root: loading this module gives the rights up before the first child is forked."""

import os

from tests.sandbox import hostile as hostile  # what its children run

PLAIN_UID = 61_499


def preload() -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(PLAIN_UID, PLAIN_UID, PLAIN_UID)
        os.setresuid(PLAIN_UID, PLAIN_UID, PLAIN_UID)
