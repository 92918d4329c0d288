"""From pictures and a form to a queued run: everything is checked before anything is stored."""

from collections.abc import Callable
from pathlib import Path

from django.db import IntegrityError, transaction

from hub.access import Viewer, require
from hub.errors import Conflict, HubError, Unacceptable, UnacceptableFile
from hub.killpoints import kill_point
from hub.models import BaseModel, Embedding, Owner, Version
from hub.services.embeddings import names
from hub.services.embeddings.licences import check_licence
from hub.services.versions import publishing
from trainer import runs
from trainer.models import TrainingImage, TrainingRun
from trainer.recipe import Recipe
from trainer.services import beginning, leases, limits, parts, pictures, recording
from trainer.services.submission import (
    Submission,
    base_model,
    check_boxes,
    check_captions,
    check_consent,
    check_word,
    make_recipe,
)
from trainer.sets import get_set

SMALLEST_GOOD_SET = 3
STEPS_OF_SMALL_SET = 500
CONSENT = "I may use these pictures, and every person in them agreed."


def submit(viewer: Viewer, *, form: Submission) -> TrainingRun:
    """A queued run, its embedding and its promise to start; the same `key` again gives the same run.

    Raises Forbidden (J7), RateLimited `too_many_runs`, Unacceptable with the field, Conflict `name_taken`.
    """
    owner = _owner(viewer, form)
    require(viewer, "start_run", owner)
    assert viewer.user is not None
    earlier = _earlier(viewer, form)
    if earlier:
        return earlier
    limits.check_account(viewer)
    limits.check_queue(owner.pk, person=viewer.user)
    for check in _checks(viewer, form):
        check()
    base = base_model(form)
    start = beginning.version_of(viewer, form.start_from)
    recipe = make_recipe(form, base, start)
    images = _images(viewer, form)
    kill_point("K15")
    try:
        return _store(viewer, owner, form, base, parts.heeded(recipe, form.settings, images), images, start)
    except IntegrityError:
        # The same form, twice at once: the other one was first.
        earlier = _earlier(viewer, form)
        if earlier is None:
            raise
        return earlier


def problems(viewer: Viewer, *, form: Submission) -> list[HubError]:
    """Everything that `submit` would refuse about the form, each with its field; nothing is stored."""
    found = []
    for check in _checks(viewer, form):
        try:
            check()
        except HubError as error:
            found.append(error)
    return found


def _owner(viewer: Viewer, form: Submission) -> Owner:
    """The name that the run is to stand under: that of its embedding, the one chosen, or the viewer's own."""
    if form.embedding is not None:
        return form.embedding.owner
    return names.owner_for(viewer, "start_run", form.owner)


def cancel(viewer: Viewer, *, run: TrainingRun) -> TrainingRun:
    """Stop a run: at once when it waits, within a step when it trains. Repeating it changes nothing.

    Raises Conflict `state_conflict` for a run that ended otherwise.
    """
    require(viewer, "cancel_run", run)
    kill_point("K32")
    with transaction.atomic():
        row = TrainingRun.objects.select_for_update().get(pk=run.pk)
        if row.state == TrainingRun.State.CANCELLED or row.cancel_requested:
            return row
        if row.is_over:
            raise Conflict("state_conflict", "This run is over; there is nothing left to stop.")
        row.cancel_requested = True
        row.save(update_fields=["cancel_requested"])
        if not row.is_running:
            recording.end(row, TrainingRun.State.CANCELLED)
        return row


def _checks(viewer: Viewer, form: Submission) -> list[Callable[[], object]]:
    """What must hold, in the order in which a person reads the form; none needs another to have passed."""
    return [
        lambda: limits.check_picture_count(_count(viewer, form)),
        lambda: check_captions(form),
        lambda: check_boxes(form),
        lambda: check_word(form),
        lambda: _check_place(viewer, form),
        lambda: make_recipe(form, base_model(form), beginning.version_of(viewer, form.start_from)),
        lambda: check_licence(form.licence),
        lambda: check_consent(form),
    ]


def _check_place(viewer: Viewer, form: Submission) -> None:
    """The embedding may get a version from this viewer, or its name is free."""
    if form.embedding is not None:
        require(viewer, "publish_version", form.embedding)
    elif _unpublished(viewer, form) is None:
        publishing.check_name_free(viewer, name=form.name, owner=form.owner)


def _earlier(viewer: Viewer, form: Submission) -> TrainingRun | None:
    if form.key is None:
        return None
    found = runs.list_runs(viewer).filter(submission_key=form.key).first()
    if found is not None:
        kill_point("K18")
    return found


def _count(viewer: Viewer, form: Submission) -> int:
    if form.bundled_set:
        return len(get_set(form.bundled_set).pictures)
    return len(form.pictures) or len(runs.waiting_pictures(viewer, ids=form.picture_ids))


def _images(viewer: Viewer, form: Submission) -> list[TrainingImage]:
    """The pictures of the run, prepared and stored, in the order given."""
    if form.picture_ids and not form.bundled_set:
        waiting = runs.waiting_pictures(viewer, ids=form.picture_ids)
        for image in waiting:
            _say(image, form, str(image.pk))
        parts.add_masks(viewer, [], form.masks)  # none was sent with files
        return waiting
    sources = form.pictures
    if form.bundled_set:
        # What comes with the hub was chosen for its own base, and nobody could change it: no advice on that.
        sources = [(path, path.name) for path in get_set(form.bundled_set).pictures]
    # All are read before the first row is kept, so that one bad picture leaves nothing of the others.
    prepared = []
    for path, filename in sources:
        try:
            made = pictures.prepare(viewer, path=path, filename=filename, look=not form.bundled_set)
            prepared.append((made, filename))
        except UnacceptableFile as error:
            raise Unacceptable(
                error.code,
                f"{Path(filename).name}: {error.message}",
                **{**error.detail, "field": "pictures"},
            ) from None
        kill_point("K14")
    images = [pictures.unsaved(viewer, picture, filename) for picture, filename in prepared]
    for image, (_picture, filename) in zip(images, prepared, strict=True):
        _say(image, form, Path(filename).name)
    parts.add_masks(viewer, images, form.masks)
    return images


def _say(image: TrainingImage, form: Submission, name: str) -> None:
    """What the form says of one picture; what it does not mention stays."""
    image.caption = form.captions.get(name, image.caption).strip()
    if name in form.ends:
        parts.cut(image, form.ends[name])
    if name in form.boxes:
        parts.frame(image, form.boxes[name])


def _warnings(recipe: Recipe, images: list[TrainingImage]) -> list[str]:
    found = pictures.advice(images, kind=recipe.kind, resolution=recipe.resolution)
    return [finding.text for finding in found] + recipe.warnings()


def _store(
    viewer: Viewer,
    owner: Owner,
    form: Submission,
    base: BaseModel,
    recipe: Recipe,
    images: list[TrainingImage],
    start: Version | None,
) -> TrainingRun:
    """Embedding, run, pictures and promise in one transaction."""
    assert viewer.user is not None
    if len({image.blob_id for image in images}) < SMALLEST_GOOD_SET:
        recipe = recipe.replace(max_steps=min(recipe.max_steps, STEPS_OF_SMALL_SET))
    with transaction.atomic():
        limits.one_at_a_time(owner.pk, person=viewer.user)
        limits.check_queue(owner.pk, person=viewer.user)
        run = TrainingRun.objects.create(
            owner=owner,
            created_by=viewer.user,
            embedding=_embedding(viewer, form),
            base_model=base,
            start=start,
            submission_key=form.key,
            recipe=recipe.to_dict(),
            max_steps=recipe.max_steps,
            warnings=_warnings(recipe, images),
            licence=form.licence,
            consent=CONSENT,
            bundled_set=form.bundled_set,
            picture_digests=[image.blob_id for image in images],
            may_shrink=form.may_shrink,
        )
        for position, image in enumerate(images):
            _attach(image, run, position)
        recording.add_event(run, "state", state=run.state)
        leases.send(run)
        kill_point("K16")
    kill_point("K17")
    return run


def _embedding(viewer: Viewer, form: Submission) -> Embedding:
    """The embedding given, the viewer's own of that name without a version yet, or a new one."""
    if form.embedding is not None:
        return form.embedding
    assert viewer.user is not None
    own = _unpublished(viewer, form)
    if own is not None:
        return own
    return publishing.create_embedding(
        viewer,
        name=form.name,
        owner=form.owner,
        title=form.title or form.name,
        kind=form.kind,
        visibility=form.visibility,
    )


def _unpublished(viewer: Viewer, form: Submission) -> Embedding | None:
    """The embedding of this name of which nothing was published yet."""
    own = Embedding.objects.alive().filter(owner=_owner(viewer, form), name=form.name, last_number=0)
    return own.select_related("owner").first()


def _attach(image: TrainingImage, run: TrainingRun, position: int) -> None:
    """Give a picture to the run; one that was kept before may have gone to another run meanwhile."""
    if image._state.adding:
        image.run, image.position, image.owner_id = run, position, run.owner_id
        image.save(force_insert=True)
    elif not TrainingImage.objects.filter(pk=image.pk, run=None).update(
        run=run, owner=run.owner_id, position=position, caption=image.caption, facts=image.facts
    ):
        raise Conflict("state_conflict", "A picture was used by another run meanwhile.", field="pictures")
