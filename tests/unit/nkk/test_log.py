import io
import json
import logging

import pytest
import structlog

from nkk import log

SECRET = "Rahasia-Pelapor"


@pytest.fixture
def logged():
    """The lines that this process has logged, parsed. Logging is restored afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    floors = {name: logging.getLogger(name).level for name in log._QUIET}
    log.configure()
    ours, stream = root.handlers[0], io.StringIO()
    ours.setStream(stream)
    # The test runner listens on the root logger too, and keeps the list it found.
    root.handlers = handlers
    root.addHandler(ours)
    log.begin_context()
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(ours)
    root.setLevel(level)
    for name, floor in floors.items():
        logging.getLogger(name).setLevel(floor)
    structlog.reset_defaults()
    log.begin_context()


def fail():
    try:
        raise KeyError(SECRET)
    except KeyError as cause:
        raise ValueError(f"bad text: {SECRET}") from cause


def test_a_line_is_one_json_object_with_its_ids(logged):
    log.begin_context(correlation_id="request-1", event_id=None)
    log.get_logger().info("event handled", ticket="t")
    (line,) = logged()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "event handled", "level": "info", "ticket": "t", "correlation_id": "request-1"}


def test_an_exceptions_message_never_appears(logged):
    try:
        fail()
    except ValueError as error:
        log.get_logger().exception("failed")
        log.get_logger().error("failed", exc_info=error)
        log.get_logger().error("failed", exc_info=(type(error), error, error.__traceback__))
    lines = logged()
    assert len(lines) == 3
    assert SECRET not in json.dumps(lines)
    for line in lines:
        assert line["error"] == "ValueError"
        assert line["at"][-1].startswith("fail test_log.py:")


def test_an_exceptions_message_never_appears_from_standard_logging_either(logged):
    try:
        fail()
    except ValueError as error:
        error.add_note(SECRET)
        logging.getLogger("somewhere").exception("failed")
    (line,) = logged()
    assert SECRET not in json.dumps(line)
    assert (line["event"], line["level"], line["error"]) == ("failed", "error", "ValueError")


def test_a_group_of_exceptions_is_logged_without_what_they_say(logged):
    try:
        raise ExceptionGroup(SECRET, [ValueError(SECRET)])
    except ExceptionGroup:
        log.get_logger().exception("failed")
    (line,) = logged()
    assert line["error"] == "ExceptionGroup"
    assert SECRET not in json.dumps(line)


def test_an_exception_outside_of_any_handler_is_no_error(logged):
    log.get_logger().error("failed", exc_info=True)
    (line,) = logged()
    assert "error" not in line


def test_only_the_nearest_frames_are_logged(logged):
    def down(depth):
        if depth == 0:
            raise ValueError(SECRET)
        down(depth - 1)

    try:
        down(40)
    except ValueError:
        log.get_logger().exception("failed")
    assert len(logged()[0]["at"]) == 12


def test_what_nameko_says_of_a_failing_worker_is_left_to_us(logged):
    logging.getLogger("nameko.containers").error("error handling worker: %s", SECRET)
    assert logged() == []


def test_a_context_begins_without_the_ids_of_the_one_before():
    log.begin_context(correlation_id="request-1")
    assert log.correlation_id() == "request-1"
    log.begin_context(event_id="event-2")
    assert log.correlation_id() is None
