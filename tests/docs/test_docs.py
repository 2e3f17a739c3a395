"""What is written holds: links lead somewhere, the site builds, examples run, the changelog knows the version."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from leukoscope import __version__
from leukoscope.messages.json_format import to_bytes
from leukoscope.messages.report import encode
from tests.commands.test_run import replay
from tests.messages.examples import NOW, report

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(
    ["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
)
PAGES = LISTED.stdout.split() or [str(page.relative_to(ROOT)) for page in sorted((ROOT / "device").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")


def anchors(page: Path) -> set[str]:
    """What headings of a page are called in links."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    lost = []
    for target, anchor in LINK.findall((ROOT / page).read_text("utf-8")):
        if "://" in target:
            continue
        path = ROOT / page if not target else (ROOT / page).parent / target
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            lost.append(f"{target}#{anchor}" if anchor else target)
    assert lost == []


def test_the_site_builds(tmp_path: Path) -> None:
    words = f"build --quiet --strict -f device/mkdocs.yml -d {tmp_path}"
    command = [sys.executable, "-m", "mkdocs", *words.split()]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "clinic" / "index.html").exists()


def test_every_decision_is_in_the_list_and_has_its_four_parts() -> None:
    folder = ROOT / "device" / "docs" / "decisions"
    listed = (folder / "index.md").read_text("utf-8")
    for page in sorted(folder.glob("0*.md")):
        text = page.read_text("utf-8")
        assert f"({page.name})" in listed
        assert re.findall(r"^\* \*\*(\w+)\*\*", text, re.MULTILINE) == ["Status", "Context", "Decision", "Consequences"]
        assert re.search(r"\d{4}-\d\d-\d\d", text)


def test_the_changelog_knows_this_version() -> None:
    text = (ROOT / "device" / "docs" / "changelog.md").read_text("utf-8")
    assert re.search(rf"^## {re.escape(__version__)} - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE)


def git(*words: str) -> str | None:
    """What git says; None where it fails or there is none, as in an archive of the sources."""
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def test_the_commits_that_documents_name_are_in_the_history() -> None:
    if git("rev-parse", "--is-shallow-repository") != "false":
        pytest.skip("the whole history is not here")
    ignored = (ROOT / ".git-blame-ignore-revs").read_text("utf-8")
    changelog = (ROOT / "device" / "docs" / "changelog.md").read_text("utf-8")
    version = re.search(r"^## 0\.1\.0 .*\n\nCommit ([0-9a-f]{7,})", changelog, re.MULTILINE)
    assert version is not None
    named = [version[1], *re.findall(r"^[0-9a-f]{40}$", ignored, re.MULTILINE)]
    assert len(named) >= 2
    assert [commit for commit in named if git("merge-base", "--is-ancestor", commit, "HEAD") is None] == []
    assert '"0.1.0"' in str(git("show", f"{version[1]}:device/leukoscope/__init__.py"))


def run_example(name: str, *words: object) -> str:
    environ = os.environ | {"PYTHONPATH": str(ROOT / "device")}
    command = [sys.executable, str(ROOT / "device" / "examples" / name), *map(str, words)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_that_counts_pictures_counts(tmp_path: Path) -> None:
    said = run_example("count_pictures.py", replay(tmp_path / "pictures"), 0.127)
    assert re.search(r"field-1\.png: \d+ cells, \d+ of them white", said)


def test_the_example_that_reads_a_report_tells_its_differential(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(to_bytes(encode(report(1), boot_id="boot-1", sequence=7, sent_clock=NOW)))
    said = run_example("read_report.py", file)
    named = {line["class"]: line["count"] for line in json.loads(file.read_bytes())["white_cells"]["differential"]}
    assert all(f"{name}: {count} (" in said for name, count in named.items())


def test_the_packages_say_that_they_are_typed() -> None:
    for package in ("leukoscope", "leukoscope_collector"):
        assert (ROOT / "device" / package / "py.typed").exists()
