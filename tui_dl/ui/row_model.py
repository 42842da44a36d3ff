"""The rows behind the table: an array of ids, the records fetched so far, live progress laid over them."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final

from tui_dl.ui.columns import LiveSort
from tui_dl.ui.row import Row
from tui_dl.ui.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tui_dl.core.task import DownloadProgress, DownloadTask

PAGE_ROWS: Final = 128
"""Rows fetched at once."""
MOST_RECORDS: Final = 16 * PAGE_ROWS
"""Records kept; the ones not looked at for longest go first."""
NEAR_ROWS: Final = 2_000
"""How far around its old place a row is looked for when the view changed."""


class RowModel:
    """What the table shows, without knowing how it is drawn or fetched.

    Nothing here takes time that grows with the number of rows, except `place_of()` with `is_far` and
    `sort_live()`, which happen when a view changes, never for a frame.
    """

    def __init__(self) -> None:
        self._ids = array("q")
        self._records: OrderedDict[int, tuple[int, DownloadTask | None]] = OrderedDict()
        self._epoch = 0
        self._head: tuple[int, ...] = ()
        self._skipped: list[int] = []
        self._live: Mapping[int, DownloadProgress] = {}
        self.numbers: Mapping[int, DownloadProgress] = {}
        """Progress whose numbers are shown, by id."""
        self.selection = Selection()

    @property
    def live(self) -> Mapping[int, DownloadProgress]:
        """Newest progress, by id."""
        return self._live

    @live.setter
    def live(self, live: Mapping[int, DownloadProgress]) -> None:
        # A row that has just ended is shown as it was until its record comes, so that it does not blink.
        for task_id in self._live.keys() - live.keys():
            if task_id not in self._records:
                self._records[task_id] = (-1, self._live[task_id].task)
        self._live = live

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def id_at(self, index: int) -> int:
        """Return the id of a shown row; IndexError beyond the end."""
        if not self._head:
            return self._ids[index]
        if index < len(self._head):
            return self._head[index]
        place = index - len(self._head)
        return self._ids[place + bisect_right(self._skipped, place)]

    def ids_between(self, first: int, last: int) -> array[int]:
        """Return the ids of the rows from `first` to `last`, both included and clamped."""
        first, last = max(0, first), min(last, len(self) - 1)
        shown = array("q", self._head[first : last + 1])
        start, end = max(0, first - len(self._head)), last - len(self._head)
        if end < start:
            return shown
        # Slices: a million rows one by one would hold up the screen for a fifth of a second.
        at, stop = (place + bisect_right(self._skipped, place) for place in (start, end))
        for index, gap in enumerate(self._skipped):
            if at <= gap + index <= stop:
                shown += self._ids[at : gap + index]
                at = gap + index + 1
        return shown + self._ids[at : stop + 1]

    def row(self, index: int) -> Row | None:
        """Return a shown row, None while its record has not been fetched."""
        if not 0 <= index < len(self):
            return None
        return self.row_of(self.id_at(index))

    def row_of(self, task_id: int) -> Row | None:
        """Return a row by id, None where neither the engine nor the cache holds it."""
        progress = self.live.get(task_id)
        if progress is not None:
            return Row(progress.task, progress, self.numbers.get(task_id, progress))
        _epoch, task = self._records.get(task_id, (0, None))
        return None if task is None else Row(task)

    def hosts(self) -> list[str]:
        """Return the hosts of the records held, the most usual first."""
        tasks = [task for _epoch, task in self._records.values() if task is not None]
        tasks += [progress.task for progress in self._live.values()]
        return [host for host, _number in Counter(task.host for task in tasks if task.host).most_common()]

    def replace(self, ids: array[int]) -> None:
        """Show another view; records stay on the screen until newer ones come."""
        self._ids = ids
        self._epoch += 1
        self._head, self._skipped = (), []

    def renew(self) -> None:
        """Have all records fetched anew that are looked at; they stay on the screen until then."""
        self._epoch += 1

    def missing(self, first: int, last: int) -> list[int]:
        """Return ids to fetch so that rows `first` to `last` are shown as of this view, page-wise; often empty."""
        if not any(self._is_stale(task_id) for task_id in self.ids_between(first, last)):
            return []
        low = first // PAGE_ROWS * PAGE_ROWS
        high = (last // PAGE_ROWS + 1) * PAGE_ROWS - 1
        return [task_id for task_id in self.ids_between(low, high) if self._is_stale(task_id)]

    def _is_stale(self, task_id: int) -> bool:
        epoch, _task = self._records.get(task_id, (-1, None))
        return epoch != self._epoch and task_id not in self.live

    @property
    def epoch(self) -> int:
        """Number of the view: what is asked for now is as new as that one."""
        return self._epoch

    def put(self, asked: Iterable[int], rows: Sequence[DownloadTask], epoch: int | None = None) -> None:
        """Take over records fetched in `epoch` (None: the present one); what was asked for and did not come is gone."""
        found = {task.id: task for task in rows}
        for task_id in asked:
            self._keep(task_id, found.get(task_id), self._epoch if epoch is None else epoch)

    def take(self, task: DownloadTask) -> None:
        """Take over the record that came with an event, if the row was looked at."""
        if task.id in self._records or task.id in self._live:
            epoch, _old = self._records.get(task.id, (-1, None))
            self._records[task.id] = (epoch, task)

    def _keep(self, task_id: int, task: DownloadTask | None, epoch: int) -> None:
        self._records[task_id] = (epoch, task)
        self._records.move_to_end(task_id)
        while len(self._records) > MOST_RECORDS:
            self._records.popitem(last=False)

    def place_of(self, task_id: int, near: int, *, is_far: bool) -> int | None:
        """Return where a row stands now, looked for around `near`, and everywhere only if `is_far`."""
        for index in range(max(0, near - NEAR_ROWS), min(len(self), near + NEAR_ROWS)):
            if self.id_at(index) == task_id:
                return index
        if not is_far or self._head:
            return None
        try:
            return self._ids.index(task_id)
        except ValueError:
            return None

    def sort_live(self, sort: LiveSort, *, is_descending: bool, live_places: Sequence[int]) -> None:
        """Put live rows first, in order of their numbers; `live_places` are their indices in the view, ascending."""
        live_ids = [self._ids[place] for place in live_places]
        live_ids.sort(key=lambda task_id: _live_key(self.live.get(task_id), sort), reverse=is_descending)
        self._head = tuple(live_ids)
        self._skipped = [place - index for index, place in enumerate(live_places)]


def _live_key(progress: DownloadProgress | None, sort: LiveSort) -> float:
    if progress is None:
        return 0.0
    if sort is LiveSort.SPEED:
        return progress.speed_bps
    if sort is LiveSort.PERCENT:
        return progress.percentage or 0.0
    if sort is LiveSort.CONNECTIONS:
        return progress.connections
    return progress.eta_s if progress.eta_s is not None else float("inf")
