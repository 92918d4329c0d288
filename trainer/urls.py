"""Addresses of training. Mounted at the root, before `/{owner}/{name}`."""

from django.urls import path

from hub.wire import media
from trainer.web import again, bases, compare, ended, picked, pictures, run, teaching, telling, wizard

media.add_source(pictures.source)

urlpatterns = [
    path("train", wizard.train, name="train"),
    path("train/pictures", picked.check, name="train_check"),
    path("train/advice", wizard.advise, name="train_advice"),
    path("train/prompts", teaching.show, name="train_prompts"),
    path("train/pictures/<uuid:picture_id>", picked.picture, name="train_picture"),
    path("train/sets/<slug:name>/<str:file>", wizard.set_picture, name="train_set_picture"),
    path("bases", bases.listing, name="base_models"),
    path("bases/<str:name>", bases.show, name="base_model"),
    path("runs", run.list_runs, name="runs"),
    path("runs/compare", compare.compare, name="runs_compare"),
    path("runs/<uuid:run_id>", run.show, name="run"),
    path("runs/<uuid:run_id>/tell", telling.tell, name="run_tell"),
    path("runs/<uuid:run_id>/log", compare.log, name="run_log"),
    path("runs/<uuid:run_id>/again", again.again, name="run_again"),
    path("runs/<uuid:run_id>/events", run.events, name="run_events"),
    path("runs/<uuid:run_id>/cancel", run.cancel, name="run_cancel"),
    path("runs/<uuid:run_id>/publish", run.publish, name="run_publish"),
    path("runs/<uuid:run_id>/discard", run.discard, name="run_discard"),
    path("runs/<uuid:run_id>/go-on", ended.go_on, name="run_go_on"),
    path("runs/<uuid:run_id>/take", ended.take, name="run_take"),
    path("runs/<uuid:run_id>/forget", ended.forget, name="run_forget"),
]
