"""Secrets given to a command appear in nothing that it writes."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.browser_profiles import Crumb, firefox

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "c4nary"


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_no_output_and_no_log_holds_a_secret(tmp_path: Path, scheme: str) -> None:
    """Neither events nor people's lines nor the fullest log, when the proxy is down and everything is told."""
    cookies, netrc, log = tmp_path / "cookies.txt", tmp_path / "netrc", tmp_path / "log.txt"
    cookies.write_text(f"127.0.0.1\tFALSE\t/\tFALSE\t0\tid\t{CANARY}\n")
    netrc.touch(mode=0o600)
    netrc.write_text(f"machine 127.0.0.1 login me password {CANARY}\n")
    secrets = ("--proxy", f"{scheme}://me:{CANARY}@127.0.0.1:9", "--user", f"me:{CANARY}", "--netrc", str(netrc))
    rest = ("--cookies", str(cookies), "--max-retries", "0", "--json", "-vv", "--log", str(log), "-d", str(tmp_path))
    command = (sys.executable, "-m", "tui_dl", "get", *secrets, *rest, "http://127.0.0.1:9/f.bin")
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    told = ended.stdout + ended.stderr + log.read_text()
    assert ended.returncode == 1
    assert "proxy-failed" in ended.stdout
    assert CANARY not in told
    assert b64encode(f"me:{CANARY}".encode()).decode() not in told


def test_a_curl_command_keeps_its_secrets(tmp_path: Path) -> None:
    """Read from standard input, its cookies and credentials are in no argument, no line and no log."""
    log = tmp_path / "log.txt"
    text = f"curl 'http://me:{CANARY}@127.0.0.1:9/f.bin' \\\n -b 'id={CANARY}' \\\n -H 'x-api-key: {CANARY}'"
    rest = ("--max-retries", "0", "-vv", "--log", str(log), "-d", str(tmp_path))
    command = (sys.executable, "-m", "tui_dl", "get", "--curl", "-", *rest)
    ended = subprocess.run(command, input=text, capture_output=True, text=True, timeout=30, check=False)
    told = ended.stdout + ended.stderr + log.read_text()
    assert ended.returncode == 1
    assert "connect-refused" in told
    assert CANARY not in told
    assert b64encode(f"me:{CANARY}".encode()).decode() not in told


@pytest.mark.parametrize(("flags", "has_requests"), [((), False), (("-v",), False), (("-vv",), True)])
def test_the_log_tells_what_happened(tmp_path: Path, flags: tuple[str, ...], has_requests: bool) -> None:
    """What became of each task, and with -vv each of its requests; the query of an address is masked."""
    log = tmp_path / "log.txt"
    rest = (*flags, "--max-retries", "0", "--log", str(log), "-d", str(tmp_path))
    command = (sys.executable, "-m", "tui_dl", "get", *rest, f"http://127.0.0.1:9/f.bin?token={CANARY}")
    subprocess.run(command, capture_output=True, timeout=30, check=False)
    told = log.read_text()
    assert "started http://127.0.0.1:9/f.bin" in told
    assert "failed http://127.0.0.1:9/f.bin" in told
    assert ("GET bytes=0-" in told) is has_requests
    assert CANARY not in told


def test_a_browser_keeps_its_cookies_secret(tmp_path: Path) -> None:
    """Whatever goes wrong on the way, no line, event, log or journal holds one."""
    browser, log = firefox(tmp_path / "profile", [Crumb(value=CANARY)]), tmp_path / "log.txt"
    rest = ("--max-retries", "0", "--json", "-vv", "--log", str(log), "-d", str(tmp_path))
    command = (sys.executable, "-m", "tui_dl", "get", "--cookies-from-browser", browser, *rest, "http://127.0.0.1:9/f")
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "connect-refused" in ended.stdout
    assert CANARY not in ended.stdout + ended.stderr + log.read_text()
    home = tmp_path / "tui-dl-home"
    held = [one for one in home.rglob("*") if one.is_file()]
    assert held
    assert [one for one in held if CANARY.encode() in one.read_bytes()] == []
