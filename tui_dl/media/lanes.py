"""Lanes: threads that download one video each, from its choice of formats to its last post-processor."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from tui_dl.media.job import Cancelled, Job
from tui_dl.media.lane_youtube_dl import LaneYoutubeDL

if TYPE_CHECKING:
    from tui_dl.media.planning import PlanningYoutubeDL

POLL_S: Final = 0.1
LEAVE_S: Final = 2.0
"""How long lanes may take to end once nothing is wanted any more; what then still hangs ends with the process."""


class Lanes:
    """All lanes of one planner."""

    def __init__(self, planner: PlanningYoutubeDL, most: int) -> None:
        self._planner, self._most = planner, most
        self._lanes: list[Lane] = []
        self._jobs: list[Job] = []
        self._failure: BaseException | None = None

    @property
    def is_busy(self) -> bool:
        """Whether any video is in hand."""
        return any(not job.done.is_set() for job in self._jobs)

    def submit(self, info: dict[str, Any]) -> dict[str, Any]:
        """Give a video to a lane as soon as one is free, and return when it is decided what becomes of it.

        Raises what its decision raises, and what ended the run meanwhile.
        """
        lane = self._free_lane()
        self._raise_failure()
        job = Job(info)
        self._jobs.append(job)
        lane.begin(job)
        planner = self._planner
        while not job.decided.wait(POLL_S):
            continue
        if job.done.is_set():
            self._settle(job)
            self._raise_failure()
        planner._num_downloads = max(planner._num_downloads, job.number)
        planner._num_videos = max(planner._num_videos, job.videos)
        if planner._num_downloads >= float(planner.params.get("max_downloads") or "inf"):
            # The last one that may be begun: what follows is not even looked at.
            self.drain()
        return job.result

    def drain(self, *, is_ending: bool = False) -> None:
        """Wait for all videos in hand; raise what ended one of them, unless something else ends the run already."""
        for job in list(self._jobs):
            while not job.done.wait(POLL_S):
                continue
            self._settle(job)
        if not is_ending:
            self._raise_failure()

    def cancel(self) -> None:
        """Want nothing any more, and wait a little for the ends."""
        until = time.monotonic() + LEAVE_S
        for job in self._jobs:
            job.cancel()
        self._planner.manager.children.kill_all()
        for job in self._jobs:
            job.done.wait(max(0.0, until - time.monotonic()))

    def close(self) -> None:
        """End the threads."""
        if self.is_busy:
            self.cancel()
        for lane in self._lanes:
            lane.end()
        for lane in self._lanes:
            lane.thread.join(LEAVE_S)
        self._lanes.clear()

    # -- within --------------------------------------------------------------------------------------------------------

    def _free_lane(self) -> Lane:
        while True:
            for job in [job for job in self._jobs if job.done.is_set()]:
                self._settle(job)
            lane = next((one for one in self._lanes if one.is_free), None)
            if lane is None and len(self._lanes) < self._most:
                lane = Lane(self._planner, len(self._lanes))
                self._lanes.append(lane)
            if lane is not None:
                return lane
            self._jobs[0].done.wait(POLL_S)

    def _settle(self, job: Job) -> None:
        """Take over what a job that is done leaves."""
        if job not in self._jobs:
            return
        self._jobs.remove(job)
        if job.has_failed:
            self._planner._download_retcode = 1
        if job.error is not None and self._failure is None:
            self._failure = job.error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


class Lane:
    """One thread with one long-lived `YoutubeDL`."""

    def __init__(self, planner: PlanningYoutubeDL, number: int) -> None:
        self._planner, self._number = planner, number
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._job: Job | None = None
        self.thread = threading.Thread(target=self._work, name=f"tui-dl-lane-{number}", daemon=True)
        """Where it works; ends with the process at the latest."""
        self.thread.start()

    @property
    def is_free(self) -> bool:
        """Whether it could begin a video now."""
        return self._job is None or self._job.done.is_set()

    def begin(self, job: Job) -> None:
        """Download a video."""
        self._job = job
        self._jobs.put(job)

    def end(self) -> None:
        """End the thread after what it does now."""
        self._jobs.put(None)

    def _work(self) -> None:
        ydl: LaneYoutubeDL | None = None
        while (job := self._jobs.get()) is not None:
            try:
                if ydl is None:
                    ydl = LaneYoutubeDL(self._planner, self._number)
                ydl.work_on(job)
            except Cancelled:
                job.has_failed = True
            except BaseException as error:  # noqa: BLE001  # whatever it is, the planner raises it
                job.error = error
            finally:
                self._planner.manager.names.release(job)
                self._planner.forget(job)
                job.done.set()
                job.decided.set()
