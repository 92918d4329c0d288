"""Every HUB_* variable: name, type, default, one line of help. Settings read nothing else from the environment."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


def flag(text: str) -> bool:
    """`1`, `true`, `yes`, `on` are true; `0`, `false`, `no`, `off` and nothing are false; else ValueError."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError(f"{text!r} is neither yes nor no")


def words(text: str) -> list[str]:
    """Comma-separated words."""
    return [word.strip() for word in text.split(",") if word.strip()]


@dataclass(frozen=True)
class HookHost:
    """Where webhooks may be sent: a host, or any below it (`*.name`), at one port or at the usual one.

    `http`: without TLS, too. `private`: also where its address is a private one, or this machine's own.
    """

    name: str
    below: bool = False
    port: int | None = None
    http: bool = False
    private: bool = False


def hook_hosts(text: str) -> tuple[HookHost, ...]:
    """`hooks.example.org, *.example.net, ci.lan:8080 http private` as hosts; else ValueError."""
    return tuple(_hook_host(entry) for entry in words(text))


def _hook_host(entry: str) -> HookHost:
    place, *rights = entry.split()
    below = place.startswith("*.")
    parts = urlsplit("//" + place.removeprefix("*."))
    name = parts.hostname or ""
    is_bare = not (parts.path or parts.query or parts.fragment or "@" in place)
    if not name or "*" in name or not name.isascii() or not is_bare or not set(rights) <= {"http", "private"}:
        raise ValueError(
            f"{entry!r} is no host, optionally with a port, followed by `http`, `private` or both"
        )
    return HookHost(name, below, parts.port, "http" in rights, "private" in rights)


def port(text: str) -> int:
    """A TCP port, as PORT gives it; else ValueError."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"PORT={text!r} is not a port number")
    return int(text)


@dataclass(frozen=True)
class Variable:
    """One setting of the environment."""

    name: str
    parse: Callable[[str], Any]
    default: str
    help: str


VARIABLES: tuple[Variable, ...] = (
    Variable("HUB_DATA_DIR", Path, "./data", "folder for the database, blobs and the secret key"),
    Variable("HUB_DATABASE_URL", str, "", "postgres://… ; empty: SQLite in the data folder"),
    Variable(
        "HUB_BLOBS_URL",
        str,
        "",
        "s3://bucket/prefix?endpoint=…&public=… ; empty: a folder in the data folder",
    ),
    Variable("HUB_BROKER_URL", str, "", "redis://… ; empty: the private Valkey that quickstart starts"),
    Variable("HUB_PUBLIC_URL", str, "", "address that people use; empty: http://127.0.0.1:$PORT"),
    Variable("HUB_TRUSTED_PROXIES", int, "0", "how many proxies in front of the site add to X-Forwarded-For"),
    Variable("HUB_SECRET_KEY", str, "", "signing key; empty: made on first run, kept in the data folder"),
    Variable("HUB_DEBUG", flag, "no", "development only: error pages with internals"),
    Variable("HUB_SIGNUPS", flag, "yes", "may people make their own accounts?"),
    Variable("HUB_ANONYMOUS_READ", flag, "yes", "may people read public pages without an account?"),
    Variable("HUB_EMAIL_URL", str, "", "smtp://user:password@host:port ; empty: mail is written to the log"),
    Variable(
        "HUB_MODELS_DIR", str, "", "folder of installed base models; empty: `models` in the data folder"
    ),
    Variable("HUB_MAX_UPLOAD_MB", int, "16", "largest embedding file, MiB"),
    Variable("HUB_MAX_PICTURE_MB", int, "20", "largest picture, MiB"),
    Variable("HUB_PUSH_REGULAR_MB", int, "25", "files of a push up to this size come inside the commit, MiB"),
    Variable("HUB_QUOTA_MB", int, "1024", "most that the files of one name may take up, MiB; 0: no end"),
    Variable(
        "HUB_MIN_FREE_BYTES", int, str(1 << 30), "writes are refused when less room than this would remain"
    ),
    Variable("HUB_KEEP_ORIGINALS", flag, "no", "keep uploaded originals for their owner and moderators?"),
    Variable("HUB_MAX_VECTORS", int, "256", "most vectors per token in an uploaded embedding"),
    Variable("HUB_RUN_MAX_IMAGES", int, "50", "most pictures in one training run"),
    Variable("HUB_RUN_MAX_STEPS", int, "10000", "most steps in one training run"),
    Variable("HUB_RUN_MAX_RUNNING", int, "1", "most runs of one user in hand at a time"),
    Variable("HUB_RUN_MAX_WAITING", int, "5", "most waiting runs of one user"),
    Variable("HUB_RUN_MAX_PER_DAY", int, "20", "most runs of one user in a day"),
    Variable("HUB_RUN_GPU_HOURS", int, "4", "most hours of training of one user in a day"),
    Variable(
        "HUB_RUN_NEW_ACCOUNT_HOURS", int, "24", "a self-made account cannot train for this long; 0: at once"
    ),
    Variable(
        "HUB_RUN_HOURS", int, "4", "a single run is stopped after this many hours; it can be gone on from"
    ),
    Variable(
        "HUB_RUN_MEMORY_GB", int, "0", "an engine that takes more memory is ended; 0: as much as it likes"
    ),
    Variable(
        "HUB_TRAINING_IMAGE_DAYS", int, "30", "training pictures are deleted so long after their run ended"
    ),
    Variable("HUB_ENGINE_PYTHON", str, "", "python that has torch and runs the engine; empty: this one"),
    Variable("HUB_LEASE_SECONDS", int, "60", "a worker that is silent for this long loses its run"),
    Variable(
        "HUB_WEBHOOK_HOSTS",
        hook_hosts,
        "",
        "hosts that webhooks may be sent to, as `a.example, *.b.example, ci.lan:8080 http private` ; empty: none",
    ),
    Variable(
        "HUB_CONTACT", str, "", "mail or web address for complaints, shown where something was taken down"
    ),
    Variable(
        "HUB_HOLD_AFTER_FLAGS",
        int,
        "2",
        "a version that so many people report, one of them trusted, is held; 0: never",
    ),
    Variable(
        "HUB_TRUSTED_AFTER_FLAGS", int, "3", "a person is trusted after so many reports that led to something"
    ),
    Variable(
        "HUB_TENSORBOARD_DIR",
        str,
        "",
        "folder for TensorBoard scalars of runs, needs tensorboardX; empty: none",
    ),
    Variable("HUB_ALLOW_ROOT", flag, "no", "let a production site run as root"),
    Variable("HUB_KILL_POINT", str, "", "tests only: die at this named point"),
)


def read(environ: dict[str, str] | None = None) -> dict[str, Any]:
    """Values of all variables, by name. ValueError names the variable that cannot be read."""
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        text = source.get(variable.name, variable.default)
        try:
            values[variable.name] = variable.parse(text)
        except ValueError as error:
            raise ValueError(
                f"{variable.name}={text!r} cannot be read: {error}. It is: {variable.help}."
            ) from None
    return values


def s3_storage(url: str) -> dict[str, object]:
    """`s3://bucket/prefix?endpoint=…&public=…&region=…` as options of our storage; keys from the AWS_* variables.

    `public` is the store's address for people's tools; an empty one says that only the hub can reach it.
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    endpoint = query.get("endpoint", [None])[0]
    return {
        "BACKEND": "hub.blobs.s3.BucketStorage",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": parts.path.strip("/"),
            "endpoint_url": endpoint,
            "public_url": query.get("public", [endpoint])[0],
            "region_name": query.get("region", ["us-east-1"])[0],
            "addressing_style": "path",
            "signature_version": "s3v4",
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": 300,
            "file_overwrite": True,
            "max_memory_size": 8 << 20,
        },
    }


def blob_storage(url: str, data_dir: Path) -> dict[str, object]:
    """Where blobs are: a folder, or an S3 bucket."""
    if url.startswith("s3://"):
        return s3_storage(url)
    folder = url.removeprefix("file://") or str(data_dir / "blobs")
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
