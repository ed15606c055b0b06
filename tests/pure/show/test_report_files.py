from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.show import report as reports
from cloudcraft_onboard.show.report.json import from_json
from tests.support.reports import report, result, typical


@pytest.mark.parametrize("suffix", reports.SUFFIXES)
def test_the_suffix_chooses_the_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"results{suffix.upper()}"
    reports.check(str(path))
    reports.write(str(path), typical())
    assert path.read_bytes() == reports.render(typical(), suffix).encode()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("results.yaml", "no known suffix"),
        ("results", "no known suffix"),
        ("missing/results.json", "does not exist"),
        ("folder.json", "is a directory"),
    ],
)
def test_a_path_that_will_not_do_is_said_before_the_run(
    tmp_path: Path, path: str, says: str
) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(UsageError, match=says) as caught:
        reports.check(str(tmp_path / path))
    assert caught.value.exit_code == 2
    assert caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_writable_is_said_before_the_run(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="not writable"):
        reports.check(str(tmp_path / "results.json"))


def test_a_path_that_cannot_be_one_is_said_before_the_run(tmp_path: Path) -> None:
    for path in (tmp_path / f"{'a' * 300}.json", tmp_path / ("a" * 300) / "results.json"):
        with pytest.raises(UsageError, match=r"Cannot write .*: File name too long"):
            reports.check(str(path))


def test_checking_leaves_nothing(tmp_path: Path) -> None:
    reports.check(str(tmp_path / "results.json"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("old")
    path.chmod(0o640)
    reports.write(str(path), typical())
    assert path.read_text(encoding="utf-8").startswith("{")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.json"]


def test_what_cannot_be_written_leaves_the_old_report(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.mkdir()
    (path / "kept").touch()
    with pytest.raises(OSError, match=r"results\.json"):
        reports.write(str(path), typical())
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize("suffix", reports.SUFFIXES)
def test_half_of_a_surrogate_pair_costs_no_report(suffix: str) -> None:
    broken = report(result("half \ud83d pair"))
    assert "half" in reports.render(broken, suffix).encode().decode()


@pytest.mark.parametrize("suffix", reports.SUFFIXES)
def test_a_saved_report_makes_the_very_same_files(suffix: str) -> None:
    run = replace(
        typical(),
        started_at=datetime(2026, 11, 23, 10, 0, 0, 900_000, tzinfo=UTC),
        finished_at=datetime(2026, 11, 23, 10, 0, 9, 960_000, tzinfo=UTC),
        results=tuple(replace(each, seconds=9.9561, line=7) for each in typical().results),
    )
    saved = from_json(json.loads(reports.render(run, ".json")))
    assert reports.render(saved, suffix) == reports.render(run, suffix)


@pytest.mark.parametrize("suffix", reports.SUFFIXES)
def test_an_empty_report_has_every_format(suffix: str) -> None:
    assert reports.render(report(), suffix)
