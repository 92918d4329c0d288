"""What the command line leaves behind: the files of every tool, the sheet, one object of facts."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

from hub import formats


def write_files(result: dict[str, Any], trigger: str, out: Path) -> list[dict[str, Any]]:
    """The stored layouts of the family, written into `out`."""
    canonical = Path(result["embedding"]).read_bytes()
    family = result["recipe"]["family"]
    written = []
    for layout, filename in formats.layouts_for(family, trigger):
        if layout not in formats.STORED_LAYOUTS:
            continue
        data = (
            canonical if layout == "canonical" else formats.write_layout(canonical, layout, trigger=trigger)
        )
        path = out / filename
        path.write_bytes(data)
        written.append(
            {
                "layout": layout,
                "path": str(path),
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": len(data),
            }
        )
    return written


def write_sheet(sheet: dict[str, Any], out: Path) -> dict[str, Any]:
    """The sheet and its pictures, moved into `out`; the facts about them."""
    folder = out / "sheet"
    folder.mkdir(exist_ok=True)
    images = []
    for image in sheet["images"]:
        path = folder / Path(image["path"]).name
        shutil.copyfile(image["path"], path)
        images.append({**image, "path": str(path)})
    whole = folder / "sheet.webp"
    shutil.copyfile(sheet["sheet"], whole)
    return {"path": str(whole), "intact": sheet["intact"], "images": images}


def facts_of(
    result: dict[str, Any], sheet: dict[str, Any], files: list[dict[str, Any]], drawn: dict[str, Any]
) -> dict[str, Any]:
    """The one object about a run that scripts rely on."""
    return {
        "files": files,
        "digests": {
            "tensors": result["tensor_digest"],
            "base": result["base_digest"],
            "dataset": result["dataset_digest"],
            **{file["layout"]: file["sha256"] for file in files},
        },
        "seconds": result["seconds"],
        "steps": result["steps"],
        "stopped_by": result["stopped_by"],
        "losses": result["losses"],
        "sheet": drawn,
        "seed": result["recipe"]["seed"],
        "chosen": result["chosen"],
        "encoders": sheet["encoders"],
        "provenance": result["provenance"],
    }
