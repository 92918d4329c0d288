"""Which licences are accepted."""

from hub.catalog.licences import LICENCES
from hub.errors import Unacceptable

__all__ = ["LICENCES", "check_licence"]


def check_licence(licence: str) -> str:
    """The licence's id. Unacceptable `field_invalid` for one that is not in LICENCES."""
    known = licence.strip().lower()
    if known not in LICENCES:
        raise Unacceptable("field_invalid", "Choose a licence from the list.", field="licence")
    return known
