"""Whose socket it is, and whose process comes to it: nobody else's."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tui_dl.core.errors import FileSystemError
from tui_dl.session.handover import is_own, peer_of
from tui_dl.session.reaching import connect, find_session

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT: Final = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(1)"
NOBODY: Final = "65534"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder with a short path that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="tui-dl-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.needs_root
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="drops root's privileges")
def test_another_users_process_is_known_as_such(folder: Path) -> None:
    """The kernel says who connected; a mode that lets everybody in does not help a stranger."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s"))
        (folder / "s").chmod(0o777)
        listener.listen()
        for words, is_ours in ((("setpriv", "--reuid", NOBODY, "--clear-groups"), False), ((), True)):
            command = [*words, sys.executable, "-c", CONNECT, str(folder / "s")]
            with subprocess.Popen(command) as process:
                connection, _ = listener.accept()
                assert peer_of(connection).uid == (os.geteuid() if is_ours else int(NOBODY))
                assert is_own(connection) is is_ours
                connection.close()
                assert process.wait() == 0


def test_no_session_is_reached_in_a_folder_that_is_open_to_others(folder: Path) -> None:
    """Whoever may write there may have put another socket in its place."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s"))
        listener.listen()
        with pytest.raises(FileSystemError, match="open to other users"):
            connect(str(folder / "s"))
        folder.chmod(0o700)
        reached = connect(str(folder / "s"))
        assert reached is not None
        reached.close()


@pytest.mark.needs_root
@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away")
def test_another_users_lock_is_not_believed(tmp_path: Path) -> None:
    """A card that somebody else wrote leads nowhere."""
    lock_file = tmp_path / "session.lock"
    lock_file.touch()
    os.chown(lock_file, int(NOBODY), -1)
    with pytest.raises(FileSystemError, match="another user's"):
        find_session(lock_file)
