"""What pip would install: code, pages, styles, documentation and the bundled model, whole and in working order."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import kill
from tests.house.source import ROOT

WHOLE = {
    "docs": "hub/shipped/docs",
    "static": "hub/shipped/static",
    "templates": "hub/shipped/templates",
    "hub": "hub",
    "trainer": "trainer",
}
LOOK = """
from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.template.loader import get_template
from hub.web import docs
from trainer import sets
from trainer.services import catalogue
print(settings.ROOT)
get_template("browse/home.html")
assert find("css/glossa.css")
assert docs._pages()
assert (sets.bundled() / "base" / "glossa.json").is_file()
assert len(catalogue.entries()) >= 8
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree that goes into the wheel, as setuptools lays it out."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "facts").mkdir()
    steps = ["egg_info", "--egg-base", folder / "facts", "build", "--build-base", folder / "build"]
    subprocess.run([sys.executable, "setup.py", "-q", *steps], cwd=ROOT, check=True, capture_output=True)
    return folder / "build" / "lib"


def test_everything_that_a_clone_serves_is_in_the_package(package: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *WHOLE],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    wanted = set()
    for name in listed.stdout.splitlines():
        top, _, rest = name.partition("/")
        # Pictures of the documentation are for readers of the repository.
        if not name.startswith("docs/img/") and (ROOT / name).exists():
            wanted.add(f"{WHOLE[top]}/{rest}")
    assert len(wanted) > 500
    there = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert wanted - there == set()
    assert not any(name.startswith(("tests", "benchmarks", "templates")) for name in there)


def test_the_package_finds_its_pages_styles_and_bundled_model(package: Path) -> None:
    said = kill.run(LOOK, PYTHONPATH=str(package), PYTHONSAFEPATH="1")
    assert said.stdout.split() == [str(package)]
