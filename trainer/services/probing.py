"""Measuring a base model on this machine: a few steps in the engine, kept as a row that pages and the line read."""

import platform
import tempfile
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from hub.errors import Conflict, NotFound, Unavailable
from hub.models import BaseModel
from trainer.child import EngineChild, EngineDied, EngineSilent
from trainer.models import RUNNING, BaseProbe, TrainingRun

# One step of SDXL on a small machine takes minutes.
PATIENCE = 1800.0
STEPS = 3
SECONDS = 120.0
Tell = Callable[[dict[str, Any]], None]


def probe(
    name: str,
    *,
    resolutions: list[int] | None = None,
    steps: int = STEPS,
    seconds: float = SECONDS,
    beside_runs: bool = False,
    tell: Tell = lambda _event: None,
) -> BaseProbe:
    """Measure an installed base at some resolutions, its own where none is named; the row that was kept.

    Raises NotFound, Conflict `state_conflict` while a run is trained (both would be slow, and the numbers wrong) unless
    `beside_runs`, and Unavailable when the engine could not do it.
    """
    base = BaseModel.objects.filter(name=name, is_installed=True).first()
    if base is None:
        raise NotFound(f"No base model is installed as “{name}”.", code="base_not_found")
    if not beside_runs and TrainingRun.objects.filter(state__in=RUNNING, lease_until__gte=Now()).exists():
        raise Conflict(
            "state_conflict",
            "A run is being trained, which would spoil the numbers and slow the run. Wait until it is over.",
        )
    said = _run(
        {
            "do": "probe",
            "id": base.name,
            "base": base.folder,
            "resolutions": sorted(resolutions or [base.resolution]),
            "limits": {
                "steps": steps,
                "seconds": seconds,
                "memory": settings.HUB["HUB_RUN_MEMORY_GB"] << 30,
            },
        },
        tell,
    )
    return BaseProbe.objects.create(
        base_model=base,
        digest=said["base_digest"],
        host=platform.node()[:120],
        device=said["device"][:120],
        precision=said["precision"],
        load_seconds=said["load_seconds"],
        resolutions=said["resolutions"],
    )


def _run(command: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Have the engine measure; its last event. Raises Unavailable."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        child = EngineChild()
        child.start()
        try:
            child.send({**command, "workdir": folder})
            for event in child.events(timeout=PATIENCE):
                if event["event"] == "probed":
                    child.stop()
                    return event
                if event["event"] == "failed":
                    raise Unavailable("engine_failed", f"The base could not be measured: {event['message']}")
                tell(event)
            raise EngineDied(-1, child.log)
        except EngineDied as error:
            raise Unavailable(
                "engine_failed", f"The engine ended with status {error.code} before it had measured."
            ) from None
        except EngineSilent:
            raise Unavailable(
                "engine_silent", "A step took over half an hour; the measuring was ended."
            ) from None
        finally:
            child.kill()
