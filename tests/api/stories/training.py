"""Ask to be told, start a run, follow it to its end, take its draft and publish it, and see what was told."""

import json
import sys
import time
from pathlib import Path

from client import AuthenticatedClient
from client.api.runs import (
    get_run,
    list_growth,
    list_run_pictures,
    list_snapshots,
    publish_run,
    run_events,
    start_run,
)
from client.api.webhooks import create_webhook, list_deliveries
from client.models import EventsEnum, KindEnum, NewRunForm, NewWebhookForm, PublishForm
from client.types import File

hub, secret, receiver, *pictures = sys.argv[1:]
client = AuthenticatedClient(base_url=hub, token=secret, raise_on_unexpected_status=True)
hook = create_webhook.sync(
    client=client,
    body=NewWebhookForm(url=receiver, events=[EventsEnum("run.done"), EventsEnum("version.published")]),
)
run = start_run.sync(
    client=client,
    body=NewRunForm(
        name="fern-light", kind=KindEnum.STYLE, base_model="tiny", licence="cc0-1.0", consent=True,
        settings=json.dumps({"max_steps": 20}),
        pictures=[File(payload=Path(one).read_bytes(), file_name=Path(one).name) for one in pictures],
    ),
    idempotency_key="generated-run-1",
)  # fmt: skip
last, seen = 0, []
for _ in range(1200):
    told = run_events.sync(run_id=run.id, client=client, after=last)
    seen += [one.event for one in told.items]
    last = told.last
    if told.is_over and not told.items:
        break
    time.sleep(0.1)
run = get_run.sync(run_id=run.id, client=client)
assert (run.state.value, run.has_draft) == ("done", True), run
assert "state" in seen and list_snapshots.sync(run_id=run.id, client=client).items
assert len(list_run_pictures.sync(run_id=run.id, client=client).items) == len(pictures)
assert list_growth.sync(run_id=run.id, client=client).items
published = publish_run.sync(run_id=run.id, client=client, body=PublishForm(notes="Learned here."))
assert published.version == 1, published
for _ in range(1200):
    rows = list_deliveries.sync(number=hook.id, client=client).items
    if len(rows) == 2 and all(one.state.value == "delivered" for one in rows):
        break
    time.sleep(0.1)
events = [one.event.value for one in reversed(rows)]
sys.stdout.write(json.dumps({"secret": hook.secret, "events": events}) + "\n")
