"""The one manner of writes: shown first, done for a reason, on record. And Ctrl-C: what belongs together stays together."""
import contextlib
import io
import json
import os
import signal
import threading
from typing import Any

import click
import pytest
from verdict import audit, command_line
from verdict.interruption import Interrupted, ending, pause, whole
from verdict.problem import Problem
from verdict.progress import bar


class Stack:
    """A stack whose operator is a user."""

    name = "verdict"

    def operator(self):
        return self

    def client(self, service):
        return self

    def get_caller_identity(self):
        return {"Arn": "arn:aws:iam::123456789012:user/operator"}


STACK: Any = Stack()


def test_each_line_is_in_the_file_before_the_next_thing_is_done_and_none_before_it_is_lost(tmp_path):
    file = tmp_path / "audit.jsonl"
    file.write_text('{"at":"before"}\n')
    with audit.Log.opened(file, STACK) as log:
        log.add("redrive", "https://sqs/quarantine", "a test", "moved", messages=3)
        before, line = map(json.loads, file.read_text("utf-8").splitlines())
    assert before == {"at": "before"} and line.pop("at").endswith("Z")
    assert line == {"who": "arn:aws:iam::123456789012:user/operator", "stack": "verdict", "what": "redrive",
                    "which": "https://sqs/quarantine", "reason": "a test", "result": "moved", "messages": 3}


def test_a_file_that_cannot_be_written_is_told_before_anything_is_done(tmp_path):
    with pytest.raises(Problem, match="give another file with --audit"), audit.Log.opened(tmp_path / "no" / "file", STACK):
        pytest.fail("it was opened")


@click.command()
@audit.asked_for
def written(write):
    click.echo(f"{write.is_applied} {write.reason} {write.path}")


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command that writes."""
    monkeypatch.setitem(command_line.verdict.commands, "written", written)

    def run(*arguments):
        status = command_line.main(["written", *arguments])
        return (status, *capsys.readouterr())

    return run


def test_nothing_is_applied_unless_that_is_said(run, monkeypatch):
    assert run()[1] == "False None audit.jsonl\n"
    assert run("--apply", "--reason", "a test", "--audit", "other")[1] == "True a test other\n"
    monkeypatch.setenv("APPLY", "0")
    monkeypatch.setenv("REASON", "because")
    assert run()[1] == "False because audit.jsonl\n"
    monkeypatch.setenv("APPLY", "1")
    assert run()[1] == "True because audit.jsonl\n"


@pytest.mark.parametrize("reason", [None, "", "jane@example.com", "a\nb", "x" * 81])
def test_without_a_plain_reason_nothing_is_applied(run, reason):
    status, output, error = run("--apply", *([] if reason is None else ["--reason", reason]))
    assert (status, output, error.count("\n")) == (2, "", 1)
    assert "at most 80 letters, digits, spaces" in error and "nothing about a person" in error


def test_what_is_done_to_a_whole_stack_is_noted_before_and_after_if_there_is_a_reason(tmp_path):
    def noted(reason, file):
        return audit.Write(False, reason, tmp_path / file).noted(STACK, "the caller", "rollback", "to the release before")

    def lines(file):
        return [json.loads(line) for line in (tmp_path / file).read_text("utf-8").splitlines()]

    with noted(None, "none"):
        pass
    assert not (tmp_path / "none").exists()
    with noted("a test", "file"):
        assert [line["result"] for line in lines("file")] == ["started"]
    assert [(line["who"], line["what"], line["which"], line["result"]) for line in lines("file")] == [
        ("the caller", "rollback", "verdict", result) for result in ("started", "to the release before")]
    with pytest.raises(Problem), noted("a test", "failed"):
        raise Problem("it wasn't done")
    assert [line["result"] for line in lines("failed")] == ["started", "failed"]
    # AWS may go on with it.
    with pytest.raises(KeyboardInterrupt), noted("a test", "interrupted"):
        raise KeyboardInterrupt
    assert [line["result"] for line in lines("interrupted")] == ["started"]


# ---- Ctrl-C ----

@pytest.fixture
def interruptible(monkeypatch):
    """Signals end the command, as `main` has them do."""
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_end_within_what_belongs_together_comes_after_it(interruptible, ending):
    done = []
    with pytest.raises(KeyboardInterrupt):
        with whole():
            os.kill(os.getpid(), ending)
            done.append("the write")
            done.append("its line")
        done.append("the next write")
    assert done == ["the write", "its line"]


def test_an_error_within_is_told_and_not_the_end_that_came_with_it(interruptible):
    with pytest.raises(Problem), whole():
        os.kill(os.getpid(), signal.SIGINT)
        raise Problem("it failed")
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_threads_other_than_the_main_one_get_no_signals_and_may_do_the_same():
    done = []

    def work():
        with whole():
            done.append("the write")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["the write"]


def test_what_a_thread_does_ends_between_two_steps_while_the_process_ends():
    done = []

    def work():
        with contextlib.suppress(KeyboardInterrupt), whole():
            done.append("the next write")
        with contextlib.suppress(KeyboardInterrupt):
            pause(60)
            done.append("what comes after a pause")

    thread = threading.Thread(target=work)
    with ending():
        thread.start()
        thread.join(20)
    assert not thread.is_alive() and done == []


@pytest.mark.parametrize("end, said", [
    (Interrupted("interrupted after 3; the same command goes on"), "interrupted after 3; the same command goes on"),
    (KeyboardInterrupt(), "interrupted"), (click.exceptions.Abort(), "interrupted")])
def test_an_interrupted_command_is_one_line_and_130(run, monkeypatch, end, said):
    def ended(**_):
        raise end

    monkeypatch.setattr(written, "callback", ended)
    status, output, error = run()
    assert (status, output, error.strip()) == (130, "", f"written: {said}")


def test_progress_shows_nothing_where_there_is_no_terminal():
    with contextlib.redirect_stderr(io.StringIO()) as shown, bar("Moving", 3) as advance:
        advance(3)
    assert shown.getvalue() == ""
