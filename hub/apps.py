"""App configuration of the hub."""

from django.apps import AppConfig


class HubConfig(AppConfig):
    """The registry app; loads the start-up checks."""

    name = "hub"
    label = "hub"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the start-up checks."""
        from hub import checks  # noqa: F401  registers itself
