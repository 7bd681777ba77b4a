"""The version stands in Sources/Inference/EchoelVersion.swift; the package and the changelog have the same one."""

import re
from pathlib import Path

from echoel_training import __version__

ROOT = Path(__file__).parents[2]


def test_everything_has_the_librarys_version():
    swift = (ROOT / "Sources/Inference/EchoelVersion.swift").read_text()
    (version,) = re.findall(r'StaticString \{ "(\d+\.\d+\.\d+)" \}', swift)
    assert __version__ == version
    newest = re.search(r"^## \[.*", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE).group()
    assert version in newest, newest
