"""`tui-dl ytdlp --queue`: a command line of yt-dlp's, handed to the background session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_dl.cli.exits import DONE
from tui_dl.core.errors import UsageError
from tui_dl.core.media_rules import AS_MEDIA
from tui_dl.core.task import TaskOptions
from tui_dl.core.wire_wishes import wish_json
from tui_dl.disk.locations import find_locations

if TYPE_CHECKING:
    from collections.abc import Sequence


def hand_over(arguments: Sequence[str]) -> int:
    """Add the addresses of a command line, each with its options; say which rows they are."""
    from tui_dl.cli.add import words_of  # noqa: PLC0415  # yt-dlp is loaded for this alone
    from tui_dl.cli.controlling import reach_session  # noqa: PLC0415  # as above
    from tui_dl.cli.listed import new_task  # noqa: PLC0415  # as above
    from tui_dl.cli.session_adding import SessionQueue  # noqa: PLC0415  # as above
    from tui_dl.core.url_list import check_url  # noqa: PLC0415  # as above
    from tui_dl.media.options import split_addresses  # noqa: PLC0415  # as above
    from tui_dl.session.protocol import proxy_environment  # noqa: PLC0415  # as above

    options, urls = split_addresses(arguments)
    if not urls:
        raise UsageError("--queue hands addresses over, and none is given")
    wanted = TaskOptions(as_kind=AS_MEDIA, yt_dlp=options, has_config=True)
    news = [new_task(check_url(url, is_typed=True), str(Path.cwd()), "", wanted) for url in urls]
    caller = reach_session(find_locations(os.environ), starts=True, verbose=0, proxies=proxy_environment(os.environ))
    assert caller is not None
    with caller:
        queue = SessionQueue(caller)
        queue.put([wish_json(one) for one in news], "")
    click.echo(words_of(queue, 0), err=True)
    return DONE
