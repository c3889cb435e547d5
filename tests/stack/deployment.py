"""Builds the functions and deploys the template onto the emulator, as one would onto AWS."""
from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Iterator, Mapping

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from .emulator import ACCESS_KEY, HOST, REGION, SECRET_KEY, Emulator, endpoint_of
from .incode_api import IncodeApi
from .steps import Failure, run, step, without_aws
from .wire import Fate, Wire

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".venv/tools/bin"
sys.path[:0] = [str(ROOT / "events"), str(ROOT / "operations")]
import webhooks  # noqa: E402
from verdict.bridge import bridge_gaps  # noqa: E402
from verdict.deployed import ALIAS  # noqa: E402

from . import operator_role  # noqa: E402

NAME = "verdict"
LOCK = ROOT / "target/stack/build.lock"
REQUEST_SECONDS = 30


class Stack:
    """A deployed local stack. Ends with `stop`, or as a context manager."""

    def __init__(self, emulator: Emulator, incode_api: IncodeApi, dynamodb: Wire):
        self._emulator = emulator
        #: What the poller takes for Incode.
        self.incode_api = incode_api
        #: The functions' way to DynamoDB. Callers from here have one of their own.
        self.dynamodb = dynamodb
        self.endpoint = emulator.endpoint
        self.api_id = self.resource("Api")
        self.api_url = f"{self.endpoint}/_aws/execute-api/{self.api_id}"
        in_aws = outputs(self.endpoint)
        #: The stack's outputs, with the URLs that reach the API here in place of those that would in AWS.
        self.outputs = {name: value.replace(in_aws["ApiUrl"], self.api_url) for name, value in in_aws.items()}

    def client(self, service: str) -> Any:
        """A boto3 client of the emulated service, as the account's root user."""
        return client(service, self.endpoint)

    def operator(self, service: str) -> Any:
        """A boto3 client of the emulated service, as the operator."""
        return acting_as(operator_role.OPERATOR, service, self.endpoint)

    def backend(self, service: str) -> Any:
        """A boto3 client of the emulated service, as the service of one's own that `BackendArn` names."""
        return acting_as(operator_role.BACKEND, service, self.endpoint)

    def resource(self, logical_id: str) -> str:
        """The physical id of one of the template's resources."""
        return self.client("cloudformation").describe_stack_resource(
            StackName=NAME, LogicalResourceId=logical_id)["StackResourceDetail"]["PhysicalResourceId"]

    def invoke(self, logical_id: str, payload: Any = None) -> Any:
        """Calls one of the template's functions, as its schedule would, and returns what it answers."""
        answer = self.client("lambda").invoke(
            FunctionName=self.live(logical_id), Payload=json.dumps({} if payload is None else payload))
        content = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise Failure(f"{logical_id} failed: {content}")
        return json.loads(content)

    def live(self, logical_id: str) -> str:
        """What the version of a function that is live is called by."""
        return f"{self.resource(logical_id)}:{ALIAS}"

    @contextlib.contextmanager
    def reconfigured(self, logical_id: str, **variables: str) -> Iterator[None]:
        """While a version of one of the template's functions is live that has some variables of its environment changed."""
        functions, name = self.client("lambda"), self.resource(logical_id)
        before = functions.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
        environment = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        live = functions.get_function_configuration(FunctionName=self.live(logical_id))["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": changed(live, variables)})
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
        try:
            yield
        finally:
            functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=before)
            functions.delete_function(FunctionName=name, Qualifier=version)
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": environment})

    def depth(self, queue: str) -> int:
        """How many messages a queue holds, seen and unseen; by the name of its output."""
        counts = [f"ApproximateNumberOfMessages{more}" for more in ("", "NotVisible", "Delayed")]
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=counts)
        return sum(int(attributes["Attributes"][count]) for count in counts)

    def get(self, path: str, *, signed: bool = True) -> tuple[int, Any]:
        """GETs a path of the API, signed with SigV4 unless told otherwise: status and JSON."""
        request = AWSRequest("GET", self.api_url + path)
        if signed:
            SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "execute-api", REGION).add_auth(request)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = direct.open(
                urllib.request.Request(request.url, headers=dict(request.headers)), timeout=REQUEST_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, json.loads(answer.read() or b"null")

    def session(self, provider: str, session_id: str) -> Any:
        """The session's record, or None where there is none."""
        path = f"/sessions/{provider}/{urllib.parse.quote(session_id, safe='')}"
        status, body = self.get(path)
        if status not in (200, 404):
            raise AssertionError(f"GET {path} answered {status}: {body}")
        return body if status == 200 else None

    @property
    def running(self) -> bool:
        return self._emulator.running

    def stop(self) -> None:
        self._emulator.stop()
        self.incode_api.close()
        self.dynamodb.close()

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(port: int) -> Stack:
    """Brings the stack up on that port."""
    if not shutil.which("cargo"):
        raise Failure("there is no cargo on the PATH: install Rust 1.95 or later, and open a new shell")
    directory = directory_of(port)
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as started:
        with step(f"Starting MiniStack on port {port}"):
            dynamodb = started.enter_context(Wire(endpoint_of(port), lambda operation: Fate.PASSED_ON))
            emulator = Emulator(port, directory, AWS_ENDPOINT_URL_DYNAMODB=dynamodb.url)
            started.callback(emulator.stop)
            incode_api = started.enter_context(IncodeApi())
        roles = {parameter: operator_role.create(client("iam", emulator.endpoint), NAME, who)
                 for parameter, who in (("OperatorArn", operator_role.OPERATOR), ("BackendArn", operator_role.BACKEND))}
        parameters = write_parameters(directory, incode_api, roles, make_secret(emulator.endpoint))
        with step("Building the functions (the first time, all crates: some minutes)"):
            build(directory, parameters)
        with step("Deploying template.yaml"):
            deploy(directory, parameters, emulator.endpoint)
            bridge_gaps(NAME, functools.partial(connect, endpoint=emulator.endpoint))
            operator_role.permit(NAME, functools.partial(client, endpoint=emulator.endpoint))
            write_environment(directory, emulator.endpoint)
        stack = Stack(emulator, incode_api, dynamodb)
        # It is up: from here on, ending it all is the caller's.
        started.pop_all()
        return stack


def directory_of(port: int) -> Path:
    """Where the stack on that port has its functions, its logs and what it stores."""
    return ROOT / "target/stack" / str(port)


def outputs(endpoint: str) -> dict[str, Any]:
    """What the template says of the deployed stack."""
    [described] = client("cloudformation", endpoint).describe_stacks(StackName=NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def architecture() -> str:
    """This machine's, as Lambda calls it: here the functions run without any container."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


#: The provider whose credentials are in Secrets Manager; those of the others are parameters. Its functions look for a new
#: version as often as they may.
BY_SECRET, SECRET_TTL_SECONDS = "wultra", 5


def make_secret(endpoint: str) -> str:
    """Puts that provider's credentials into Secrets Manager. Returns the secret's ARN."""
    keys = webhooks.credentials(BY_SECRET, webhooks.LOCAL_CREDENTIALS)
    return client("secretsmanager", endpoint).create_secret(
        Name=f"{NAME}/{BY_SECRET}", SecretString=json.dumps(keys))["ARN"]


def write_parameters(directory: Path, incode_api: IncodeApi, roles: Mapping[str, str], secret: str) -> str:
    """The template's parameters for sam; in a file, since command lines are for everyone to read."""
    credentials = webhooks.read_json(webhooks.LOCAL_CREDENTIALS)
    credentials["incode"]["api"] = incode_api.credentials
    del credentials[BY_SECRET]
    file = directory / "parameters.yaml"
    file.write_text(json.dumps({
        "Architecture": architecture(),
        **roles,
        "Version": version(),
        **{f"{provider.title()}Credentials": json.dumps(keys) for provider, keys in credentials.items()},
        f"{BY_SECRET.title()}SecretArn": secret,
        "SecretTtlSeconds": SECRET_TTL_SECONDS,
    }), "utf-8")
    return f"file://{file}"


def version() -> str:
    """What these sources are called in git; `unknown` without git, or without its history."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--tags"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def sam(*arguments: str) -> list[str]:
    return [str(TOOLS / "sam"), *arguments, "--config-file", str(ROOT / "samconfig.toml")]


def sam_environment(**more: str) -> dict[str, Any]:
    return {
        **without_aws(os.environ),
        "PATH": f"{TOOLS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": REGION,
        **more,
    }


#: The stack is for behaviour, not for speed: without link-time optimisation its functions build in a third of the time.
LIGHT_PROFILE = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
}


def build(directory: Path, parameters: str) -> None:
    """Builds into a directory of our own, so that stacks on other ports and a `sam build` by hand stay apart."""
    with one_build_at_a_time():
        run("`sam build`",
            sam("build", "--template-file", str(ROOT / "template.yaml"), "--build-dir", str(directory / "build"),
                "--parameter-overrides", parameters),
            directory / "build.log", cwd=ROOT, env=sam_environment(**LIGHT_PROFILE),
            remedy="mend what the compiler says below; if a tool is missing, remove .venv and try again")


@contextlib.contextmanager
def one_build_at_a_time() -> Iterator[None]:
    """While no other process builds here: `sam build` takes each function from where the build before left its own."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def deploy(directory: Path, parameters: str, endpoint: str) -> None:
    run("`sam deploy`",
        sam("deploy", "--template-file", str(directory / "build/template.yaml"), "--region", REGION,
            "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides", parameters),
        directory / "deploy.log", cwd=ROOT,
        env=sam_environment(
            AWS_ENDPOINT_URL=endpoint, AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY),
        remedy="see which resource was refused below")


def write_environment(directory: Path, endpoint: str) -> None:
    """Leaves the functions' environment in two files, with which functions run by hand join the stack:
    `functions.env` for `cargo lambda watch --env-file`, `functions.json` for `sam local invoke --env-vars`."""
    functions = client("lambda", endpoint)
    variables = {"AWS_ENDPOINT_URL": endpoint}
    for function in functions.list_functions()["Functions"]:
        variables.update(function["Environment"]["Variables"])
    # Containers reach this machine by that name; sam hands them the keys itself. Incode's stand-in is out of their reach.
    in_container = variables | {"AWS_ENDPOINT_URL": endpoint.replace(HOST, "host.docker.internal")}
    (directory / "functions.json").write_text(json.dumps({"Parameters": in_container}, indent=2) + "\n", "utf-8")
    # The root user's keys: they serve for every function, and never expire. What they may not do is to put anything on
    # intake. The token is blank so that none of the user's own takes part.
    variables |= {"AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                  "AWS_SESSION_TOKEN": ""}
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    (directory / "functions.env").write_text("".join(lines), "utf-8")


def changed(variables: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """A function's variables with others in their place. It has credentials, or fetches them, and never both."""
    fetched = {f"{name}_ARN" for name in others if name.endswith("_CREDENTIALS")}
    return {**{name: value for name, value in variables.items() if name not in fetched}, **others}


#: The account's root user, whom no role's policy binds, but a queue's does.
ROOT_KEYS = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}


@functools.lru_cache(maxsize=None)
def client(service: str, endpoint: str) -> Any:
    """A client to keep: making one takes longer than most calls."""
    return connect(service, endpoint)


@functools.lru_cache(maxsize=None)
def acting_as(who: str, service: str, endpoint: str) -> Any:
    """The same as one of the local roles."""
    return connect(service, endpoint, keys_of(who, endpoint))


@functools.lru_cache(maxsize=None)
def keys_of(who: str, endpoint: str) -> dict[str, str]:
    role = client("iam", endpoint).get_role(RoleName=operator_role.role_name(NAME, who))["Role"]["Arn"]
    return operator_role.assume(client("sts", endpoint), role)


def connect(service: str, endpoint: str, keys: Mapping[str, str] = ROOT_KEYS) -> Any:
    # Neither the user's profile nor a proxy must come between us and the emulator.
    os.environ.pop("AWS_PROFILE", None)
    return boto3.session.Session().client(
        service, endpoint_url=endpoint, region_name=REGION, config=Config(proxies={"http": None, "https": None}), **keys)
