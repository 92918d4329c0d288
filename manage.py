#!/usr/bin/env python3
"""Run a management command of the hub."""

from hub.__main__ import manage

if __name__ == "__main__":
    manage()
