"""The main job: train a word from pictures, watch it learn, look at its sheet, publish it, find it, pull it."""

import io
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.hub_process import ROOT, Hub

pytestmark = [pytest.mark.browser, pytest.mark.client]
BASE = ROOT / "trainer" / "bundled" / "base"


def a_pull(name: str, *, revision: str | None = None, token: str = "") -> dict[str, str | None]:
    """What `pull.py` is asked to load."""
    return {"name": name, "revision": revision, "token": token}


def pull(
    hub: Hub, folder: Path, *pulls: dict[str, str | None], picture: dict[str, object] | None = None
) -> list[dict[str, list[str]]]:
    """Run the script of a person who pulls with diffusers; what it printed for each pull."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUB_", "DJANGO"))}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    program = Path(__file__).with_name("pull.py")
    done = subprocess.run(
        [sys.executable, program, json.dumps({"base": str(BASE), "pulls": pulls, "picture": picture})],
        env=environment, capture_output=True, text=True, timeout=240, cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.strip().splitlines()]


def published_file(hub: Hub, name: str, revision: str, path: str, token: str = "") -> bytes:
    """The bytes of a file at a revision, over plain HTTP."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"{hub.url}/{name}/resolve/{revision}/{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


def commit_of(hub: Hub, name: str, revision: str = "main") -> str:
    """The commit id that a revision stands for."""
    return str(json.loads(hub.get(f"/api/models/{name}/revision/{revision}"))["sha"])


def parameters_of(picture: bytes) -> dict[str, object]:
    """Prompt, seed and settings out of the text that the picture itself carries."""
    text = Image.open(io.BytesIO(picture)).text["parameters"]  # type: ignore[attr-defined]
    prompt, _, rest = text.rpartition("\nSteps: ")
    prompt, _, negative = prompt.partition("\nNegative prompt: ")
    numbers = dict(re.findall(r"(Steps|CFG scale|Seed): ([\d.]+)", "Steps: " + rest))
    return {
        "prompt": prompt,
        "negative": negative,
        "steps": int(numbers["Steps"]),
        "guidance": float(numbers["CFG scale"]),
        "seed": int(numbers["Seed"]),
    }


def start_training(page: Page, title: str, *, steps: int) -> None:
    """Choose a bundled picture set, shorten the run, and start it."""
    page.goto("/train")
    page.get_by_role("link", name=f"Change settings for {title} first").click()
    page.get_by_text("Advanced settings").click()
    page.get_by_label("Most steps").fill(str(steps))
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}$"))


def watch(page: Page, *, within: float = 900) -> list[str]:
    """What the page showed as the step, each time it changed, until the run was over; the page never reloads."""
    page.evaluate("window.notReloaded = true")
    seen: list[str] = []
    until = time.monotonic() + within
    while time.monotonic() < until:
        # At once: the number may go between two looks, with the page's next state.
        for text in page.locator("[data-step]").all_text_contents():
            if text not in seen:
                seen.append(text)
                assert page.evaluate("window.notReloaded === true")
        if page.get_by_role("button", name="Publish").count():
            return seen
        page.wait_for_timeout(300)
    raise AssertionError(f"The run did not end; the page says: {page.locator('main').inner_text()[:800]}")


@pytest.fixture(scope="module")
def published(hub: Hub, administrator: BrowserContext) -> str:
    """`owner/name` of a word that was trained and published on the pages."""
    page = administrator.new_page()
    start_training(page, "Zebra wave", steps=120)
    seen = watch(page)
    assert len(seen) >= 3, f"at least three live updates, not {seen}"
    expect(page.get_by_role("heading", name="Faithful")).to_be_visible()
    pictures = page.locator(".sheet img")
    assert pictures.count() >= 24
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url(re.compile(r"^http://[^/]+/[a-z0-9-]+/[a-z0-9-]+$"))
    name = "/".join(page.url.rsplit("/", 2)[1:])
    page.close()
    return name


def test_word_is_found_by_search_and_its_prompt_line_is_copied(
    administrator: BrowserContext, published: str
) -> None:
    page = administrator.new_page()
    page.goto("/")
    page.get_by_role("searchbox").first.fill(published.split("/")[1])
    page.keyboard.press("Enter")
    page.locator(f"a[href='/{published}']").first.click()
    page.wait_for_url(f"**/{published}")
    trigger = page.locator("h1 .headword").text_content() or "-"
    page.get_by_role("button", name=re.compile("Copy the prompt|Copy")).first.click()
    expect(page.get_by_text("Copied").first).to_be_visible()
    assert trigger in page.evaluate("navigator.clipboard.readText()")


def test_pipeline_of_a_stranger_draws_the_picture_on_the_sheet(
    hub: Hub, administrator: BrowserContext, published: str, tmp_path: Path
) -> None:
    page = administrator.new_page()
    page.goto(f"/{published}")
    trigger = page.locator("h1 .headword").text_content() or "-"
    addresses = [a.get_attribute("href") or "" for a in page.locator(".sheet a.picture-open").all()]
    shown = [hub.get(address.removeprefix(hub.url)) for address in addresses[:8]]
    with_word = [one for one in shown if trigger in str(parameters_of(one)["prompt"])]
    assert with_word
    picture = {**parameters_of(with_word[0]), "side": 64, "out": str(tmp_path / "out.png")}
    (said,) = pull(hub, tmp_path, a_pull(published), picture=picture)
    assert trigger in said["words"]
    difference = ImageChops.difference(
        Image.open(tmp_path / "out.png").convert("RGB"), Image.open(io.BytesIO(with_word[0])).convert("RGB")
    )
    assert max(high for _, high in difference.getextrema()) <= 2


def test_second_version_moves_main_and_nothing_else(
    hub: Hub, administrator: BrowserContext, published: str
) -> None:
    first_commit = commit_of(hub, published)
    first = published_file(hub, published, "main", "learned_embeds.safetensors")
    page = administrator.new_page()
    page.goto(f"/{published}/new-version")
    page.locator("#id_file").set_input_files(
        ROOT / "trainer/bundled/catalogue/ring-ripple/embedding.safetensors"
    )
    page.get_by_label("Notes on this version").fill("Rounder.")
    page.get_by_role("button", name="Publish this version").click()
    page.wait_for_url(re.compile(f"/{published}(/versions/2)?$"))
    assert published_file(hub, published, "main", "learned_embeds.safetensors") != first
    assert published_file(hub, published, "v1", "learned_embeds.safetensors") == first
    assert published_file(hub, published, first_commit, "learned_embeds.safetensors") == first
    assert commit_of(hub, published) != first_commit


def test_private_word_needs_a_token(
    hub: Hub, administrator: BrowserContext, published: str, tmp_path: Path
) -> None:
    page = administrator.new_page()
    page.goto(f"/{published}/edit")
    page.get_by_label(re.compile("^private")).check()
    page.get_by_role("button", name=re.compile("Save")).click()
    page.wait_for_url(f"**/{published}")
    owner = published.split("/")[0]
    token = hub.manage("create_token", owner, "--scope", "read").stdout.strip()
    without, wrong, right = pull(
        hub,
        tmp_path,
        a_pull(published),
        a_pull(published, token=token, revision="v9"),
        a_pull(published, token=token),
    )
    assert "RepositoryNotFoundError" in without["errors"]
    assert "RevisionNotFoundError" in wrong["errors"]
    assert right["words"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        published_file(hub, published, "main", "learned_embeds.safetensors")
    refused.value.close()
    assert refused.value.code == 404
