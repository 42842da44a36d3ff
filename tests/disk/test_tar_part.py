"""The bytes of a tar shard are those that the standard library reads and writes."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_dl.core.sharding import Sample, key_of
from tui_dl.disk import tar_part

if TYPE_CHECKING:
    from collections.abc import Iterator


@given(
    name=st.from_regex(r"[0-9]{12,14}\.[a-z0-9_+-]{1,40}", fullmatch=True),
    size_bytes=st.integers(0, 1 << 40),
    mtime=st.integers(0, 1 << 36),
)
def test_a_header_is_what_tarfile_writes(name: str, size_bytes: int, mtime: int) -> None:
    """Byte for byte in the oldest form, and in GNU's where numbers are too great for that."""
    one = tarfile.TarInfo(name)
    one.size, one.mtime, one.mode = size_bytes, mtime, tar_part.MODE
    is_great = max(size_bytes, mtime) > 0o77777777777
    assert tar_part.header(name, size_bytes, mtime) == one.tobuf(
        tarfile.GNU_FORMAT if is_great else tarfile.USTAR_FORMAT
    )


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """Open an empty shard."""
    opened = os.open(tmp_path / "shard.tar", os.O_RDWR | os.O_CREAT, 0o644)
    yield opened
    os.close(opened)


def _samples(folder: Path, *sizes: int) -> list[Sample]:
    made = []
    for index, size_bytes in enumerate(sizes):
        path = folder / f"{index}.bin"
        with path.open("wb") as file:
            file.truncate(size_bytes)
        key = key_of(0, index)
        made.append(Sample(str(path), f"{key}.bin", f"{key}.json", b'{"n":%d}' % index))
    return made


def test_a_shard_is_whole_with_its_end_alone(tmp_path: Path, fd: int) -> None:
    """Without the end, or with anything behind it, it is not."""
    end, _ = tar_part.append_samples(fd, 0, _samples(tmp_path, 0, 1, 511, 512, 513))
    assert tar_part.holds(fd, 0, 5, end)
    assert not tar_part.is_whole(fd, 0, 5, end)
    tar_part.write_end(fd, end)
    assert tar_part.is_whole(fd, 0, 5, end)
    assert os.fstat(fd).st_size % tarfile.RECORDSIZE == 0
    with tarfile.open(tmp_path / "shard.tar") as archive:
        assert [one.size for one in archive][::2] == [0, 1, 511, 512, 513]
    os.pwrite(fd, b"x", end)
    assert not tar_part.is_whole(fd, 0, 5, end)


@pytest.mark.parametrize(("number", "samples", "cut_bytes"), [(1, 2, 0), (0, 1, 0), (0, 3, 0), (0, 2, 1), (0, 2, 512)])
def test_another_shard_or_a_shorter_one_is_not_taken_for_it(
    tmp_path: Path, fd: int, number: int, samples: int, cut_bytes: int
) -> None:
    """Its number, its count of samples and its length must all agree."""
    end, _ = tar_part.append_samples(fd, 0, _samples(tmp_path, 700, 700))
    assert tar_part.holds(fd, 0, 2, end)
    os.ftruncate(fd, end - cut_bytes)
    assert not tar_part.holds(fd, number, samples, end)


def test_what_cannot_be_read_leaves_the_shard_as_it_was(tmp_path: Path, fd: int) -> None:
    """No byte stays behind what is durable."""
    first, second = _samples(tmp_path, 100, 100)
    end, _ = tar_part.append_samples(fd, 0, [first])
    Path(second.path).unlink()
    with pytest.raises(FileNotFoundError):
        tar_part.append_samples(fd, end, [first, second])
    assert os.fstat(fd).st_size == end


def test_no_link_is_followed_into_a_shard(tmp_path: Path, fd: int) -> None:
    """A staged file that somebody replaced by a link is not read."""
    (sample,) = _samples(tmp_path, 10)
    path = Path(sample.path)
    path.symlink_to(path.rename(tmp_path / "elsewhere"))
    with pytest.raises(OSError, match="symbolic"):
        tar_part.append_samples(fd, 0, [sample])
