"""Tests of bytes and resuming once more, over HTTP/2."""

from __future__ import annotations

import pytest

pytest.importorskip("curl_cffi", reason="the extra `http2` is not installed")

from tests.engine import test_bytes, test_refusing, test_resume
from tests.engine.over_http2 import chosen, fault_server, over_http2, server, settings

__all__ = ["fault_server", "over_http2", "server", "settings"]

globals().update(
    chosen(
        test_bytes,
        "test_a_file_arrives_as_it_was_served",
        "test_chunked_is_proven_by_its_last_chunk",
        "test_a_cut_chunked_body_is_never_success",
        "test_a_server_that_ignores_range_is_read_to_the_end",
        "test_a_206_shorter_than_asked_is_kept_and_its_rest_requested",
        "test_gzip_though_identity_was_asked_is_decoded",
        "test_an_answer_that_is_cut_before_its_head_is_asked_again",
        "test_a_server_that_never_answers_is_given_up",
        "test_a_stalled_connection_is_replaced",
        "test_drops_after_every_few_bytes_still_finish",
    )
)
globals().update(
    chosen(
        test_resume,
        "test_an_unchanged_file_goes_on_where_it_stopped",
        "test_a_changed_file_is_never_mixed",
        "test_a_rotating_etag_ends_with_one_version",
        "test_416_though_incomplete_never_completes_it",
        "test_a_lying_rest_never_makes_a_wrong_file",
        "test_a_change_between_two_requests_of_one_run_starts_over",
    )
)
globals().update(
    chosen(
        test_refusing,
        "test_it_is_left_out_before_its_body",
        "test_without_a_length_it_comes_until_it_is_too_much",
    )
)
