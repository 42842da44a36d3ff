"""Requests of one source of a task: headers, what its host learns of them, and the verdict on each answer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl._version import __version__
from tui_dl.core.addresses import has_same_origin, host_of
from tui_dl.core.errors import HttpError, Reason, TuiDlError
from tui_dl.core.host_budget import MOST_GAP_S, Crowds
from tui_dl.core.http_rules import headers_for_redirect, parse_retry_after
from tui_dl.core.ranges import range_header
from tui_dl.core.resume import Asked, Judgement, judge, judge_extra
from tui_dl.core.task import Flag
from tui_dl.engine.certificate_answer import BAD_REQUEST, certificate_refusal
from tui_dl.engine.host_gate import AT_ONCE_S, HostGate
from tui_dl.engine.naming import expects_page
from tui_dl.engine.revalidating import NOT_MODIFIED, NotModified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tui_dl.core.host_budget import HostBudget
    from tui_dl.core.ports import TransportAnswer
    from tui_dl.engine.context import EngineContext
    from tui_dl.engine.live import LiveTask

PAUSING: Final = frozenset({429, 503})
"""Statuses by which a host asks everybody to wait."""
REFUSING: Final = frozenset({403, 429, 503})
"""Statuses by which a host refuses one connection more while others work."""
FORBIDDEN: Final = 403
TOO_MANY: Final = 429
WANTED_DIGESTS: Final = "sha-512=9, sha-256=10"
"""Preferences between digests of the file, where they are asked for (RFC 9530 §4)."""
DEFAULT_PAUSE_S: Final = 1.0
DOUBT_S: Final = 0.5
"""Shortest pause before a file is asked for again that was forbidden while others of its host were given."""
RE_ASK_WAIT_S: Final = MOST_GAP_S
"""So long a host is waited for in place by an attempt that has an answer of it already, and asks in another way."""


class Exchange:
    """An answer with its verdict; counts as an open connection of its host until closed."""

    def __init__(self, answer: TransportAnswer, budget: HostBudget, sent_at: float) -> None:
        self.answer = answer
        self.judgement: Judgement
        self.budget = budget
        """Of the host that gave the answer."""
        self.sent_at = sent_at
        """Monotonic instant at which it was asked for."""
        self._is_open = True
        self._is_working = False

    @property
    def answer_end(self) -> int | None:
        """One past the last byte that the answer promised, None where only its end tells."""
        return self.judgement.end

    def skip_to(self, start: int) -> None:
        """Note that the body was read up to this byte of the file."""
        self.judgement = replace(self.judgement, start=start)

    def accept(self) -> None:
        """Note that it is a good answer."""
        self._is_working = True
        self.budget.started_work()

    def close(self) -> None:
        """End it; safe to call twice."""
        if self._is_open:
            self._is_open = False
            self.budget.closed(was_working=self._is_working)
            self.answer.close()


class Asker:
    """Sends the requests of one attempt to one source: the task's own address, or another of the same file."""

    def __init__(self, context: EngineContext, live: LiveTask, url: str = "", early: HostGate | None = None) -> None:
        """`early`: who sent the first request already, and has its answer."""
        self._early = early
        self._context = context
        self._live = live
        self.url = url or live.task.url
        """Address of the source."""
        self.budget = context.budgets[host_of(self.url)]
        """Of the host that serves it: where the redirects led last, before that the address's own."""
        self._first_budget = self.budget
        self.sends_if_range = True
        """Whether the server understands `If-Range`; learned."""
        self.sends_range = not self.budget.refuses_ranges
        """Whether the server takes `Range` at all; learned."""
        self.final_url = ""
        """Address after redirects, for further connections of this attempt."""
        self._final_headers: Mapping[str, str] = {}
        self.total_bytes = live.task.total_bytes
        self.validator = live.task.validator

    async def ask(self, asked: Asked) -> Exchange:
        """Send a first request to the source's own address; return it judged. Raises `TuiDlError`."""
        exchange = await self._send(asked, is_extra=False)
        if exchange.answer.status == BAD_REQUEST:
            await self._look_for_certificate(exchange)
        return self._judged(exchange, asked, judge)

    async def ask_extra(self, start: int, end: int) -> Exchange:
        """Send a request for one more range while others may be at work; return it judged. Raises `TuiDlError`."""
        asked = self.asked(start, end, has_held=True)
        exchange = await self._send(asked, is_extra=True)
        return self._judged(exchange, asked, judge_extra)

    async def _look_for_certificate(self, exchange: Exchange) -> None:
        """Raise what a 400 says of our certificate: a reason of its own, and none to ask again without a range."""
        try:
            error = await certificate_refusal(exchange.answer, self.final_url)
        except BaseException:
            exchange.close()
            raise
        if error is not None:
            exchange.close()
            raise error

    def _judged(
        self,
        exchange: Exchange,
        asked: Asked,
        verdict_on: Callable[[Asked, int, Mapping[str, str]], Judgement],
    ) -> Exchange:
        """Judge an answer and learn from it; closes the exchange where the verdict ends the attempt."""
        if verdict_on is judge:
            self._doubt(exchange, asked)
            if exchange.answer.status == NOT_MODIFIED and self._live.conditions:
                exchange.accept()
                exchange.close()
                raise NotModified
        try:
            exchange.judgement = verdict_on(asked, exchange.answer.status, exchange.answer.headers)
        except TuiDlError as error:
            self._close_refused(exchange, error, is_known=asked.has_held)
            raise
        except BaseException:
            exchange.close()
            raise
        if exchange.answer.status < 300:
            exchange.accept()
            self._context.budgets.works(self._live.task.host)
            if self._live.is_doubted:
                self._live.is_doubted = False
                exchange.budget.learn_crowds(self._context.clock(), Crowds.REFUSED)
        return exchange

    def _doubt(self, exchange: Exchange, asked: Asked) -> None:
        """Raise `HOST_BUSY` for a 403 to a first request that may be meant for the number of connections."""
        budget = exchange.budget
        if exchange.answer.status != FORBIDDEN or not budget.is_of_the_crowd():
            return
        is_sure = asked.has_held or budget.crowds is Crowds.REFUSED
        budget.refused(self._context.clock(), pause_s=None, is_sure=is_sure)
        exchange.close()
        self._live.is_doubted = True
        text = "forbidden (403) while others of the host were given; tried again with fewer at once"
        raise HttpError(Reason.HOST_BUSY, text, status=FORBIDDEN, is_retryable=True, retry_after_s=DOUBT_S)

    def remember_no_ranges(self) -> None:
        """Note that the host refuses ranges altogether; the one that leads there is then asked without, too."""
        now = self._context.clock()
        self.budget.learn_no_ranges(now)
        self._first_budget.learn_no_ranges(now)

    def asked(self, start: int, end: int | None, *, has_held: bool) -> Asked:
        """Describe a request under what was learned so far."""
        can_condition = has_held and self.sends_if_range and self.validator.if_range_value() is not None
        return Asked(
            start=start if self.sends_range else 0,
            end=end if self.sends_range else None,
            has_range=self.sends_range,
            has_if_range=can_condition and self.sends_range,
            has_held=has_held,
            total_bytes=self.total_bytes if has_held else None,
            validator=self.validator,
            expects_page=expects_page(self._live.task.filename),
        )

    async def _send(self, asked: Asked, *, is_extra: bool) -> Exchange:
        context, live = self._context, self._live
        url, headers = self.url, self._headers(asked)
        if is_extra and self.final_url:
            url, headers = self.final_url, {**self._final_headers, **self._conditions(asked)}
        patience_s = RE_ASK_WAIT_S if self.final_url else AT_ONCE_S
        gate, self._early = self._early, None
        gate = gate or HostGate(context, live, is_extra=is_extra, patience_s=patience_s)
        try:
            answer, final_url, sent, budget = await gate.follow(url, headers)
        except TuiDlError as error:
            live.note(f"GET {headers.get('Range', 'all')}: {error}")
            raise
        self.budget = budget
        if answer.status not in REFUSING:
            gate.note_answered(budget)
        context.last_answer_at = context.clock()
        if context.settings.insecure and (url.startswith("https:") or final_url.startswith("https:")):
            live.change(flags=live.task.flags | {Flag.INSECURE})
        if not is_extra:
            self.final_url, self._final_headers = final_url, _without_conditions(sent)
            live.answer_headers = answer.headers
        live.note_later(partial(line_of, headers, answer))
        return Exchange(answer, budget, gate.sent_at)

    def _headers(self, asked: Asked) -> dict[str, str]:
        settings, task = self._context.settings, self._live.task
        given = dict(task.options.headers)
        headers = asking_headers(settings.user_agent, task.options.headers)
        if settings.verify != "off":
            headers["Want-Repr-Digest"] = WANTED_DIGESTS
        if not has_same_origin(task.url, self.url):
            # What was given is for the address that was named; another source is somebody else.
            headers = headers_for_redirect(headers, task.url, self.url)
        elif not task.options.is_named_elsewhere:
            headers.update(self._context.identity.first_headers(self.url, given))
        headers.update(self._conditions(asked))
        if self._live.conditions and self.url == task.url:
            headers = {**self._live.conditions, **headers}
        return headers

    def _conditions(self, asked: Asked) -> dict[str, str]:
        conditions = {}
        if asked.has_range:
            conditions["Range"] = range_header(asked.start, asked.end)
        if asked.has_if_range:
            conditions["If-Range"] = self.validator.if_range_value() or ""
        return conditions

    def _close_refused(self, exchange: Exchange, error: TuiDlError, *, is_known: bool) -> None:
        """Close an answer that is an error; a 403 for a file that was given before is a refusal of the connection."""
        answer, context = exchange.answer, self._context
        now = context.clock()
        if isinstance(error, HttpError) and error.is_retryable:
            error.retry_after_s = parse_retry_after(
                answer.headers.get("Retry-After"),
                answer.headers.get("Date"),
                now=context.wall_clock(),
                max_s=context.settings.max_retry_after,
            )
        budget = exchange.budget
        is_refusal = answer.status in PAUSING or (is_known and answer.status in REFUSING)
        if is_refusal and budget.open_connections > 1:
            budget.refused(now, pause_s=None)
            error.is_retryable = True
        elif answer.status == FORBIDDEN and self._live.is_doubted:
            self._live.is_doubted = False
            budget.learn_crowds(now, Crowds.BORNE)
        if answer.status in PAUSING:
            pause_s = error.retry_after_s if error.retry_after_s is not None else DEFAULT_PAUSE_S
            # A 503 that names no time may be the fault of one address: the pace of the others is not held against it.
            is_of_pace = answer.status == TOO_MANY or error.retry_after_s is not None
            budget.pause(now, pause_s, sent_at=exchange.sent_at if is_of_pace else None)
        exchange.close()


def _without_conditions(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("Range", "If-Range")}


def asking_headers(user_agent: str, given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers that every first request has, those that were given for the task among them."""
    own = {"User-Agent": user_agent or f"tui-dl/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
    named = dict(given)
    names = {name.lower() for name in named}
    return {name: value for name, value in own.items() if name.lower() not in names} | named


def line_of(headers: Mapping[str, str], answer: TransportAnswer) -> str:
    """Return what the log says of an answer."""
    wanted = headers.get("Range", "all")
    facts = [
        f"{name} {answer.headers[name]}" for name in ("Content-Range", "ETag", "Retry-After") if name in answer.headers
    ]
    return f"GET {wanted}: {answer.status}" + "".join(f", {fact}" for fact in facts)
