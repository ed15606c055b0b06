"""Files are written whole; what is no regular file is never replaced."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from threading import Thread

import pytest

from cloudcraft_onboard.console.files import write_whole
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.show import github
from cloudcraft_onboard.show import report as reports
from cloudcraft_onboard.show.told import document
from tests.support.reports import typical


def device(path: Path) -> None:
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        path.open("w").close()
    except OSError:
        pytest.skip("no devices can be made here")


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    path = tmp_path / "null.json"
    device(path)
    reports.check(str(path))
    reports.write(str(path), typical())
    assert stat.S_ISCHR(path.lstat().st_mode)


def test_a_link_to_a_device_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "null.md"
    path.symlink_to(os.devnull)
    reports.check(str(path))
    reports.write(str(path), typical())
    assert path.is_symlink()
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_pipe_gets_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    reports.check(str(path))
    got: list[str] = []
    reader = Thread(target=lambda: got.append(path.read_text(encoding="utf-8")))
    reader.start()
    while True:
        try:
            write_whole(path, "x" * 200_000)
            break
        except OSError:  # the reader is not there yet
            continue
    reader.join(20)
    assert got == ["x" * 200_000]
    assert path.is_fifo()


def test_a_pipe_that_nobody_reads_is_an_error_and_no_hang(tmp_path: Path) -> None:
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    with pytest.raises(OSError, match="No such device"):
        reports.write(str(path), typical())
    with pytest.raises(OSError, match="No such device"):
        github.append_summary(str(path), document(typical()))
    assert path.is_fifo()


@pytest.mark.parametrize("target", ["missing/r.json", "/nowhere/r.json"])
def test_a_link_into_a_missing_folder_is_said_before_the_run(tmp_path: Path, target: str) -> None:
    path = tmp_path / "link.json"
    path.symlink_to(target)
    with pytest.raises(UsageError, match="does not exist"):
        reports.check(str(path))


def test_a_link_to_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "link.json"
    path.symlink_to("real.json")
    reports.check(str(path))
    reports.write(str(path), typical())
    assert path.is_symlink()
    assert (tmp_path / "real.json").is_file()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_and_group_stay(tmp_path: Path) -> None:
    path = tmp_path / "org.yaml"
    path.write_text("before", encoding="utf-8")
    os.chown(path, 12345, 23456)
    path.chmod(0o640)
    write_whole(path, "after")
    kept = path.stat()
    assert (kept.st_uid, kept.st_gid, kept.st_mode & 0o7777) == (12345, 23456, 0o640)
    assert path.read_text(encoding="utf-8") == "after"
