"""Fixtures for every room: a real broker and cache, both blob stores, and the database as a file."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.environment import BLOBS, DATA_DIR, IN_CI, ON_POSTGRES, missing
from tests.frozen import _flush_is_possible  # noqa: F401  # a fixture for every test
from tests.parts.browser import chromium  # noqa: F401  # a fixture for every test
from tests.parts.process import CannotStart
from tests.parts.s3 import S3
from tests.parts.valkey import Valkey

_NEED_BROKER = frozenset({"db", "transactional_db", "live_server", "client", "admin_client"})
_NEED_STATIC = frozenset({"live_server", "client", "admin_client"})

_HERE = Path(__file__).parent
# The longest first, so that no test process is left alone with one of them in the end.
_LONGEST = ("journeys", "trainer/test_killing.py", "trainer/engine", "trainer", "sandbox")
_NEED_TORCH = (
    "formats/test_real_files.py",
    "formats/test_real_loaders.py",
    "journeys/test_a_killed_run_ends_equal.py",
    "journeys/test_pull_with_huggingface_hub.py",
    "journeys/test_train_and_publish.py",
    "trainer/engine/*",
    "trainer/tiny/*",
)
_HAS_TORCH = importlib.util.find_spec("torch") is not None
collect_ignore_glob = [] if _HAS_TORCH else list(_NEED_TORCH)


def pytest_report_header() -> list[str]:
    """Names what is left out on a machine without torch; CI has it."""
    if _HAS_TORCH:
        return []
    left_out = "There is no torch here, so these are left out: " + ", ".join(_NEED_TORCH)
    return pytest.exit(left_out, returncode=1) if IN_CI else [left_out]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(_HERE).as_posix()
        return next((n for n, start in enumerate(_LONGEST) if path.startswith(start)), len(_LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The test database is the one that the settings name, so that child processes see the same."""
    from django.db import connection

    options = connection.settings_dict
    options["TEST"]["NAME"] = str(options["NAME"])
    if not ON_POSTGRES:
        # A power cut in the middle of the suite may cost the suite.
        command = options["OPTIONS"]["init_command"]
        options["OPTIONS"]["init_command"] = command.replace("synchronous=FULL", "synchronous=OFF")


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> None:
    """A password costs a fifth of a second to hash, which is its purpose; tests make hundreds of people."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """The suite's Valkey, started once at the socket that the settings name."""
    from django.conf import settings

    folder = DATA_DIR / "valkey"
    folder.mkdir(exist_ok=True)
    server = Valkey(settings.VALKEY_SOCKET, folder)
    try:
        server.start()
    except CannotStart as error:
        missing("Valkey", error)
    yield server
    server.stop()


@pytest.fixture
def valkey(valkey_server: Valkey) -> Iterator[Valkey]:
    """The running Valkey, empty, and nothing remembered of what was in it; pulls are counted when a test says so."""
    from hub.services.upkeep import counting
    from hub.wire import throttle

    if not valkey_server.answers():
        valkey_server.start()
    valkey_server.flush()
    throttle.bundles.forget()
    counting.tally.wait_seconds = 3600
    yield valkey_server
    counting.tally.forget()


@pytest.fixture(scope="session")
def static_files() -> None:
    """Styles and scripts, gathered as a hub gathers them before it starts."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def _broker_and_cache(request: pytest.FixtureRequest) -> None:
    """Whatever touches the database may touch broker and cache, and whatever asks for pages their styles."""
    if _NEED_STATIC.intersection(request.fixturenames):
        request.getfixturevalue("static_files")
    if request.node.get_closest_marker("django_db") or _NEED_BROKER.intersection(request.fixturenames):
        request.getfixturevalue("valkey")


@pytest.fixture(autouse=True)
def _unhashed_static_files(request: pytest.FixtureRequest) -> None:
    """Pages of tests name static files as they lie in the repository: nothing has to be collected first."""
    if _NEED_BROKER.intersection(request.fixturenames) or request.node.get_closest_marker("django_db"):
        settings = request.getfixturevalue("settings")
        plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(autouse=True)
def _stamps_at_once(request: pytest.FixtureRequest) -> None:
    """A test that never commits sees its stamps drawn with each change, and not at a commit that never comes."""
    marker = request.node.get_closest_marker("django_db")
    if ON_POSTGRES and marker is not None and not marker.kwargs.get("transaction"):
        request.getfixturevalue("db")
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(quote_ident(tgname), ', ') FROM pg_trigger WHERE tgname LIKE 'stamp_%'"
                " AND tgdeferrable"
            )
            [names] = cursor.fetchone()
            cursor.execute(f"SET CONSTRAINTS {names} IMMEDIATE")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """The suite's S3 server, started once."""
    server = S3()
    try:
        server.start()
    except CannotStart as error:
        server.stop()
        missing("The S3 server", error)
    yield server
    server.stop()


@pytest.fixture
def disk_blobs(settings: Any, tmp_path: Any) -> Any:
    """An empty blob store in a folder; the folder."""
    folder = tmp_path / "blobs"
    backend = "django.core.files.storage.FileSystemStorage"
    settings.STORAGES = {
        **settings.STORAGES,
        "blobs": {"BACKEND": backend, "OPTIONS": {"location": str(folder)}},
    }
    return folder


@pytest.fixture
def s3_blobs(settings: Any, s3_server: S3) -> S3:
    """An empty blob store in a bucket; the server."""
    settings.STORAGES = {**settings.STORAGES, "blobs": s3_server.storage()}
    return s3_server


@pytest.fixture
def hub_blobs(request: pytest.FixtureRequest) -> None:
    """An empty blob store: a folder, or what the environment wants where a real client follows redirects."""
    store = BLOBS if request.node.get_closest_marker("client") else "disk"
    request.getfixturevalue(f"{store}_blobs")


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.s3)])
def blob_store(request: pytest.FixtureRequest) -> str:
    """Both blob stores in turn, empty; the name of the store."""
    request.getfixturevalue(f"{request.param}_blobs")
    return str(request.param)


@pytest.fixture
def blobs_out(settings: Any) -> None:
    """A blob store that does not answer."""
    from hub.env import s3_storage

    storage = s3_storage("s3://hub/out?endpoint=http://127.0.0.1:9")
    storage["OPTIONS"] |= {"access_key": "none", "secret_key": "none"}
    settings.STORAGES = {**settings.STORAGES, "blobs": storage}
