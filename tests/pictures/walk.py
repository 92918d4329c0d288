"""The way through all pages and their states, with a hub that has the bundled catalogue."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.journeys.hub_process import ROOT, Hub
from tests.pictures import scene
from tests.pictures.camera import Camera

KINDS = ("style", "object", "subject", "negative")
STEPS = 240
PATIENCE = 400_000
BUNDLED = ROOT / "trainer" / "bundled"


class Walk:
    """A stranger's and the administrator's browser, and the camera that both carry."""

    def __init__(self, camera: Camera, browser: Browser, hub: Hub, folder: Path) -> None:
        self.camera, self.hub, self.folder = camera, hub, folder
        self.stranger, self.curator = (self._browser(browser) for _ in range(2))
        self.curator.goto(hub.sign_in_link or "")
        camera.shoot(self.curator, "sign-in-link")
        self.curator.get_by_role("button", name="Sign in as").click()
        self.curator.wait_for_url(hub.url + "/")

    def all(self) -> None:
        """Every page. A run learns while a stranger looks around."""
        reset, broken = scene.second_person(self.hub)
        self.camera.visit(self.curator, runs_empty="/runs", own_profile_empty="/curator")
        run = self._start_run(0, STEPS)
        self.look_up()
        self.inspect()
        self.watch(run)
        self.wizard()
        self.other_runs()
        self.accounts(reset)
        self.settings()
        self.publish()
        self.packs()
        self.versions()
        self.errors(broken)
        self.done(run)
        self.beside(run)
        scene.hide_everything(self.hub)
        self.camera.visit(self.stranger, home_empty="/")

    def look_up(self) -> None:
        """What a stranger reads: lists, entries of each kind, the viewer, the documentation."""
        page = self.stranger
        self.camera.visit(
            page, home="/", search="/?q=wave", facets="/?kind=style&sort=name", nothing="/?q=no-such-word",
            profile="/glossa", docs="/docs", docs_page="/docs/training", docs_table="/docs/settings",
            inspect="/inspect",
        )  # fmt: skip
        for kind in KINDS:
            page.goto(f"/?kind={kind}")
            page.locator(".card-title a").first.click()
            page.wait_for_selector("article.entry")
            self.camera.shoot(page, "entry" if kind == "style" else f"entry-{kind}")
            if kind == "style":
                self.compare()

    def compare(self) -> None:
        """The picture viewer, and an entry whose slider and tabs were used."""
        page = self.stranger
        page.locator(".picture-open").first.click()
        self.camera.shoot(page, "viewer")
        page.keyboard.press("Escape")
        page.locator("[data-compare-range]").first.fill("80")
        page.get_by_role("tab").nth(1).click()
        self.camera.shoot(page, "entry-second-tab")

    def inspect(self) -> None:
        """What is it?: an embedding, a picture, something else."""
        picture = min((BUNDLED / "catalogue").glob("*/A-0-0.png"))
        page = self.stranger
        for name, path in {"embedding": a_file(), "picture": picture, "refused": self._bad_file()}.items():
            page.goto("/inspect")
            page.locator("input[type=file]").set_input_files(path)
            page.locator("#answer > *").first.wait_for()
            self.camera.shoot(page, f"inspect-{name}")

    def watch(self, run: str) -> None:
        """A run while it learns, once there is growth to see."""
        self.curator.goto(run)
        self.curator.locator("[data-growth] li").nth(2).wait_for(timeout=PATIENCE)
        self.camera.shoot(self.curator, "run")

    def wizard(self) -> None:
        """The wizard: empty, with a set, with pictures, with mistakes."""
        page = self.curator
        self.camera.visit(page, train_set="/train?set=zebra-wave", train="/train")
        pictures = sorted((BUNDLED / "sets" / "zebra-wave").glob("*.png"))[:3]
        page.locator("input[type=file]").set_input_files([*pictures, self._bad_file("holiday.png")])
        page.locator(".picked [data-sha]").nth(2).wait_for()
        page.locator(".refused li").wait_for()
        self.camera.shoot(page, "train-pictures")
        page.get_by_label("Name").fill("Moss Glow!")
        page.get_by_role("button", name="Start training").click()
        page.locator("[aria-invalid=true]").first.wait_for()
        self.camera.shoot(page, "train-errors")

    def other_runs(self) -> None:
        """A run that waits, is stopped, has failed; the list of runs."""
        page = self.curator
        address = self._start_run(1, 100)
        self.camera.shoot(page, "run-queued")
        page.get_by_role("button", name="Stop").click()
        page.locator("[data-state=cancelled]").wait_for()
        self.camera.shoot(page, "run-cancelled")
        scene.fail_the_stopped_run(self.hub)
        self.camera.visit(page, run_failed=address, runs="/runs")

    def done(self, run: str) -> None:
        """The run's sheet while it is drawn, then as a draft, then published."""
        page = self.curator
        page.goto(run)
        page.locator("[data-state=previewing], [data-state=done]").wait_for(timeout=PATIENCE)
        self.camera.shoot(page, "run-drawing")
        page.locator("[data-state=done]").wait_for(timeout=PATIENCE)
        self.camera.shoot(page, "run-done")
        page.locator(".picture-open").first.click()
        self.camera.shoot(page, "run-viewer")
        page.keyboard.press("Escape")
        word = page.locator("h1 .headword").inner_text()
        self.camera.visit(page, own_profile="/curator", runs_done="/runs", unpublished=f"/curator/{word}")
        page.get_by_role("link", name="Look at the draft").first.click()
        page.locator("article.entry").wait_for()
        self.camera.shoot(page, "draft")
        page.goto(run)
        page.get_by_role("button", name="Publish").click()
        page.locator("article.entry").wait_for()
        self.camera.shoot(page, "entry-own")

    def beside(self, run: str) -> None:
        """Runs side by side, what happened in one, and the wizard filled in from it."""
        page = self.curator
        page.goto("/runs")
        for box in page.get_by_role("checkbox").all()[:4]:
            box.check()
        page.get_by_role("button", name="Compare the chosen").click()
        page.get_by_role("heading", name="Settings and outcome").wait_for()
        self.camera.shoot(page, "runs-compared")
        self.camera.visit(page, runs_choose="/runs/compare")
        page.goto(run)
        page.get_by_text("What happened").click()
        self.camera.shoot(page, "run-log")
        page.get_by_role("button", name="Train again with changes").click()
        page.wait_for_url("**/train?again=*")
        self.camera.shoot(page, "train-again")

    def accounts(self, reset: str) -> None:
        """Ways in."""
        page = self.stranger
        self.camera.visit(
            page, sign_in="/accounts/login/", sign_up="/accounts/signup/", reset="/accounts/password/reset/",
            reset_sent="/accounts/password/reset/done/", reset_bad="/accounts/password/reset/key/1-bad/",
            reset_key=f"/accounts/password/reset/key/{reset}/", link_refused="/sign-in/nothing",
        )  # fmt: skip
        for name, password in {"sign-in-error": "wrong", "sign-in-code": scene.PASSWORD}.items():
            page.goto("/accounts/login/")
            page.locator("main [name=login]").fill("noor")
            page.locator("main [name=password]").fill(password)
            page.locator("main button[type=submit]").first.click()
            page.wait_for_load_state()
            self.camera.shoot(page, name)
        page.context.clear_cookies()

    def settings(self) -> None:
        """What a person can change about themself."""
        page = self.curator
        self.camera.visit(
            page, settings="/settings/account", email="/accounts/email/", password="/accounts/password/set/",
            mfa="/accounts/2fa/", mfa_app="/accounts/2fa/totp/activate/", mfa_keys="/accounts/2fa/webauthn/",
            mfa_key="/accounts/2fa/webauthn/add/", sign_out="/accounts/logout/", tokens="/settings/tokens",
        )  # fmt: skip
        page.locator("main [name=name]").fill("laptop")
        page.get_by_role("button", name="Make the token").click()
        page.locator("#made").wait_for()
        self.camera.shoot(page, "tokens-made")
        page.locator(".menu > summary").click()
        self.camera.shoot(page, "menu")

    def publish(self) -> None:
        """The publish form: empty, with a refused file, with a good one, with mistakes; then the new entry."""
        page = self.curator
        self.camera.visit(page, publish="/new")
        for name, path in {"refused": self._bad_file(), "facts": a_file()}.items():
            page.goto("/new")
            page.locator("#id_file").set_input_files(path)
            page.locator("#facts > *").wait_for()
            self.camera.shoot(page, f"publish-{name}")
        page.locator("form[data-publish]").evaluate("form => { form.noValidate = true }")
        for name in ("name", "trigger"):
            page.locator(f"main [name={name}]").fill("Not a name!" if name == "name" else "")
        page.locator("#publish-press").click()
        page.locator("[aria-invalid=true]").first.wait_for()
        self.camera.shoot(page, "publish-errors")
        for name in ("name", "trigger"):
            page.locator(f"main [name={name}]").fill("quiet-ring")
        page.get_by_label(re.compile("^private")).check()
        page.locator("#publish-press").click()
        page.wait_for_url("**/curator/quiet-ring")
        self.camera.shoot(page, "entry-private")

    def packs(self) -> None:
        """Packs: none, a new one, a word that goes in, the pack, its edit page; a word that is liked."""
        page = self.curator
        self.camera.visit(page, packs_empty="/collections", pack_new="/collections/new")
        page.locator("main [name=title]").fill("Wet places")
        page.locator("main [name=name]").fill("wet-places")
        page.get_by_role("button", name="Make it").click()
        page.wait_for_url("**/curator/wet-places")
        self.camera.shoot(page, "pack-empty")
        for kind in KINDS[:2]:
            page.goto(f"/?kind={kind}")
            page.locator(".card-title a").first.click()
            page.get_by_role("button", name="Like").click()
            page.get_by_role("button", name="Liked").wait_for()
            page.get_by_role("link", name="Add to pack").click()
            page.get_by_label("Wet places").check()
            self.camera.shoot(page, f"pack-add-{kind}")
            page.get_by_role("button", name="Add v").click()
            page.wait_for_url("**/curator/wet-places")
        self.camera.visit(
            page, pack="/curator/wet-places", pack_edit="/curator/wet-places/edit", packs="/collections",
            pack_delete="/curator/wet-places/delete-pack", profile_packs="/curator",
        )  # fmt: skip

    def versions(self) -> None:
        """A version that is followed, yanked, deleted."""
        page, at = self.curator, "/curator/quiet-ring"
        self.camera.visit(
            page, new_version=f"{at}/new-version", edit=f"{at}/edit", yank=f"{at}/versions/1/yank"
        )
        page.locator("main [name=reason]").fill("Too dark on most bases.")
        page.locator("main button[type=submit]").click()
        page.wait_for_url(f"**{at}/versions/1")
        self.camera.shoot(page, "entry-yanked")
        self.camera.visit(page, delete=f"{at}/delete", delete_version=f"{at}/versions/1/delete")
        page.locator("main [name=name]").fill("quiet-ring")
        page.locator("main button[type=submit]").click()
        page.wait_for_url(lambda url: not url.endswith("/delete"))
        self.camera.visit(page, nothing_left=at, error_410=f"{at}/versions/1")

    def errors(self, broken: str) -> None:
        """Pages of refusal. The one of a broken hub is its own, put where it would come."""
        page = self.curator
        page.route(
            "**/broken-page", lambda route: route.fulfill(status=500, body=broken, content_type="text/html")
        )
        page.goto("/?kind=style")
        entry = page.locator(".card-title a").first.get_attribute("href")
        self.camera.visit(
            page, error_404="/nobody/nothing-here", error_403=f"{entry}/edit", error_500="/broken-page"
        )

    def _start_run(self, number: int, steps: int) -> str:
        """Train from a bundled set; the address of the run."""
        page = self.curator
        page.goto("/train")
        page.get_by_role("link", name="Change settings for").nth(number).click()
        page.get_by_text("Advanced settings").click()
        page.get_by_label("Most steps").fill(str(steps))
        page.get_by_role("button", name="Start training").click()
        page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}$"))
        return page.url

    def _bad_file(self, name: str = "holiday.pt") -> Path:
        path = self.folder / name
        path.write_bytes(b"hello, this is text")
        return path

    def _browser(self, browser: Browser) -> Page:
        context = browser.new_context(base_url=self.hub.url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(90_000)
        return context.new_page()


def a_file() -> Path:
    """An embedding to publish."""
    return min((BUNDLED / "catalogue").glob("*/embedding.safetensors"))
