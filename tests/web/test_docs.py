"""The documentation in the browser: pages of the folder, and one page for each tool below them."""

import pytest
from django.conf import settings
from django.test import Client

TOOLS = sorted(path.stem for path in (settings.ROOT / "docs" / "tools").glob("*.md"))


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_its_page(client: Client, tool: str) -> None:
    response = client.get(f"/docs/tools-{tool}")
    assert response.status_code == 200
    assert f'href="/docs/tools-{tool}"' in client.get("/docs/tools").content.decode()


def test_lists_name_the_page_of_all_tools_only(client: Client) -> None:
    listed = client.get("/docs").content.decode()
    assert 'href="/docs/tools"' in listed
    assert "/docs/tools-" not in listed


def test_a_page_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/docs/tools-nothing").status_code == 404
