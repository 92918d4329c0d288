"""Takes the picture of a page four times: at 1280 and 390 pixels, light and dark."""

from pathlib import Path

from playwright.sync_api import Page

SIZES = {1280: 900, 390: 844}
THEMES = ("light", "dark")
# What the README shows: the first screen, as a visitor has it.
KEPT = ("home-1280-light", "entry-1280-light", "entry-390-dark", "run-1280-light")


class Camera:
    """Puts pictures into a folder and, for the README, first screens into `kept` under it.

    `wide` says which pages stood out of the screen.
    """

    def __init__(self, folder: Path, only: str = "") -> None:
        self.folder, self.only = folder, only
        self.count = 0
        self.wide: list[str] = []
        (folder / "kept").mkdir(parents=True, exist_ok=True)

    def visit(self, page: Page, **places: str) -> None:
        """Go to each address and take its picture under its name."""
        for name, address in places.items():
            page.goto(address)
            self.shoot(page, name.replace("_", "-"))

    def shoot(self, page: Page, name: str) -> None:
        """The page as it stands, from top to bottom; an open dialog as it lies on the screen."""
        if self.only not in name:
            return
        # What comes late when a person scrolls has to be there now.
        page.evaluate("document.querySelectorAll('img[loading=lazy]').forEach(i => { i.loading = 'eager' })")
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            self._settle(page, f"{name}: %d px wide on a screen of {width} px", width)
            for theme in THEMES:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                self._take(page, self.folder / f"{name}-{width}-{theme}.png")
        page.set_viewport_size({"width": 1280, "height": SIZES[1280]})
        page.emulate_media(color_scheme="light")

    def _settle(self, page: Page, complaint: str, width: int) -> None:
        page.evaluate(
            "Promise.all([...document.images].filter(i => i.offsetParent).map(i => i.decode().catch(() => 0)))"
        )
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            self.wide.append(complaint % wide)

    def _take(self, page: Page, path: Path) -> None:
        # Two frames on, everything is painted, on a busy machine too.
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.screenshot(path=path, full_page=page.locator("dialog[open]").count() == 0)
        if path.stem in KEPT:
            page.screenshot(path=self.folder / "kept" / path.name)
        self.count += 1
