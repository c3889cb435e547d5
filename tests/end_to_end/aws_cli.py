"""AWS's command line, as far as the documents use it, in this process: it reads commands by botocore's own models, so that
an operation, an option or a value that AWS doesn't know is an error here, too. It starts in no time, which AWS's doesn't.

    with Shell(verdict, verdict.operator) as shell:
        shell.run("aws sqs list-queues --query 'QueueUrls' --output text | wc -l")
"""
from __future__ import annotations

import contextlib
import http.server
import io
import json
import os
import subprocess
import threading
from fnmatch import fnmatchcase
from typing import Any, Callable, Sequence
from unittest import mock

import jmespath
from botocore import xform_name
from botocore.exceptions import ParamValidationError
from botocore.validate import validate_parameters
from stack import Stack
from stack.deployment import ROOT
from stack.emulator import HOST
from stack.steps import without_aws
from verdict import command_line

#: The options that every command has.
OURS: tuple[str, ...] = ("query", "output")
#: What the emulator lacks. Such a command is only held against AWS's model.
NOT_EMULATED = {"start-message-move-task", "list-message-move-tasks", "cancel-message-move-task"}
TIMEOUT_SECONDS = 60


class Refused(Exception):
    """A command that isn't one, or that AWS refuses."""


# ---- One command ----

def run(arguments: Sequence[str], client: Callable[[str], Any]) -> str:
    """What `aws` prints for these arguments."""
    service, operation, *rest = as_operation(arguments)
    caller, method = client(service), operation.replace("-", "_")
    name = caller.meta.method_to_api_mapping.get(method)
    if name is None:
        raise Refused(f"{service} has no operation {operation}")
    ours, theirs = options(rest)
    shape = caller.meta.service_model.operation_model(name).input_shape
    parameters = dict(parameter(shape, option, values) for option, values in theirs.items())
    try:
        validate_parameters(parameters, shape)
    except ParamValidationError as error:
        raise Refused(str(error)) from None
    if operation in NOT_EMULATED:
        return ""
    answer = called(caller, method, parameters)
    answer.pop("ResponseMetadata", None)
    if operation == "filter-log-events":
        # The emulator takes a pattern that looks into JSON for one that fits every line.
        answer["events"] = [event for event in answer["events"]
                            if fits(parameters.get("filterPattern", ""), event["message"])]
    found = jmespath.search(ours["query"], answer) if "query" in ours else answer
    return text(found) if ours.get("output") == "text" else json.dumps(found, default=str, indent=2) + "\n"


def as_operation(arguments: Sequence[str]) -> Sequence[str]:
    """The command as one that calls an operation: `logs tail` isn't one."""
    match arguments:
        case ["logs", "tail", group, "--since", _, *rest]:
            return ["logs", "filter-log-events", "--log-group-name", group, *rest]
    return arguments


def options(arguments: Sequence[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The command line's own options, and the operation's, each with its values."""
    found: dict[str, list[str]] = {}
    for argument in arguments:
        if argument.startswith("--"):
            found[argument.removeprefix("--")] = []
        else:
            list(found.values())[-1].append(argument)
    ours = {name: found.pop(name)[0] for name in OURS if name in found}
    return ours, found


def parameter(shape: Any, option: str, values: list[str]) -> tuple[str, Any]:
    """An operation's parameter by the name and the values of its option."""
    for member, of_member in shape.members.items():
        if xform_name(member, "-") == option:
            return member, value(of_member, values)
    raise Refused(f"{shape.name} has no --{option}")


def value(shape: Any, values: list[str]) -> Any:
    """The value of one type."""
    if shape.type_name == "list" and not values[0].startswith("["):
        return [value(shape.member, [each]) for each in values]
    [only] = values
    if shape.type_name in ("integer", "long"):
        return int(only)
    if shape.type_name in ("list", "map", "structure"):
        return json.loads(only) if only[:1] in "[{" else dict(part.split("=", 1) for part in only.split(","))
    return only


def called(caller: Any, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The answer: all pages of it, as the command line asks for."""
    if caller.can_paginate(method):
        return caller.get_paginator(method).paginate(**parameters).build_full_result()
    return getattr(caller, method)(**parameters)


def text(found: Any) -> str:
    """An answer as `--output text` has it: a line for each list of plain values, with tabs between."""
    if not isinstance(found, list):
        return f"{found}\n"
    if any(isinstance(each, list) for each in found):
        return "".join(map(text, found))
    return "\t".join(map(str, found)) + "\n" if found else ""


# ---- Filter patterns of CloudWatch Logs ----

def fits(pattern: str, line: str) -> bool:
    """Whether a line fits a pattern. Those that don't look into JSON are the emulator's."""
    if not pattern.startswith("{"):
        return True
    try:
        document = json.loads(line)
    except ValueError:
        return False
    alternatives = pattern.strip("{ }").split(" || ")
    return any(all(holds(condition, document) for condition in each.split(" && ")) for each in alternatives)


def holds(condition: str, document: Any) -> bool:
    """Whether a document is as one condition says, such as `$.took > 2000` or `$.route = "POST /wultra/*"`."""
    selector, operator, operand = condition.strip("() ").split(" ", 2)
    name, expected = selector.removeprefix("$."), json.loads(operand)
    if name not in document:
        return False
    has = document[name]
    match operator:
        case ">":
            return isinstance(has, int) and has > expected
        case "=":
            return isinstance(has, str) and fnmatchcase(has, expected)
        case "!=":
            return has != expected
    raise Refused(f"{operator} in {condition}")


# ---- A shell in which `aws` is this one ----

class Shell:
    """Runs scripts in which `aws` and `make` reach the local stack."""

    def __init__(self, stack: Stack, client: Callable[[str], Any]):
        self.errors = list[str]()
        shell = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                program, *arguments = self.rfile.read(int(self.headers["content-length"])).decode().split("\0")[:-1]
                try:
                    said = run(arguments, client) if program == "aws" else made(arguments, stack.endpoint)
                except Exception as error:
                    shell.errors.append(f"{program} {' '.join(arguments)}: {error}")
                    self.send_error(500)
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(said.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self._url = f"http://{HOST}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def run(self, script: str, **variables: str) -> str:
        """What a script prints. It ends at the first command that fails."""
        asked = f"curl --silent --fail --noproxy '*' --data-binary @- {self._url}"
        beginning = [f'{program}() {{ printf "%s\\0" {program} "$@" | {asked}; }}' for program in ("aws", "make")]
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join([*beginning, script])], cwd=ROOT,
            env={**without_aws(os.environ), **variables}, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        errors, self.errors = self.errors, []
        assert (done.returncode, done.stderr, errors) == (0, "", []), (done.returncode, done.stderr, errors)
        return done.stdout

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


#: The commands of targets that are called by another name.
COMMANDS = {"redrive": ["quarantine", "redrive"]}


def made(arguments: Sequence[str], endpoint: str) -> str:
    """What one of make's targets for operators prints. The command finds its options among the variables, as make has it."""
    target, *variables = arguments
    given = dict(variable.split("=", 1) for variable in variables)
    reached = {"PORT": endpoint.rpartition(":")[2]} if "LOCAL" in given else {"ENDPOINT": endpoint}
    with (mock.patch.dict(os.environ, {"AUDIT": os.devnull, **given, **reached}),
          contextlib.redirect_stdout(io.StringIO()) as output):
        status = command_line.verdict.main(COMMANDS.get(target, [target]), prog_name="verdict", standalone_mode=False)
    if status:
        raise Refused(f"ended with {status}")
    return output.getvalue()
