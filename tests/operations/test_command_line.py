"""What all commands have in common: how they are called, and what is said if they can't be."""
import pytest


def test_without_a_command_the_help_is_printed_plainly(verdict):
    run = verdict()
    assert (run.status, run.output) == (2, "")
    assert run.error.startswith("Usage: verdict [OPTIONS] COMMAND") and "verdict: " not in run.error
    assert "  rebuild " in run.error


def test_no_line_of_a_group_s_help_is_cut(verdict, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for group in ([], ["sessions"], ["notifications"], ["quarantine"]):
        run = verdict(*group, "--help")
        _, _, commands = run.output.partition("\nCommands:\n")
        assert run.status == 0 and commands and "..." not in commands


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "4566 ", "٤٥٦٦", "127.0.0.1:4566"])
def test_what_is_not_a_port_is_one_line(verdict, monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    run = verdict("sessions", "list", "--reference", "r", "--local")
    assert (run.status, run.output) == (2, "")
    assert run.told == [f"sessions list: PORT is {port!r}, which isn't a port: write a number from 1 to 65535"]


@pytest.mark.parametrize("endpoint", ["4566", "127.0.0.1:4566", "http://", "http://127.0.0.1:abc", "http://127.0.0.1:99999",
                                      "ftp://127.0.0.1", "http://127.0.0.1:0", "http://[::1"])
def test_an_endpoint_that_is_not_a_url_is_one_line(verdict, endpoint):
    run = verdict("sessions", "list", "--reference", "r", "--endpoint", endpoint)
    assert (run.status, run.output) == (2, "")
    assert run.told == [f"sessions list: ENDPOINT is {endpoint!r}, which isn't a URL: write one such as http://127.0.0.1:4566"]


@pytest.mark.parametrize("name, arguments", [
    ("sessions list", ["--reference", "r"]), ("console", [])])
def test_a_local_stack_that_is_not_up_is_told_with_its_port(verdict, monkeypatch, name, arguments):
    # Only the administrator may listen there.
    monkeypatch.setenv("PORT", "9")
    run = verdict(*name.split(), *arguments, "--local")
    assert (run.status, run.output) == (2, "")
    assert run.told == [
        f"{name}: no local stack answers on port 9: start it with `make run`, or say which port with PORT="]
