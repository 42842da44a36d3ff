"""The first import of aiohttp in a program of its own."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import ssl
from tui_dl.engine.first_import import import_aiohttp
loaders = ssl.SSLContext.load_default_certs, ssl.SSLContext.set_default_verify_paths
import_aiohttp()
import aiohttp
assert loaders == (ssl.SSLContext.load_default_certs, ssl.SSLContext.set_default_verify_paths)
contexts = [one for one in vars(aiohttp.connector).values() if isinstance(one, ssl.SSLContext)]
trusted = [one.cert_store_stats()["x509_ca"] for one in contexts]
assert trusted and not any(trusted), trusted
from tui_dl.engine.trust import tls_context
print(tls_context().cert_store_stats() == ssl.create_default_context().cert_store_stats())
"""


def test_aiohttps_own_context_trusts_nobody_and_ours_all_that_it_should() -> None:
    """No authority is read that nobody asks for, and none is missing where one is."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
