"""Tests files as real systems write them: which users are sent, which rows are skipped, what the notices say, which file is refused.

``files/manifest.json`` says what is expected of each file. The command line sends real requests, to a fake Zoom on loopback.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from conftest import cli
from zoom_user_status.testing import FakeZoom

FILES = Path(__file__).parent / "files"
MANIFEST: List[Dict[str, Any]] = json.loads((FILES / "manifest.json").read_text(encoding="utf-8"))


def test_every_file_has_an_expectation() -> None:
    assert sorted(case["file"] for case in MANIFEST) == sorted(p.name for p in FILES.iterdir() if p.name[0] != "." and p.suffix != ".json")
    assert len(MANIFEST) >= 40


@pytest.mark.parametrize("case", MANIFEST, ids=[case["file"] for case in MANIFEST])
def test_file(fake_zoom: FakeZoom, tmp_path: Path, case: Dict[str, Any]) -> None:
    fake_zoom.add(*case["users"])
    report = tmp_path / "report.csv"
    arguments = ["deactivate", "--csv", str(FILES / case["file"]), *case["options"]]
    dry = cli(fake_zoom, *arguments, "--dry-run")
    assert (dry.returncode, fake_zoom.ledger) == (case["status"], []), dry.stderr
    assert dry.stdout.splitlines() == case["users"]
    # Every expected text is printed, and every line that is printed is expected.
    reasons = [why for _, why in case["skipped"]]
    expected = [*case["notices"], *reasons, case["refused"] or "dry run: "]
    told = dry.stderr.splitlines()
    assert [words for words in expected if words not in dry.stderr] == []
    assert [line for line in told if not any(words in line for words in expected)] == []
    run = cli(fake_zoom, *arguments, "--json", "--rate", "0", "--report", str(report))
    assert run.returncode == case["status"], run.stderr
    assert sorted(fake_zoom.updated) == sorted(case["users"]) == sorted(one.user for one in fake_zoom.ledger if one.method == "PUT")
    if case["refused"]:
        assert not report.exists() and run.stdout == ""
        return
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    skipped = [(line["line"], line["skipped"]) for line in lines if "skipped" in line]
    assert [line for line, _ in skipped] == [line for line, _ in case["skipped"]]
    assert all(why in text for (_, text), why in zip(skipped, reasons))
    assert (lines[-1]["summary"]["done"], lines[-1]["summary"]["skipped"]) == (len(case["users"]), len(case["skipped"]))
    with report.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["user"] for row in rows if row["code"] == "ZUS_OK") == sorted(case["users"])
    messages = [row["message"] for row in rows if row["code"] == "SKIPPED"]
    assert len(messages) == len(skipped) and all(f"line {line}: {why}" in text for text, (line, why) in zip(messages, skipped))
