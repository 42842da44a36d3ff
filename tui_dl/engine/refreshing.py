"""Refreshing a link: a task gets another address, and what it holds stays until the new one was shown to fit or not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tui_dl.core.addresses import shown_url, split_userinfo
from tui_dl.core.commands import CommandOutcome
from tui_dl.core.errors import UsageError
from tui_dl.core.events import EventKind, LogLine
from tui_dl.core.http_rules import headers_for_redirect
from tui_dl.core.status import FINISHED, Status, Trigger
from tui_dl.core.url_list import check_url
from tui_dl.journal.readdressing import AddressChange, Readdressed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_dl.core.commands import Command
    from tui_dl.core.task import DownloadTask, TaskOptions
    from tui_dl.engine.engine import AsyncDownloadEngine

GONE: Final = "the download is no longer in the queue"


async def refresh(engine: AsyncDownloadEngine, command: Command) -> CommandOutcome:
    """Carry out `CommandName.REFRESH`. Raises `UsageError` for arguments that cannot be meant."""
    if len(command.ids) != 1:
        raise UsageError("one download at a time can be given another address")
    given = command.arguments.get("headers")
    headers = None if given is None else tuple((str(name), str(value)) for name, value in given)
    url, headers = checked_address(str(command.arguments.get("url") or ""), headers)
    (task_id,) = command.ids
    with engine.scheduler.barring(frozenset(command.ids)):
        rows = await engine.rows(command.ids)
        if not rows:
            return refused(GONE)
        if rows[0].status is not Status.PAUSED:
            await engine.scheduler.stop(frozenset(command.ids), Trigger.REQUEUE)
        # Its last records must not come after the change.
        await engine.context.journal.flush()
        options_of = partial(options_for, url=url, headers=headers)
        done = await engine.context.journal.readdress(AddressChange(task_id, url, options_of, takes_over=True))
    if done.before is not None and done.after is not None:
        _tell(engine, done.before, done.after)
    return outcome_of(done, has_own_headers=headers is not None)


def checked_address(
    url: str, headers: tuple[tuple[str, str], ...] | None
) -> tuple[str, tuple[tuple[str, str], ...] | None]:
    """Return an address without its user info, which becomes one of the headers. Raises `UsageError`."""
    bare, authorization = split_userinfo(check_url(url, is_typed=True), is_typed=True)
    return bare, _with_authorization(headers or (), authorization) if authorization else headers


def _tell(engine: AsyncDownloadEngine, before: DownloadTask, after: DownloadTask) -> None:
    line = LogLine(engine.context.wall_clock(), f"another address was given: {shown_url(after.url)}")
    engine.context.journal.log(after.id, line)
    if before.status in FINISHED:
        engine.ledger.tally.uncount(before)
        engine.ledger.tell(EventKind.RETRYING, after)
    else:
        engine.ledger.changes += 1


def options_for(task: DownloadTask, url: str, headers: Sequence[tuple[str, str]] | None) -> TaskOptions:
    """Return a task's options under another address.

    Headers that were given replace those that it had; else these stay, but for another origin only what a redirect
    would take there: cookies and credentials never leave the host that they were given for.
    """
    kept = tuple(headers_for_redirect(dict(task.options.headers), task.url, url).items())
    return replace(
        task.options,
        headers=kept if headers is None else tuple(headers),
        restarts=False,
        # Of a mirror's version the mirror stays the measure.
        has_new_address=bool(task.part_path) and not task.options.version_url,
    )


def outcome_of(done: Readdressed, *, has_own_headers: bool) -> CommandOutcome:
    """Return what is said of a change of address: done, or what stood against it."""
    if done.before is None:
        return refused(GONE)
    if done.after is None:
        return refused(_why_not(done, done.before))
    words = ["Address changed"]
    if done.after.part_path:
        words.append("what has arrived is compared with it")
    lost = 0 if has_own_headers else len(dict(done.before.options.headers)) - len(done.after.options.headers)
    if lost:
        words.append(f"{lost} header{'s' if lost > 1 else ''} of the other host left out")
    if done.after.status is Status.PAUSED:
        words.append("still paused")
    return CommandOutcome(1, (done.after.id,), "; ".join(words))


def _why_not(done: Readdressed, task: DownloadTask) -> str:
    if done.holder:
        return f"{task.filename} is run by another tui-dl ({done.holder}); refresh it there, or end that one"
    if done.same is not None:
        same = f"{done.same.filename} ({done.same.status}), {shown_url(done.same.url)}"
        return f"this address is in the queue already: {same}"
    return f"{task.filename} is {task.status}; add the new address as a download of its own"


def refused(message: str) -> CommandOutcome:
    """Return that nothing was done, and why."""
    return CommandOutcome(message=message, is_refused=True)


def _with_authorization(headers: Sequence[tuple[str, str]], value: str) -> tuple[tuple[str, str], ...]:
    if any(name.lower() == "authorization" for name, _ in headers):
        return tuple(headers)
    return (*headers, ("Authorization", value))
