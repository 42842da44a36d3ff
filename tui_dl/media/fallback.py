"""What is left to yt-dlp's own downloaders: decided before the first byte, always with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WEB: Final = ("http://", "https://")
ANY_ADDRESS: Final = ("0.0.0.0", "::")  # noqa: S104  # what -4 and -6 say; nothing is bound here
LIVE_GENERATOR: Final = "http_dash_segments_generator"
_OF_PARAMETERS: Final = {
    "client_certificate": "a client certificate",
    "legacyserverconnect": "legacy TLS",
    "keep_fragments": "--keep-fragments",
    "impersonate": "impersonation",
    "debug_printtraffic": "--print-traffic",
}
"""Parameters that our transfers do not know, in words."""


def reason_for_native(name: str, info: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """Return why a format is downloaded by yt-dlp itself; empty where the engine takes it."""
    why = next((words for key, words in _OF_PARAMETERS.items() if params.get(key)), "")
    return why or _of_target(name, params) or _of_stream(info) or _of_requests(info)


def _of_target(name: str, params: Mapping[str, Any]) -> str:
    if name == "-":
        return "standard output"
    if params.get("source_address") not in (None, "", *ANY_ADDRESS):
        return "--source-address"
    return ""


def _of_stream(info: Mapping[str, Any]) -> str:
    protocol = str(info.get("protocol") or "")
    if info.get("is_live") or info.get("is_from_start") or LIVE_GENERATOR in protocol.split("+"):
        return "a live stream"
    if info.get("section_start") or info.get("section_end"):
        return "a section"
    fragments = info.get("fragments")
    if fragments is not None and not isinstance(fragments, list | tuple) and not hasattr(fragments, "__getitem__"):
        return "fragments that are made while they are fetched"
    return "a stream that must be extracted anew" if isinstance(fragments, str) else ""


def _of_requests(info: Mapping[str, Any]) -> str:
    if not str(info.get("url") or "").lower().startswith(WEB):
        return "its protocol"
    if info.get("impersonate") not in (None, False):
        return "impersonation"
    if info.get("request_data") is not None:
        return "a request with a body"
    headers = info.get("http_headers") or {}
    return "a range that its extractor set" if any(key.lower() == "range" for key in headers) else ""


def unsafe_header(headers: Mapping[str, Any]) -> str:
    """Return the name of a header that would be more than one line, or no header at all; empty where all are well."""
    for key, value in headers.items():
        text = f"{key}{value}"
        is_name = bool(str(key).strip()) and str(key).isascii() and ":" not in str(key) and " " not in str(key)
        if not is_name or any(ord(char) < 32 and char != "\t" for char in text) or "\x7f" in text:
            return repr(str(key)[:40])
    return ""
