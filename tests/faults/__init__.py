"""The fault server: a scripted HTTP server that misbehaves on purpose, and its own tests."""

from tests.faults import lies, oracle, tempers
from tests.faults.script import Resource, after, all_of, first, in_turn, well, when
from tests.faults.server import FaultServer, RequestLog

__all__ = [
    "FaultServer",
    "RequestLog",
    "Resource",
    "after",
    "all_of",
    "first",
    "in_turn",
    "lies",
    "oracle",
    "tempers",
    "well",
    "when",
]
