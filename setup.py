"""What pyproject.toml cannot say: pages, styles and documentation travel inside the package, as `hub.shipped`."""

from setuptools import find_namespace_packages, setup

code = find_namespace_packages(include=["hub", "hub.*", "trainer", "trainer.*"])
shipped = {"hub.shipped.docs": "docs", "hub.shipped.docs.tools": "docs/tools"}
for folder in ("templates", "static"):
    for place in (folder, *(f"{folder}.{inner}" for inner in find_namespace_packages(folder))):
        shipped[f"hub.shipped.{place}"] = place.replace(".", "/")

setup(packages=[*code, *shipped], package_dir=shipped)
