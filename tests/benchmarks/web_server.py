"""nginx on loopback over a folder, plain and with TLS, for one benchmark run."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """
worker_processes 1;
daemon off;
pid {state}/nginx.pid;
error_log {state}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000;
  client_body_temp_path {state}/body; proxy_temp_path {state}/proxy; fastcgi_temp_path {state}/fastcgi;
  uwsgi_temp_path {state}/uwsgi; scgi_temp_path {state}/scgi;
  ssl_certificate {state}/server.pem; ssl_certificate_key {state}/server.key; ssl_session_cache shared:all:1m;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
  server {{ listen 127.0.0.1:{tls_port} ssl http2; root {root}; http2_max_concurrent_streams 128; }}
}}
"""
START_LIMIT_S = 10.0


@dataclass(frozen=True)
class WebServer:
    """Where it listens."""

    port: int
    """Plain."""
    tls_port: int
    """TLS, with HTTP/2 for those who ask for it."""
    authority: Path
    """The certificate that clients must trust."""

    @property
    def origin(self) -> str:
        """Its plain origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_origin(self) -> str:
        """Its origin with TLS."""
        return f"https://127.0.0.1:{self.tls_port}"


def free_port() -> int:
    """Return a port that nobody listens on at this instant."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def nginx(root: Path, state: Path) -> Iterator[WebServer]:
    """Serve `root`; yield where."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise SystemExit("nginx is missing; install it (Debian: apt-get install nginx-light)")
    state.mkdir(parents=True, exist_ok=True)
    for folder in (root, *root.parents):
        if folder.stat().st_uid == 0 and folder.is_relative_to("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    server = WebServer(free_port(), free_port(), state / "authority.pem")
    _make_certificate(state, server.authority)
    config = state / "nginx.conf"
    config.write_text(CONFIG.format(state=state, root=root, port=server.port, tls_port=server.tls_port))
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        _await_port(server.port)
        yield server
    finally:
        process.terminate()
        process.wait()


def _make_certificate(state: Path, authority: Path) -> None:
    maker = trustme.CA()
    maker.cert_pem.write_to_path(authority)
    certificate = maker.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(state / "server.key")
    (state / "server.key").chmod(0o600)
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(state / "server.pem", append=number > 0)


def _await_port(port: int) -> None:
    limit_at = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit_at:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit("nginx did not start")
