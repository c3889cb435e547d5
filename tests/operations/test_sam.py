"""What sam gets of the parameters, and what it lets out: every value arrives as it is, and no secret is shown."""
from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from verdict import parameters, sam
from verdict.parameters import Parameter
from verdict.places import TOOLS
from verdict.problem import Problem

#: Reads a file as `sam deploy` does, with sam's own code.
READ = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
print(json.dumps(CfnParameterOverridesType().convert((sys.argv[1], "Version=v1-2-gabc"), None, None)))
"""
HARD = ['"', "\\", '\\"', '\\\\"', "'", "\\'", '"quoted"', "'quoted'", '"', "''", "\\ ", "a\\ b", " ", "trailing ", "\ttab",
        "line\nend\n", "\r\n", "$HOME", "${x}", "$$", "é", "…", "\u2028", "\U0001F600", "{{x}}", "#", ": ", "- ", "&a", "*a",
        "%", "@", "`", "null", "true", "007", "file:///etc/passwd", "a=b", "\x7f", "\x01", "\\n", "\\u0041", ""]
RANDOM_VALUES = 500


def taken(given: list[Parameter]) -> dict[str, str]:
    """What sam takes from the file that is made for it."""
    with sam.parameter_file(given) as file:
        asked = subprocess.run([TOOLS / "python", "-c", READ, file], capture_output=True, text=True, check=True)
    return json.loads(asked.stdout)


def test_every_value_reaches_sam_as_it_is():
    choose = random.Random(11)
    values = HARD + ["".join(choose.choices(HARD, k=choose.randint(2, 6))) for _ in range(RANDOM_VALUES)]
    given = [Parameter(f"Name{number}", 1, value) for number, value in enumerate(values)]
    assert taken(given) == {**{each.name: each.value for each in given}, "Version": "v1-2-gabc"}


def test_what_the_operator_wrote_reaches_sam_as_the_operator_meant_it():
    secret = 'a"b\\c\\"d\'e$f é\U0001F600 '
    file = f"Plain: {json.dumps(secret)}\nNested:\n  secrets:\n  - {json.dumps(secret)}\n".encode()
    got = taken(parameters.parse(file, "parameters.yaml"))
    assert got["Plain"] == secret
    assert json.loads(got["Nested"]) == {"secrets": [secret]}


def test_the_file_is_its_owners_alone_and_gone_afterwards():
    given = [Parameter("Name", 1, "value")]
    with pytest.raises(KeyboardInterrupt), sam.parameter_file(given) as file:
        path = Path(file.removeprefix("file://"))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        raise KeyboardInterrupt
    assert not path.parent.exists()


# ---- What is shown ----

class Nowhere:
    """An account that no program reaches."""

    def environment(self, variables):
        return dict(variables)


NOWHERE: Any = Nowhere()


@pytest.fixture
def fake_sam(tmp_path, monkeypatch):
    """Has another program take sam's place."""

    def fake_sam(script: str) -> None:
        program = tmp_path / "sam"
        program.write_text(f"#!{sys.executable}\n{script}")
        program.chmod(0o700)
        monkeypatch.setattr(sam, "TOOLS", tmp_path)

    return fake_sam


def test_no_secret_is_left_in_what_sam_prints(fake_sam, capfd):
    secret = 'pass"word\\with all\nof it all'
    given = [Parameter("VeriffCredentials", 1, json.dumps({"secrets": [secret]})), Parameter("LogLevel", 2, "DEBUGDEBUG")]
    hidden = sam.secrets_of(given, ["LogLevel"])
    printed = [secret, json.dumps(secret), repr(secret), given[0].value, json.dumps(given[0].value)]
    fake_sam(f"import sys\nfor each in {printed!r}: print(each); print(each, file=sys.stderr)\nprint('DEBUGDEBUG')\n")
    sam.run(NOWHERE, "deploy", secrets=hidden)
    shown = capfd.readouterr().out
    assert "pass" not in shown and "with all" not in shown
    assert "DEBUGDEBUG" in shown and sam.HIDDEN in shown


def test_a_failure_of_sam_is_told_in_one_line_and_its_words_are_shown(fake_sam, capfd):
    fake_sam("print('Error: the bucket is missing')\nraise SystemExit(3)\n")
    with pytest.raises(Problem, match=r"`sam deploy` failed \(exit 3\)"):
        sam.run(NOWHERE, "deploy")
    assert "the bucket is missing" in capfd.readouterr().out


def test_sam_is_not_told_to_print_everything(fake_sam, capfd, monkeypatch):
    monkeypatch.setenv("SAM_DEBUG", "1")
    fake_sam("import os\nprint(sorted(name for name in os.environ if name.startswith('SAM_')))\n")
    sam.run(NOWHERE, "deploy", variables=os.environ)
    assert capfd.readouterr().out == "['SAM_CLI_POLL_DELAY', 'SAM_CLI_TELEMETRY']\n"


#: A deploy as far as it goes with a sam that takes its time. A shell that runs the tests in the background has them
#: ignore SIGINT; an operator's shell doesn't.
DEPLOY = """
import signal
import sys
from pathlib import Path
from verdict import sam, command_line
from verdict.parameters import Parameter
import click

class Nowhere:
    def environment(self, variables):
        return dict(variables)

signal.signal(signal.SIGINT, signal.default_int_handler)

@click.command("slow")
def slow():
    with sam.parameter_file([Parameter("Name", 1, "value")]) as file:
        sam.run(Nowhere(), "deploy", file)

sam.TOOLS = Path(sys.argv[1])
command_line.verdict.add_command(slow)
sys.exit(command_line.main(["slow"]))
"""


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_file_is_gone_if_the_operator_ends_it_all(fake_sam, tmp_path, told):
    fake_sam("import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    variables = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(Path(sam.__file__).parents[1])}
    with subprocess.Popen([sys.executable, "-c", DEPLOY, tmp_path], env=variables, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "begun\n"
        assert list(temporary.glob("*/*.yaml"))
        run.send_signal(told)
        assert run.wait(30) == 130
    assert not list(temporary.iterdir())
