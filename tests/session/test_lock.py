"""One session for a queue: the lock, the card that says where it is, and where its sockets lie."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tui_dl.core.errors import FileSystemError
from tui_dl.session import paths as session_paths
from tui_dl.session.lock import Card, SessionLock, held_by
from tui_dl.session.paths import SocketPaths, is_private, make_socket_paths

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in for `/tmp`, with as short a path."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        monkeypatch.setattr(session_paths, "_SHARED", Path(folder))
        yield Path(folder)


def test_only_one_holds_it_and_the_others_learn_where_that_one_is(tmp_path: Path) -> None:
    """The second is refused; whoever looks reads the card; let go, it is free, though the file stays."""
    path = tmp_path / "data" / "session.lock"
    assert held_by(path) is False
    lock = SessionLock.take(path)
    assert lock is not None
    assert held_by(path) is True
    assert SessionLock.take(path) is None
    lock.write(SocketPaths(tmp_path / "a.sock", tmp_path / "r.sock"), "1.2")
    card = held_by(path)
    assert isinstance(card, Card)
    assert (card.pid, card.version, card.attach, card.is_here) == (os.getpid(), "1.2", str(tmp_path / "a.sock"), True)
    lock.release()
    assert path.exists()
    assert held_by(path) is False


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """P17: nothing is truncated that we did not make."""
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / "session.lock").symlink_to(other)
    with pytest.raises(FileSystemError):
        SessionLock.take(tmp_path / "session.lock")
    assert other.read_text() == "kept"


def test_sockets_lie_where_their_person_alone_comes(shared: Path) -> None:
    """A missing runtime folder is made; one that is open, or a link, or too long a path, is not used."""
    lock_file, runtime = shared / "session.lock", shared / "run"
    paths = make_socket_paths(lock_file, runtime)
    assert paths.attach.parent == runtime
    assert is_private(runtime)
    runtime.chmod(0o755)
    own = shared / f"tui-dl-{os.geteuid()}"
    assert make_socket_paths(lock_file, runtime).attach.parent == own
    far = shared / ("long" * 30)
    near = make_socket_paths(lock_file, far)
    assert (near.attach.parent, far.exists()) == (own, False)
    assert len(os.fsencode(near.attach)) <= session_paths.MOST_PATH_BYTES
    own.rename(shared / "elsewhere")
    own.symlink_to(shared / "elsewhere")
    made = make_socket_paths(lock_file, runtime).attach.parent
    assert made not in (own, runtime)
    assert is_private(made)
