"""Addresses of training in the native API, below `/api/hub/v1/`."""

from django.urls import path

from trainer.api import afterwards, again, bases, comparing, events, pictures, prompts, runs, sets

RUN = "runs/<uuid:run_id>"

urlpatterns = [
    path("base-models/<str:name>", bases.base_model, name="api_base_model"),
    path("runs", runs.runs, name="api_runs"),
    path("runs/compare", comparing.compare, name="api_runs_compare"),
    path("runs/quota", afterwards.quota, name="api_quota"),
    path(RUN, runs.run, name="api_run"),
    path(f"{RUN}/events", events.events, name="api_run_events"),
    path(f"{RUN}/cancel", runs.cancel, name="api_run_cancel"),
    path(f"{RUN}/publish", runs.publish, name="api_run_publish"),
    path(f"{RUN}/go-on", runs.go_on, name="api_run_go_on"),
    path(f"{RUN}/mail", afterwards.mail, name="api_run_mail"),
    path(f"{RUN}/snapshots", afterwards.snapshots, name="api_run_snapshots"),
    path(f"{RUN}/take", afterwards.take, name="api_run_take"),
    path(f"{RUN}/pictures", again.of_run, name="api_run_pictures"),
    path(f"{RUN}/growth", again.growth, name="api_run_growth"),
    path(f"{RUN}/again", again.again, name="api_run_again"),
    path("picture-sets", sets.sets, name="api_picture_sets"),
    path("training-prompts", prompts.prompts, name="api_training_prompts"),
    path("training-pictures", pictures.pictures, name="api_training_pictures"),
    path("training-pictures/advice", pictures.advice, name="api_advice"),
    path("training-pictures/<uuid:picture_id>", pictures.picture, name="api_training_picture"),
    path("training-pictures/<uuid:picture_id>/mask", pictures.mask, name="api_training_picture_mask"),
]
