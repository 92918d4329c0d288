"""Photograph every page at 1280 and 390 pixels, light and dark: `python -m tests.pictures [FOLDER] [--keep]`.

A hub of its own is started on the bundled catalogue, in a temporary folder, and stopped at the end. Without
FOLDER the pictures go to a temporary folder; with `--keep` those that the README shows are renewed in docs/img.
`--only WORD` keeps to the pictures with that word in their name; the pages are walked through all the same.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.journeys.hub_process import ROOT, Hub
from tests.parts.browser import FLAGS
from tests.pictures.camera import Camera
from tests.pictures.walk import Walk


def main() -> None:
    """Start a hub, take the pictures, stop it."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description="Photograph every page.")
    parser.add_argument("folder", nargs="?", type=Path, help="where to; default a temporary one")
    parser.add_argument("--keep", action="store_true", help="renew the pictures in docs/img")
    parser.add_argument("--only", default="", metavar="WORD", help="only pictures with this in their name")
    options = parser.parse_args()
    began = time.monotonic()
    camera = Camera(options.folder or Path(tempfile.mkdtemp(prefix="glossa-pictures-")), options.only)
    take(camera)
    if options.keep:
        for path in (camera.folder / "kept").iterdir():
            (ROOT / "docs" / "img" / path.name).write_bytes(path.read_bytes())
    for line in [
        *camera.wide,
        f"{camera.count} pictures in {camera.folder}, {time.monotonic() - began:.0f} s",
    ]:
        sys.stdout.write(line + "\n")


def take(camera: Camera) -> None:
    """Walk through a hub that lives as long as this takes."""
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with tempfile.TemporaryDirectory(prefix="glossa-hub-") as place, sync_playwright() as playwright:
        hub = Hub(Path(place) / "data")
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        try:
            hub.start()
            Walk(camera, browser, hub, Path(place)).all()
        finally:
            browser.close()
            hub.stop()


if __name__ == "__main__":
    main()
