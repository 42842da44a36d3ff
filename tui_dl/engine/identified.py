"""A transport that says who we are, whatever carries the requests: cookies, netrc, answers to a 401."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from tui_dl.core.addresses import origin_of
from tui_dl.core.auth_memory import MOST_ANSWERS, AuthMemory, AuthPolicy, Proof, refusal_text
from tui_dl.core.errors import HttpError, Reason, TuiDlError
from tui_dl.core.http_auth import Credentials, parse_challenges, request_target
from tui_dl.core.http_rules import all_values
from tui_dl.core.ports import TransportRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui_dl.core.ports import Transport, TransportAnswer
    from tui_dl.engine.client_options import ClientOptions

logger = logging.getLogger(__name__)

MOST_DRAINED_BYTES: Final = 64 * 1024
"""Most of a refusal's body that is read so that its connection can be used again."""
DRAIN_S: Final = 2.0
_CNONCE_BYTES: Final = 16


def make_cnonce() -> str:
    """Return a client nonce, which nobody can foresee."""
    return secrets.token_hex(_CNONCE_BYTES)


class IdentifiedTransport:
    """Adds to each request what belongs to its address alone, and answers challenges where it can."""

    def __init__(self, inner: Transport, options: ClientOptions) -> None:
        self._inner = inner
        self._options = options
        self._memory = AuthMemory(options.auth, make_cnonce)
        self._is_nobody = options.cookies is None and not options.identity.by_host
        self._plain: Mapping[str, str] | None = None
        self._probes: dict[tuple[str, Credentials], asyncio.Event] = {}

    async def get(self, request: TransportRequest) -> TransportAnswer:
        """Send a GET; return with the head. Raises what the transport raises, and `HttpError` for a 401."""
        # What was given by nobody is the same mapping for all requests of a batch.
        if self._is_nobody and (request.headers is self._plain or not _has_authorization(request.headers)):
            self._plain = request.headers
            answer = await self._inner.get(request)
            if answer.status == 401:
                raise await self._refused(request, answer, "")
            return answer
        headers = self._headers(request)
        name = next((name for name in headers if name.lower() == "authorization"), "")
        credentials = Credentials.from_basic(headers.get(name, ""))
        if credentials is None:
            self._refuse_clear(request, headers.get(name, ""))
            answer = await self._send(request, headers)
            if answer.status == 401:
                raise await self._refused(request, answer, headers.get(name, ""))
            return answer
        del headers[name]
        return await self._get_as(request, headers, credentials)

    def _refuse_clear(self, request: TransportRequest, value: str) -> None:
        """Raise `HttpError` for a Basic header without name and password where only Digest may be told."""
        if self._options.auth is AuthPolicy.DIGEST and value.lower().startswith("basic "):
            text = "the Basic header that was given holds no name and password, and --auth digest allows no Basic"
            raise HttpError(Reason.UNAUTHORIZED, f"{_host_of(request.url)} was not asked: {text}")

    async def aclose(self) -> None:
        """Close all connections and write the cookies."""
        await self._inner.aclose()
        if self._options.cookies is not None:
            try:
                await asyncio.to_thread(self._options.cookies.save)
            except OSError as error:
                logger.warning("the cookies were not saved: %s", error.strerror)

    def _headers(self, request: TransportRequest) -> dict[str, str]:
        """Return the headers of a request with what belongs to its address alone."""
        options = self._options
        headers = {**request.headers, **options.identity.hop_headers(request.url, request.headers)}
        has_cookie = any(name.lower() == "cookie" for name in headers)
        if options.cookies is not None and not has_cookie and (value := options.cookies.header(request.url)):
            headers["Cookie"] = value
        return headers

    async def _send(self, request: TransportRequest, headers: dict[str, str]) -> TransportAnswer:
        answer = await self._inner.get(TransportRequest(request.url, headers))
        if self._options.cookies is not None:
            self._options.cookies.learn(request.url, all_values(answer.headers, "set-cookie"))
        return answer

    async def _get_as(
        self, request: TransportRequest, headers: dict[str, str], credentials: Credentials
    ) -> TransportAnswer:
        """Send it in the way that its origin wants; a challenge is answered with the same request."""
        place, is_private = _place_of(request.url)
        for _ in range(MOST_ANSWERS):
            async with _Probe(self._probes, place, credentials) as probe:
                proof = self._proof(request.url, credentials)
                if probe.is_needed(proof):
                    await probe.begin()
                    proof = self._proof(request.url, credentials)
                said = {"Authorization": proof.value} if proof.value else {}
                answer = await self._send(request, {**headers, **said})
                if answer.status != 401:
                    self._note_answered(place, credentials, proof, answer)
                    return answer
                challenges = parse_challenges(all_values(answer.headers, "www-authenticate"))
                if not self._memory.can_answer(place, credentials, challenges, proof, is_private=is_private):
                    raise await self._refused(request, answer, proof.value)
            await _drain(answer)
        raise await self._refused(request, answer, proof.value)

    def _proof(self, url: str, credentials: Credentials) -> Proof:
        place, is_private = _place_of(url)
        return self._memory.proof(place, credentials, request_target(url), is_private=is_private, method="GET")

    def _note_answered(self, place: str, credentials: Credentials, proof: Proof, answer: TransportAnswer) -> None:
        if not proof.value:
            self._memory.note_open(place, credentials)
        for value in all_values(answer.headers, "authentication-info"):
            told = parse_challenges([f"info {value}"])
            self._memory.renew(place, credentials, told[0].parameters.get("nextnonce", "") if told else "")

    async def _refused(self, request: TransportRequest, answer: TransportAnswer, sent: str) -> HttpError:
        """Return the error of a 401 that nothing of ours answers."""
        answer.close()
        challenges = parse_challenges(all_values(answer.headers, "www-authenticate"))
        text = refusal_text(_host_of(request.url), challenges, sent=sent, policy=self._options.auth)
        return HttpError(Reason.UNAUTHORIZED, text, status=401)


class _Probe:
    """Lets one request learn what an origin wants while others for it wait, so that not each of them is refused."""

    def __init__(
        self, probes: dict[tuple[str, Credentials], asyncio.Event], place: str, credentials: Credentials
    ) -> None:
        self._probes = probes
        self._key = (place, credentials)
        self._own: asyncio.Event | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._own is not None:
            self._own.set()
            del self._probes[self._key]

    def is_needed(self, proof: Proof) -> bool:
        """Whether nothing is known and nothing would be sent."""
        return not proof.value and not proof.is_known

    async def begin(self) -> None:
        """Be the one that asks; or wait until it was answered, well or not, and then ask with what it learned."""
        if (other := self._probes.get(self._key)) is not None:
            await other.wait()
        else:
            self._own = self._probes[self._key] = asyncio.Event()


async def _drain(answer: TransportAnswer) -> None:
    """Read the rest of a short answer, so that the next request can use its connection."""
    left = MOST_DRAINED_BYTES
    try:
        with suppress(TuiDlError, TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while left > 0 and (chunk := await answer.read(left)):
                    left -= len(chunk)
    finally:
        answer.close()


def _has_authorization(headers: Mapping[str, str]) -> bool:
    return any(name.lower() == "authorization" for name in headers)


def _place_of(url: str) -> tuple[str, bool]:
    """Return the origin in words, and whether nobody on the way there can read a request."""
    scheme, host, port = origin_of(url)
    return f"{scheme}://{host}:{port}", scheme == "https"


def _host_of(url: str) -> str:
    return origin_of(url)[1]
