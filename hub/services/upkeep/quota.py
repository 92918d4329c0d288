"""The quota: how much of the store one name may fill. What was trained here is kept whatever it says."""

from hub.catalog import storage
from hub.errors import TooLarge
from hub.formats.limits import MIB
from hub.models import Owner


def check(owner: Owner, *, more: int) -> None:
    """TooLarge `quota_exceeded` where so many bytes more are over what this name may fill; no query without an end."""
    most = storage.most()
    if most is None:
        return
    used = storage.used(owner)
    if used + more > most:
        raise TooLarge(
            "quota_exceeded",
            f"{owner.name} has {used / MIB:.1f} MiB of the {most // MIB} MiB that one name may fill here, and this "
            f"needs {more / MIB:.1f} MiB more. Delete what nobody needs, or ask the hub's operator for room.",
            used=used,
            most=most,
        )
