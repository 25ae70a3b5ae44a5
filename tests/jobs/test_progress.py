"""Stages, rate and time left."""

from __future__ import annotations

from jobs.core.progress import MOST_SAMPLES, Progress, ended


def statuses(progress: Progress) -> dict[str, str]:
    return {stage.name: stage.status for stage in progress.stages}


def test_rate_and_time_left():
    progress = Progress()
    progress.report("read", 0, 1000, "rows", 0.0)
    assert (progress.rate, progress.eta_seconds) == (None, None)
    progress.report("read", 200, 1000, "rows", 2.0)
    assert (progress.rate, progress.eta_seconds) == (100, 8)


def test_rate_is_of_the_last_seconds_only():
    progress = Progress()
    for second in range(20):
        progress.report("read", second * (10 if second < 10 else 0) + 1000, None, "rows", second)
    assert progress.rate == 0


def test_stages_with_totals_take_turns():
    progress = Progress()
    progress.report("transform", 10, 100, "rows", 1)
    progress.report("write", 5, 100, "rows", 2)
    assert statuses(progress) == {"transform": "running", "write": "running"}
    progress.report("transform", 100, 100, "rows", 3)
    assert statuses(progress) == {"transform": "done", "write": "running"}


def test_stage_without_total_is_done_when_another_begins():
    progress = Progress()
    progress.report("read", 10, None, "rows", 1)
    assert progress.report("map", 1, 2, "columns", 2)
    assert statuses(progress) == {"read": "done", "map": "running"}
    assert not progress.report("map", 1, 2, "columns", 3)


def test_long_jobs_keep_their_whole_course():
    progress = Progress()
    for second in range(5000):
        progress.report("read", second * 7, None, "rows", second)
        progress.sample(second)
    assert MOST_SAMPLES / 2 <= len(progress.samples) <= MOST_SAMPLES
    assert progress.samples[0][0] < 100
    assert progress.samples[-1][0] > 4800


def test_what_ran_is_closed_and_what_ended_stays():
    stages = [{"name": "read", "status": "done"}, {"name": "map", "status": "running"}]
    assert [stage["status"] for stage in ended(stages, "stopped")] == ["done", "stopped"]
