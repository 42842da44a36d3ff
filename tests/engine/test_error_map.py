"""Foreign exceptions become ours once, at the border; what follows a failed attempt is one table."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from tui_dl.core.errors import ContentError, FileSystemError, HttpError, NetworkError, Reason, TuiDlError
from tui_dl.core.proxies import parse_proxy
from tui_dl.core.settings import Settings
from tui_dl.core.task import DownloadTask, TaskOptions
from tui_dl.engine.error_map import map_error, map_proxied
from tui_dl.engine.retrying import AFTER_PROGRESS_S, ANSWERED_LATELY_S, LOCAL_WAIT_S, NETWORK_WAIT_S, next_step

if TYPE_CHECKING:
    from tui_dl.engine.retrying import NextStep

KEY = ConnectionKey("host.example", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)


def connector(number: int) -> aiohttp.ClientConnectorError:
    """Return the error of a connection that was not made."""
    return aiohttp.ClientConnectorError(KEY, OSError(number, "words"))


def dns(number: int) -> aiohttp.ClientConnectorDNSError:
    """Return the error of a name that was not looked up."""
    return aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(number, "words"))


def asked_of_servers(code: int) -> aiohttp.ClientConnectorDNSError:
    """Return the error of a name that c-ares did not find, as aiohttp wraps it."""
    wrapped = OSError(None, "words")
    wrapped.__cause__ = Exception(code, "words")
    return aiohttp.ClientConnectorDNSError(KEY, wrapped)


@pytest.mark.parametrize(
    ("error", "reason", "is_retryable"),
    [
        (connector(errno.ECONNREFUSED), Reason.CONNECT_REFUSED, True),
        (connector(errno.ETIMEDOUT), Reason.CONNECT_TIMEOUT, True),
        (connector(errno.ENETUNREACH), Reason.NO_NETWORK, True),
        (connector(errno.EHOSTUNREACH), Reason.NO_NETWORK, True),
        (connector(errno.EMFILE), Reason.TOO_MANY_FILES, True),
        (dns(socket.EAI_NONAME), Reason.DNS_FAILED, True),
        (dns(socket.EAI_AGAIN), Reason.NO_NETWORK, True),
        (dns(socket.EAI_FAIL), Reason.NO_NETWORK, True),
        (asked_of_servers(4), Reason.DNS_FAILED, True),
        (asked_of_servers(3), Reason.NO_NETWORK, True),
        (asked_of_servers(11), Reason.NO_NETWORK, True),
        (asked_of_servers(12), Reason.NO_NETWORK, True),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("x")), Reason.TLS_FAILED, False),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "x")), Reason.TLS_FAILED, False),
        (aiohttp.ConnectionTimeoutError(), Reason.CONNECT_TIMEOUT, True),
        (aiohttp.SocketTimeoutError(), Reason.STALLED, True),
        (TimeoutError(), Reason.STALLED, True),
        (aiohttp.ClientPayloadError("x"), Reason.TRUNCATED, True),
        (aiohttp.ServerDisconnectedError(), Reason.CONNECTION_RESET, True),
        (aiohttp.ClientOSError(errno.ECONNRESET, "x"), Reason.CONNECTION_RESET, True),
        (ConnectionResetError(), Reason.CONNECTION_RESET, True),
        (aiohttp.ClientResponseError(Mock(), (), message="bad"), Reason.PROTOCOL_ERROR, False),
        (ssl.SSLError(1, "x"), Reason.TLS_FAILED, False),
        (OSError(errno.ENFILE, "x"), Reason.TOO_MANY_FILES, True),
        (aiohttp.InvalidURL("x"), Reason.BAD_URL, False),
        (ValueError("x"), Reason.BAD_URL, False),
    ],
)
def test_each_exception_has_one_reason(error: BaseException, reason: Reason, *, is_retryable: bool) -> None:
    """Nothing of the library's or the system's reaches a person as it came."""
    found = map_error(error, "host.example")
    assert (found.reason, found.is_retryable) == (reason, is_retryable)
    assert found.hint


def test_a_proxy_whose_name_is_not_found_is_named() -> None:
    """With what became of its name, and as a matter of the proxy."""
    proxy = parse_proxy("http://host.example:3128", "--proxy")
    found = map_proxied(dns(socket.EAI_NONAME), "files.example", proxy)
    assert (found.reason, found.is_retryable) == (Reason.PROXY_FAILED, True)
    said = "the proxy host.example:3128 cannot be reached: the host name host.example was not found"
    assert found.message == said


def test_an_error_of_ours_stays_itself() -> None:
    """Mapped once."""
    ours = NetworkError(Reason.STALLED)
    assert map_error(ours, "h") is ours


def test_words_from_outside_are_made_safe() -> None:
    """A reason phrase reaches the terminal without its escapes."""
    error = aiohttp.ClientResponseError(Mock(), (), message="\x1b]0;owned\x07")
    assert "\x1b" not in map_error(error, "h").message


TASK = DownloadTask(1, "http://h/f", "/d", "f")


def step_after(error: TuiDlError, **changes: Any) -> NextStep:
    """Return what follows an error."""
    words: dict[str, Any] = {"has_progressed": False, "random": 0.5, "since_answer_s": 0.0, **changes}
    task = words.pop("task", TASK)
    settings = words.pop("settings", Settings())
    return next_step(task, error, settings, **words)


PASSING = NetworkError(Reason.CONNECTION_RESET, is_retryable=True)


def test_a_passing_fault_is_tried_again_after_a_pause_with_jitter() -> None:
    """Half of the longest pause where chance says half."""
    step = step_after(PASSING)
    assert (step.delay_s, step.retry_count) == (0.5, 1)


def test_pauses_double_up_to_the_cap() -> None:
    """1, 2, 4 ... never more than `max_retry_delay`."""
    delays = [
        step_after(PASSING, task=DownloadTask(1, "u", "/", "f", retry_count=count), settings=Settings(max_retries=20))
        for count in range(10)
    ]
    assert [step.delay_s for step in delays] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_after_the_last_attempt_it_fails_and_says_how_often() -> None:
    """The words name the attempts."""
    step = step_after(PASSING, task=DownloadTask(1, "u", "/", "f", retry_count=3))
    assert step.delay_s is None
    assert "after 4 attempts" in step.text


def test_progress_begins_the_count_anew_and_shortens_the_pause() -> None:
    """A cut in a running transfer is no reason to wait."""
    step = step_after(PASSING, has_progressed=True, task=DownloadTask(1, "u", "/", "f", retry_count=3))
    assert step.retry_count == 0
    assert step.delay_s is not None
    assert step.delay_s <= AFTER_PROGRESS_S


def test_what_the_server_asks_is_never_shortened() -> None:
    """Retry-After counts, with progress too."""
    error = HttpError(Reason.TOO_MANY_REQUESTS, status=429, is_retryable=True, retry_after_s=77.0)
    assert step_after(error).delay_s == 77.0
    assert step_after(error, has_progressed=True).delay_s == 77.0


def test_a_final_answer_fails_at_once() -> None:
    """No attempt is made in vain."""
    assert step_after(HttpError(Reason.NOT_FOUND, status=404)).delay_s is None


def test_a_host_that_asked_costs_no_attempt() -> None:
    """The wait is the one that it named."""
    step = step_after(HttpError(Reason.HOST_ASKED, is_retryable=True, retry_after_s=30.0))
    assert (step.delay_s, step.retry_count) == (30.0, 0)


def test_no_network_costs_no_attempt_while_no_host_answers() -> None:
    """A laptop that wakes goes on by itself; a fault of one host alone is counted."""
    error = NetworkError(Reason.NO_NETWORK, is_retryable=True)
    asleep = step_after(error, since_answer_s=ANSWERED_LATELY_S + 1)
    assert (asleep.delay_s, asleep.retry_count, asleep.reason) == (NETWORK_WAIT_S, 0, Reason.NO_NETWORK)
    assert step_after(error, since_answer_s=1.0).retry_count == 1


@pytest.mark.parametrize("error", [dns(socket.EAI_NONAME), asked_of_servers(1), asked_of_servers(4)])
def test_a_name_that_is_not_there_is_final_while_hosts_answer(error: aiohttp.ClientConnectorDNSError) -> None:
    """As a 404 is; where nobody answers, the fault may be the network's."""
    mapped = map_error(error, "host.example")
    assert step_after(mapped, since_answer_s=ANSWERED_LATELY_S - 1).delay_s is None
    assert step_after(mapped, since_answer_s=ANSWERED_LATELY_S + 1).delay_s is not None
    assert step_after(mapped, strategy=lambda _task, _error: True).delay_s is not None


@pytest.mark.parametrize(
    "error",
    [dns(socket.EAI_AGAIN), dns(socket.EAI_FAIL), asked_of_servers(3), asked_of_servers(12), asked_of_servers(8)],
)
def test_a_name_that_nobody_could_tell_of_is_tried_again(error: aiohttp.ClientConnectorDNSError) -> None:
    """Also while other hosts answer: a name server's bad moment fails no file."""
    step = step_after(map_error(error, "host.example"), since_answer_s=0.0)
    assert step.delay_s is not None
    assert step.retry_count == 1


@pytest.mark.parametrize(
    ("reason", "waits"),
    [
        (Reason.DISK_FULL, True),
        (Reason.QUOTA_EXCEEDED, True),
        (Reason.TOO_MANY_FILES, True),
        (Reason.READ_ONLY, False),
        (Reason.PERMISSION_DENIED, False),
    ],
)
def test_local_faults_are_no_attempts(reason: Reason, *, waits: bool) -> None:
    """A full disk waits for room, any other fault is told."""
    step = step_after(FileSystemError(reason, is_retryable=waits))
    assert step.retry_count == 0
    assert step.delay_s == (LOCAL_WAIT_S if waits else None)


def test_a_strategy_decides_within_the_attempts() -> None:
    """It may refuse what we would retry, and retry what we would not, until the attempts are used up."""
    final = ContentError(Reason.CHANGED)
    assert step_after(PASSING, strategy=lambda _task, _error: False).delay_s is None
    assert step_after(final, strategy=lambda _task, _error: True).delay_s is not None
    used_up = DownloadTask(1, "u", "/", "f", retry_count=3)
    assert step_after(final, task=used_up, strategy=lambda _task, _error: True).delay_s is None


@pytest.mark.parametrize(("own", "told"), [(None, 3), (1, 1)])
def test_a_strategy_is_told_how_many_attempts_there_are(own: int | None, told: int) -> None:
    """Also where the setting says it, so that `task.retry_count < task.max_retries` is a strategy."""
    task = DownloadTask(1, "u", "/", "f", options=TaskOptions(max_retries=own))
    assert step_after(PASSING, task=task, strategy=lambda task, _error: task.max_retries == told).delay_s is not None
    assert step_after(PASSING, task=task, strategy=lambda task, _error: task.max_retries != told).delay_s is None


def test_a_tasks_own_attempts_count_first() -> None:
    """`options.max_retries` over the setting."""
    task = DownloadTask(1, "u", "/", "f", options=TaskOptions(max_retries=0))
    assert step_after(PASSING, task=task).delay_s is None


@pytest.mark.parametrize("error", [dns(socket.EAI_AGAIN), asked_of_servers(11)])
def test_name_servers_that_fail_have_a_way_round_them(error: BaseException) -> None:
    """The row waits, and says what asks others; a name that is not there needs its spelling looked at."""
    assert "--dns-servers ADDRESS asks other name servers" in map_error(error, "host.example").message
    assert "--dns-servers" not in map_error(dns(socket.EAI_NONAME), "host.example").message
