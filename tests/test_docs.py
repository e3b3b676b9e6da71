import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from napari_cresunet.cli import main

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def block_after(marker: str) -> str:
    """Return the code block of the README that follows a marker."""
    readme = (ROOT / "README.md").read_text("utf-8")
    return re.search(rf"<!-- {marker} -->\n```sh\n(.*?)\n```\n", readme, re.S)[1]


def test_the_examples_for_python_run():
    results = doctest.testfile(
        str(ROOT / "docs" / "python.md"), module_relative=False, encoding="utf-8"
    )
    assert results.attempted > 20
    assert results.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_every_option_of_count_is_explained(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        main(["count", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    assert {option for option in options - {"--output"} if option not in page} == set()
    assert "--threshold" in options


@pytest.mark.skipif(sys.platform == "win32", reason="the script is for Debian")
@pytest.mark.parametrize(
    ("marker", "function"),
    [("test command", "test_command"), ("system packages", "system_packages")],
)
def test_the_build_server_runs_what_the_readme_says(marker, function):
    script = ROOT / ".ci" / "run"
    code = f"source {shlex.quote(str(script))}; {function}"
    out = subprocess.check_output(["bash", "-c", code], text=True, cwd=ROOT)
    words = block_after(marker).replace("\\\n", " ").split()
    assert out.split() == (
        words[words.index("install") + 1 :] if function == "system_packages" else words
    )


def test_a_command_that_has_a_display_runs_as_it_is(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":7")
    show = "import os, sys; sys.exit(0 if os.environ['DISPLAY'] == ':7' else 1)"
    command = [sys.executable, ".ci/with_display.py", sys.executable, "-c"]
    assert subprocess.call([*command, show], cwd=ROOT) == 0
    assert subprocess.call([*command, "raise SystemExit(3)"], cwd=ROOT) == 3
