"""The session of docs/client.md, done anew: `python -m tests.client.session` starts a hub and prints what was said.

Names of folders are shown as they would be for ida, whose home is /home/ida.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests import samples
from tests.client.runner import ROOT, Glossa
from tests.journeys.hub_process import Hub

PORT = 8766
PACK = """
from hub.access import Viewer
from hub.models import Embedding, User
from hub.services.packs import members, packs
mara = Viewer(User.objects.get(username="mara"))
pack = packs.create_pack(mara, name="wet-places", title="Wet places")
for name in ("moss-glow", "ink-wash"):
    version = Embedding.objects.get(owner__name="mara", name=name).versions.order_by("-number").first()
    members.add_member(mara, pack=pack, version=version)
"""
SESSION: tuple[tuple[str, ...], ...] = (
    ("login", "http://127.0.0.1:8766", "--token-stdin"),
    ("whoami",),
    ("search", "--owner", "mara"),
    ("pull", "mara/moss-glow@v1", "--tool", "comfyui"),
    ("lock", "mara/wet-places"),
    ("sync", "--tool", "comfyui"),
    ("sync", "--tool", "comfyui"),
    ("break",),
    ("verify", "--tool", "comfyui"),
    ("sync", "--tool", "comfyui", "--quiet"),
    ("push", "lantern-light.safetensors", "--kind", "style", "--licence", "cc-by-4.0", "--title", "Lantern light"),
    ("train", "bark", "--name", "wet-bark", "--kind", "style", "--consent", "--preset", "quick", "--publish"),
    ("logout",),
)  # fmt: skip


def main() -> None:
    """Fill a hub, then say and do what ida does."""
    folder = Path(tempfile.mkdtemp(prefix="glossa-session-"))
    hub = Hub(folder / "hub", port=PORT)
    hub.folder.mkdir()
    try:
        hub.start(within=600)
        for name in ("mara", "ida"):
            hub.manage("create_user", name)
        fill(hub, folder)
        act(hub, folder / "ida")
    finally:
        if hub.runs:
            hub.stop(within=60)
        shutil.rmtree(folder, ignore_errors=True)


def fill(hub: Hub, folder: Path) -> None:
    """What others have published."""
    mara = Glossa(folder / "mara", hub.url)
    mara.variables["GLOSSA_TOKEN"] = token(hub, "mara", "publish", "manage", "read")
    mara.home.mkdir()
    for name, vectors, seed in (("ink-wash", 2, 3), ("moss-glow", 4, 1), ("moss-glow", 4, 2)):
        path = mara.home / f"{name}.safetensors"
        path.write_bytes(samples.canonical_file("sd1", trigger=name, vectors=vectors, seed=seed))
        title = name.replace("-", " ").capitalize()
        mara("push", path, "--kind", "style", "--licence", "cc-by-4.0", "--title", title)
    hub.manage("shell", "-c", PACK)


def act(hub: Hub, home: Path) -> None:
    """The session itself, as ida's terminal shows it."""
    ida = Glossa(home)
    (home / "ComfyUI" / "models" / "embeddings").mkdir(parents=True)
    (home / "lantern-light.safetensors").write_bytes(
        samples.canonical_file("sd1", trigger="lantern-light", vectors=2, seed=5)
    )
    shutil.copytree(ROOT / "trainer" / "bundled" / "sets" / "moss-bark", home / "bark")
    secret = token(hub, "ida", "publish", "manage", "read", "train")
    for words in SESSION:
        if words == ("break",):
            show("$ printf broken > ComfyUI/models/embeddings/ink-wash.safetensors", home)
            (home / "ComfyUI" / "models" / "embeddings" / "ink-wash.safetensors").write_text("broken")
            continue
        typed = " ".join(f'"{word}"' if " " in word else word for word in words)
        show(f"$ glossa {typed}{' < token' if words[0] == 'login' else ''}", home)
        out, err = ida.start(*words).communicate(secret if words[0] == "login" else "", timeout=1800)
        show((err + out).rstrip() + "\n", home)


def token(hub: Hub, name: str, *scopes: str) -> str:
    """A token for somebody's client."""
    given = [word for scope in scopes for word in ("--scope", scope)]
    return hub.manage("create_token", name, *given).stdout.strip()


def show(text: str, home: Path) -> None:
    """A part of the session on standard output."""
    sys.stdout.write(text.replace(os.fspath(home), "/home/ida") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
