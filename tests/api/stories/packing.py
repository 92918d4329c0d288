"""Make a pack, pin two words in it, put them in order, say why, and take its lock file."""

import json
import sys

from client import AuthenticatedClient
from client.api.packs import (
    add_member,
    create_pack,
    get_lock,
    get_pack,
    list_packs,
    update_member,
    update_pack,
)
from client.models import NewMemberForm, NewPackForm, PatchedMemberChangesForm, PatchedPackChangesForm

hub, secret = sys.argv[1:]
client = AuthenticatedClient(base_url=hub, token=secret, raise_on_unexpected_status=True)
pack = create_pack.sync(client=client, body=NewPackForm(name="wet-places", title="Wet places"))
place = {"owner": "ada", "name": "wet-places", "client": client}
for name in ("bob/bobs-fern", "ada/moss-dragon"):
    pack = add_member.sync(**place, body=NewMemberForm(name=name))
first, second = pack.members
pack = update_pack.sync(**place, body=PatchedPackChangesForm(order=[second.id, first.id]))
assert [one.id for one in pack.members] == [second.id, first.id], pack
update_member.sync(**place, number=first.id, body=PatchedMemberChangesForm(note="For the edges."))
assert get_pack.sync(**place).members[1].note == "For the edges."
listed = list_packs.sync(client=client, owner="ada", holds="bob/bobs-fern")
assert [one.name for one in listed.items] == ["ada/wet-places"], listed
lock = get_lock.sync(**place)
members = [f"{one['name']}@v{one['version']}" for one in (member.to_dict() for member in lock.members)]
sys.stdout.write(json.dumps({"members": members}) + "\n")
