"""Addresses of training in the native API, below `/api/hub/v1/`."""

from django.urls import path

from trainer.api import events, runs

RUN = "runs/<uuid:run_id>"

urlpatterns = [
    path("runs", runs.runs, name="api_runs"),
    path(RUN, runs.run, name="api_run"),
    path(f"{RUN}/events", events.events, name="api_run_events"),
    path(f"{RUN}/cancel", runs.cancel, name="api_run_cancel"),
    path(f"{RUN}/publish", runs.publish, name="api_run_publish"),
    path(f"{RUN}/go-on", runs.go_on, name="api_run_go_on"),
]
