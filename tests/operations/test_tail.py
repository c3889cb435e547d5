"""What `sessions tail` prints of a line of the functions' logs. A few lines of Python play the feed."""
import json

import pytest
from verdict.reads import tail

LINE = {"at": "2026-06-13T00:38:31.123Z", "provider": "veriff", "path": "/veriff/decisions", "outcome": "recorded", "ms": 41,
        "reason": None, "session": "veriff/1", "requestId": "r", "function": "veriff-decisions"}
PUT_OFF = {**LINE, "path": "intake", "outcome": "failed", "reason": "table", "function": "replay"}
REFUSED = {**LINE, "outcome": "refused", "reason": "signature_mismatch", "session": None}


@pytest.fixture
def run(monkeypatch, verdict):
    def run(*arguments, lines=(LINE, REFUSED, PUT_OFF)):
        monkeypatch.setattr(tail.asking, "stack", lambda *_: None)
        monkeypatch.setattr(tail, "found", lambda *_: iter(lines))
        return verdict("sessions", "tail", *arguments)

    return run


def test_a_line_says_when_of_which_provider_by_which_path_what_became_of_it_and_why(run):
    done = run()
    headings, *lines = done.output.splitlines()
    assert (done.status, done.error, headings.split()) == (0, "", ["AT", "PROVIDER", "PATH", "OUTCOME", "MS", "SESSION"])
    assert [line.split() for line in lines[:2]] == [
        ["2026-06-13T00:38:31.123Z", "veriff", "/veriff/decisions", "recorded", "41", "veriff/1"],
        ["2026-06-13T00:38:31.123Z", "veriff", "/veriff/decisions", "refused", "(signature_mismatch)", "41", "-"]]
    assert {line.index("veriff") for line in lines} == {headings.index("PROVIDER")}
    assert all(line[headings.index("OUTCOME") - 1:].startswith((" recorded", " refused", " put off")) for line in lines)


def test_what_replay_could_not_record_is_put_off_and_no_failure(run):
    [line] = run(lines=[PUT_OFF]).output.splitlines()[1:]
    assert "  intake  " in line and "  put off (table)  " in line and "failed" not in line


def test_another_functions_failure_is_one(run):
    [line] = run(lines=[{**PUT_OFF, "path": "poll", "function": "incode-poller"}]).output.splitlines()[1:]
    assert "  failed (table)  " in line


def test_json_has_the_words_of_the_log_and_no_headings(run):
    assert list(map(json.loads, run("--json").output.splitlines())) == [LINE, REFUSED, PUT_OFF]


def test_no_terminal_acts_on_a_session_and_what_is_not_known_is_a_dash(run):
    [line] = run(lines=[{**LINE, "session": "veriff/\x1b[2J", "ms": None, "provider": None}]).output.splitlines()[1:]
    assert line.endswith("      -  veriff/\\x1b[2J") and line.split()[1] == "-"
