#!/usr/bin/env python3
"""Lists the sample webhooks, signs them (with fresh ids where asked) and sends them to a Verdict API, singly or as
scenarios that play a whole session.

Needs nothing but Python 3.9. The local stack and the end-to-end tests import it as a module.
"""
from __future__ import annotations

import argparse
import collections
import difflib
import http.client
import json
import os
import re
import secrets
import socket
import sys
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, NoReturn, Optional, Union

from changes import (
    AS_IT_IS, OUTCOMES, Changes, Problem, as_json, family_of, has_reason, with_member, with_outcome, with_reason)
from proofs import (  # noqa: F401 (some re-exported)
    PROOFS, PROVIDERS, Incode, Veriff, basic, body_of, with_body, with_headers)

EVENTS = Path(__file__).resolve().parent
LOCAL_CREDENTIALS = EVENTS / "local-credentials.json"
TIMEOUT_SECONDS = 10

# How a URL ends that is more than the API's base: as a whole webhook URL (the group), or as the beginning of one.
PATHS = [path for proof in PROOFS.values() for path in proof.PATHS]
WEBHOOK_PATH = re.compile(f"({'|'.join(PATHS)})$|/(?:{'|'.join(PROVIDERS)})$")
# What API Gateway adds to the headers that a provider sends.
GATEWAY_HEADERS = ("host", "x-amzn-", "x-forwarded-")


class Interrupted(KeyboardInterrupt):
    """An end that the caller asked for; it says how much was done."""


@dataclass(frozen=True)
class Sample:
    """One entry of the catalogue, whose API Gateway event is in `{name}.json`."""

    name: str  # {provider}/{situation}
    description: str
    proof: str  # one of its provider's in proofs.py
    ids: dict[str, Any]  # those of session, attempt and reference that the body holds
    expect: dict[str, Any]  # what the local stack shows once the sample was sent to a fresh session
    # What it shows in place of that where Incode's API needn't confirm what the sample decides, if that differs.
    believed: Optional[dict[str, Any]] = None
    session_prefix: str = ""  # what Verdict puts before the body's session id where ids of several kinds could meet

    @property
    def provider(self) -> str:
        return self.name.split("/")[0]

    @property
    def file(self) -> Path:
        return EVENTS / f"{self.name}.json"

    @property
    def decision(self) -> Optional[str]:
        """The outcome that the sample decides as it is, by itself or once Incode's API has confirmed it."""
        return ((self.believed or self.expect).get("session") or {}).get("decision")

    def fresh_session(self) -> Optional[str]:
        """A random session id, or None where the sample holds no session id that it could replace."""
        return fresh(self.ids["session"]) if "session" in self.ids else None

    def session_key(self, session: str) -> str:
        """The id under which Verdict keeps the session that the body calls `session`."""
        return self.session_prefix + session


@dataclass(frozen=True)
class Step:
    """One webhook of a scenario: a sample with some members of its body changed."""

    sample: Sample
    ids: dict[str, Any]  # for each kind of id that the sample holds, what the scenario calls it
    members: dict[str, Any]  # new values, by member name
    outcome: str  # the expected x-verdict-outcome

    def event(self, keys: dict[str, Any], ids: dict[str, Any]) -> dict[str, Any]:
        """The step as an API Gateway event, with ids by the scenario's names for them."""
        return make(self.sample, keys, self.members, **{kind: ids[name] for kind, name in self.ids.items()})


@dataclass(frozen=True)
class Scenario:
    """Webhooks that tell of one session in order; some tell of another beside it."""

    name: str  # {provider}/{situation}
    description: str
    steps: list[Step]
    # By the scenario's name for each session: its status, its decision, its notifications in order, its checks' outcomes.
    expect: dict[str, Any]
    score: Optional[str] = None  # how Incode's API says that the session scored, if it has

    @property
    def provider(self) -> str:
        return self.name.split("/")[0]

    def fresh_ids(self, **given: Optional[str]) -> dict[str, Any]:
        """An id for each of the scenario's names: the given one, else a random one, but the reference is a sample's."""
        given = {name: id for name, id in given.items() if id is not None}
        ids: dict[str, Any] = {}
        for step in self.steps:
            for kind, name in step.ids.items():
                old = step.sample.ids[kind]
                ids.setdefault(name, given.get(name) or (old if kind == "reference" else fresh(old)))
        for name in given.keys() - ids.keys():
            raise Problem(f"{self.name} holds no {name} to replace; leave --{name} out")
        return ids

    def session_keys(self, ids: dict[str, Any]) -> dict[str, Any]:
        """The ids under which Verdict keeps the scenario's sessions, by the scenario's names for them."""
        steps = [step for step in self.steps if "session" in step.ids]
        return {step.ids["session"]: step.sample.session_key(ids[step.ids["session"]]) for step in steps}


@dataclass(frozen=True)
class Answer:
    """What the endpoint answered; header names are in lower case."""

    status: int
    headers: dict[str, Any]
    body: str

    @property
    def outcome(self) -> Optional[str]:
        return self.headers.get("x-verdict-outcome")

    @property
    def session(self) -> Optional[str]:
        return self.headers.get("x-verdict-session")


def catalogue() -> list[Sample]:
    """Every sample, in sending order."""
    return [Sample(**entry) for entry in read_json(EVENTS / "catalogue.json")]


def scenarios() -> list[Scenario]:
    """Every scenario."""
    samples = {sample.name: sample for sample in catalogue()}

    def step(sample: Sample, ids: Optional[dict[str, str]] = None, members: Optional[dict[str, Any]] = None,
             outcome: str = "") -> Step:
        # What a step does not name otherwise has the name of its kind: most scenarios tell of one session.
        ids = {kind: kind for kind in sample.ids} | (ids or {})
        return Step(sample, ids, members or {}, outcome or sample.expect["outcome"])

    def steps(entries: list[dict[str, Any]]) -> list[Step]:
        return [step(**{**entry, "sample": samples[entry["sample"]]}) for entry in entries]

    return [Scenario(**{**entry, "steps": steps(entry["steps"])}) for entry in read_json(EVENTS / "scenarios.json")]


def find(name: str) -> Sample:
    """The sample of that name."""
    return named("sample", name, catalogue())


def find_scenario(name: str) -> Scenario:
    """The scenario of that name."""
    return named("scenario", name, scenarios())


def named(what: str, name: str, among: list[Any]) -> Any:
    known = {each.name: each for each in among}
    if name in known:
        return known[name]
    close = " or ".join(difflib.get_close_matches(name, known, cutoff=0.75))
    raise Problem(f"no {what} {name!r}; " + (f"did you mean {close}?" if close else "`list` names them all"))


def fresh(like: str) -> str:
    """A random id of the same form, so that it fits wherever the other one stands."""
    if like.isdecimal():
        return str(10**11 + secrets.randbelow(9 * 10**11))
    if re.fullmatch("[0-9a-f]{24}", like):
        return secrets.token_hex(12)
    return str(uuid.uuid4())


def credentials(provider: str, file: Optional[os.PathLike[str]] = None) -> dict[str, Any]:
    """The provider's credentials: from `file` (all providers' or its own), else its variable, else the local ones."""
    variable = f"{provider.upper()}_CREDENTIALS"
    source: Union[str, os.PathLike[str]]
    if file is None and os.environ.get(variable):
        source, found = variable, parse_json(variable, os.environ[variable])
    else:
        source = path = file or LOCAL_CREDENTIALS
        found = read_json(path)
    if isinstance(found, dict):
        found = found.get(provider, found)
    if not isinstance(found, dict) or not PROOFS[provider].accepts(found):
        raise Problem(f"{source} holds no {provider} credentials; see {LOCAL_CREDENTIALS} for their form")
    return found


def read_json(path: os.PathLike[str]) -> Any:
    try:
        return parse_json(path, Path(path).read_bytes())
    except OSError as error:
        raise Problem(f"cannot read {path} ({error.strerror}); check the path") from None


def parse_json(source: object, text: Union[bytes, str]) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        # A place at most: the text may hold secrets.
        place = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "encoding"
        raise Problem(f"{source} is not JSON ({place}); correct it") from None


def prove(event: dict[str, Any], provider: str, keys: dict[str, Any], proof: str = "genuine") -> dict[str, Any]:
    """The event with what proves it in the provider's way, or fails to, as `proof` says."""
    return PROOFS[provider].prove(event, keys, proof)


def make(sample: Sample, keys: dict[str, Any], members: Optional[dict[str, Any]] = None,
         changes: Changes = AS_IT_IS, **ids: Optional[str]) -> dict[str, Any]:
    """The sample as an API Gateway event, proved anew.

    `members` gives members of the body another value by their name, `changes` by what it is to say; `session`, `attempt`,
    `reference` replace ids in it.
    """
    event = read_json(sample.file)
    body = replace_ids(sample, body_of(event), {kind: new for kind, new in ids.items() if new is not None})
    body = changed(sample, replace_members(sample, body, members or {}), changes)
    return prove(with_body(event, body), sample.provider, keys, sample.proof)


# Bodies are changed as text: some are no JSON, on purpose, and all keep their other bytes.
STRING = rb'"(?:[^"\\]|\\.)*"'
STRING_OR_NUMBER = re.compile(STRING + rb"|-?[0-9][0-9.eE+-]*")


def replace_ids(sample: Sample, body: bytes, ids: dict[str, Any]) -> bytes:
    """Replaces ids wherever they are a whole string, or a whole number."""
    for kind in ids:
        if kind not in sample.ids:
            raise Problem(f"{sample.name} holds no {kind} to replace; leave --{kind} out")
    kinds = {sample.ids[kind]: kind for kind in ids}

    def replace(found: re.Match[bytes]) -> bytes:
        token = found[0].decode("utf-8", "replace")
        is_string = token.startswith('"')
        kind = kinds.get(token[1:-1] if is_string else token)
        if kind is None:
            return found[0]
        if not is_string and not re.fullmatch("0|[1-9][0-9]*", ids[kind]):
            raise Problem(f"in {sample.name} the {kind} is a number; give --{kind} in digits")
        return (json.dumps(ids[kind]) if is_string else ids[kind]).encode()

    return STRING_OR_NUMBER.sub(replace, body)


def replace_members(sample: Sample, body: bytes, members: dict[str, Any]) -> bytes:
    """Gives every member of these names, as far as it holds no object or array, its new value."""
    for name, value in members.items():
        body, count = replace_member(body, name, json.dumps(value).encode())
        if count == 0:
            raise Problem(f"{sample.name} has no member {name} to change; correct scenarios.json")
    return body


def replace_member(body: bytes, name: str, value: bytes) -> tuple[bytes, int]:
    """Gives every member of that name the value, as JSON, and tells how many there were."""
    old = re.compile(rb'("%s"\s*:\s*)(?:%s|[^\s,:"{}\[\]]+)' % (re.escape(name.encode()), STRING))
    return old.subn(lambda found: found[1] + value, body)


def changed(sample: Sample, body: bytes, changes: Changes) -> bytes:
    """The body of a sample, with these changes."""
    family = family_of(sample.provider, body) if changes.outcome or changes.reason else None
    if changes.outcome and family and changes.outcome in family.outcomes:
        body = with_outcome(family, body, changes.outcome)
    elif changes.outcome and changes.outcome != sample.decision:
        raise Problem(f"{sample.name} can't say {changes.outcome}; {able(sample.provider, Changes(changes.outcome))}")
    if changes.reason and family and has_reason(family, body):
        body = with_reason(family, body, changes.reason)
    elif changes.reason:
        raise Problem(f"{sample.name} has no place for a reason; {able(sample.provider, changes)}")
    for path, value in changes.members:
        body = with_member(sample.name, body, path, value)
    return body


def able(provider: str, changes: Changes) -> str:
    """Which samples of a provider can say something: first of all those that say it as they are."""
    samples = [sample for sample in catalogue() if sample.provider == provider and sample.proof == "genuine"
               and sample.expect["outcome"] == "recorded" and can_say(sample, changes)]
    by_themselves = [sample for sample in samples
                     if sample.decision and changes.outcome in (None, sample.decision)]
    names = [sample.name for sample in by_themselves or samples]
    if names:
        return f"{'this can' if len(names) == 1 else 'these can'}: {', '.join(names)}"
    return f"no sample of {provider} can"


def can_say(sample: Sample, changes: Changes) -> bool:
    body = body_of(read_json(sample.file))
    family = family_of(sample.provider, body)
    says_outcome = not changes.outcome or sample.decision == changes.outcome or bool(
        family and changes.outcome in family.outcomes)
    return says_outcome and (not changes.reason or bool(family and has_reason(family, body)))


def play(scenario: Scenario, keys: dict[str, Any], url: str, ids: dict[str, Any]) -> Iterator[tuple[Step, Answer]]:
    """Sends the scenario's webhooks one after the other, each once the one before is answered."""
    for step in scenario.steps:
        yield step, send(with_fetched_token(step.event(keys, ids), step.sample, keys, url), url)


def bears_token(sample: Sample, keys: dict[str, Any]) -> bool:
    """Whether a webhook carries a token of the token endpoint's that is to be right."""
    return PROOFS[sample.provider] is Incode and "oauth" in keys and sample.proof in Incode.BEARING


def with_fresh_token(event: dict[str, Any], sample: Sample, keys: dict[str, Any]) -> dict[str, Any]:
    """The event with a token made now, in place of the sample's own: a function takes none that is older than a day."""
    if not bears_token(sample, keys):
        return event
    return with_headers(event, without=set(), plus={"authorization": f"Bearer {Incode.fresh_token(keys['oauth'])}"})


def with_fetched_token(event: dict[str, Any], sample: Sample, keys: dict[str, Any], url: str) -> dict[str, Any]:
    """The event as a provider with nothing but its credentials sends it: Incode asks the API for its bearer token."""
    if not bears_token(sample, keys):
        return event
    return with_headers(event, without=set(), plus={"authorization": f"Bearer {fetch_token(keys['oauth'], url)}"})


def fetch_token(oauth: dict[str, Any], url: str) -> str:
    """A bearer token of the API's token endpoint, asked for as Incode does."""
    client = oauth["clients"][0]
    headers = {"authorization": f"Basic {basic(client['id'], client['secret'])}",
               "content-type": "application/x-www-form-urlencoded"}
    target = parse_url(url)
    answer = request(target, base_path(target) + Incode.TOKEN_PATH, headers, b"grant_type=client_credentials")
    try:
        token = json.loads(answer.body)["access_token"]
        if answer.status == 200 and re.fullmatch("[!-~]+", token):
            return token
    except (ValueError, KeyError, TypeError):
        pass
    raise Problem(f"the API's token endpoint gave no token (status {answer.status}); check `oauth` in the credentials")


def send(event: dict[str, Any], url: str) -> Answer:
    """Posts the event's body, byte for byte, under the API's base URL, or to a whole webhook URL."""
    target = parse_url(url)
    path = target.path.rstrip("/")
    webhook = WEBHOOK_PATH.search(path)
    if webhook is None or webhook[1] is None:
        path = base_path(target) + event["rawPath"]
    # A parameter of the URL's own, such as a token, counts: twice it would be refused.
    own = dict(urllib.parse.parse_qsl(target.query, keep_blank_values=True))
    more = {name: value for name, value in event.get("queryStringParameters", {}).items() if name not in own}
    query = "&".join(filter(None, [target.query, urllib.parse.urlencode(more)]))
    headers = {name: value for name, value in event["headers"].items() if not name.startswith(GATEWAY_HEADERS)}
    return request(target, f"{path}?{query}" if query else path, headers, body_of(event))


def parse_url(url: str) -> urllib.parse.SplitResult:
    try:
        target = urllib.parse.urlsplit(url)
        if target.scheme in ("http", "https") and target.hostname and target.port != 0:
            return target
    except ValueError:
        pass
    raise Problem("not a URL to send to; give one such as https://….amazonaws.com or http://127.0.0.1:4566/…")


def base_path(target: urllib.parse.SplitResult) -> str:
    """The path that the API's own paths follow."""
    return WEBHOOK_PATH.sub("", target.path.rstrip("/"))


def request(target: urllib.parse.SplitResult, path: str, headers: dict[str, Any], body: bytes) -> Answer:
    """Posts to that host."""
    connect = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}[target.scheme]
    connection = connect(target.hostname, target.port, timeout=TIMEOUT_SECONDS)
    # No more than the host: the rest of a webhook URL may hold a token.
    host = f"{connection.host}:{connection.port}"
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)
    except (socket.timeout, TimeoutError):
        raise Problem(f"{host} did not answer within {TIMEOUT_SECONDS} s; check the URL and the stack's health") from None
    except (UnicodeError, http.client.InvalidURL):
        raise Problem("the URL holds spaces, control or non-ASCII characters; percent-encode them") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Problem(f"no answer from {host} ({reason}); check the URL, or start the local stack with `make run`") from None
    finally:
        connection.close()


def run_list(options: argparse.Namespace) -> int:
    samples = [sample for sample in catalogue() if options.provider in (None, sample.provider)]
    plays = [scenario for scenario in scenarios() if options.provider in (None, scenario.provider)]
    width = max(map(len, [each.name for each in samples] + [each.name for each in plays]))
    for sample in samples:
        print(f"{sample.name:{width}}  {sample.description}")
    print("\nScenarios, for `send --scenario`:")
    for scenario in plays:
        print(f"{scenario.name:{width}}  {scenario.description}")
    return 0


def run_sign(options: argparse.Namespace) -> int:
    if not options.all:
        print(as_text(made(options)), end="")
        return 0
    if options.session or options.attempt or options.reference or options.credentials or changes_of(options):
        raise Problem("--all signs the files here as they are, with the local credentials: leave the other options out")
    samples = catalogue()
    for sample in samples:
        event = make(sample, credentials(sample.provider, LOCAL_CREDENTIALS))
        sample.file.write_text(as_text(event), "utf-8")
    print(f"{len(samples)} samples signed")
    return 0


def run_send(options: argparse.Namespace) -> int:
    if options.scenario:
        return run_scenario(options)
    sample = find(options.sample)
    event = with_fetched_token(made(options), sample, credentials(sample.provider, options.credentials), options.to)
    answers = send_all(event, options.to, options.times, options.concurrency)
    for line, count in collections.Counter(map(as_line, answers)).items():
        print(line if options.times == 1 else f"{count} x {line}")
    return as_expected(sample, answers)


def send_all(event: dict[str, Any], url: str, times: int, concurrency: int) -> list[Answer]:
    """Posts the event so many times, some at once. If it is interrupted, what is under way is still sent."""
    sent: list[Answer] = []

    def one() -> Answer:
        answer = send(event, url)
        sent.append(answer)
        return answer

    with ThreadPoolExecutor(concurrency) as pool:
        try:
            sendings = [pool.submit(one) for _ in range(times)]
            return [sending.result() for sending in sendings]
        except Problem:
            pool.shutdown(cancel_futures=True)
            raise
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise Interrupted(f"interrupted: {len(sent)} of {times} webhooks were sent") from None


def run_scenario(options: argparse.Namespace) -> int:
    if options.times > 1 or options.concurrency > 1:
        raise Problem("a scenario is played once, in order: leave --times and --concurrency out")
    if changes_of(options):
        raise Problem("a scenario says what it says: leave --outcome, --reason and --set out")
    scenario = find_scenario(options.scenario)
    keys = credentials(scenario.provider, options.credentials)
    session = None if options.session == "new" else options.session
    ids = scenario.fresh_ids(session=session, attempt=options.attempt, reference=options.reference)
    width = max(len(step.sample.name) for step in scenario.steps)
    status = 0
    for step, answer in play(scenario, keys, options.to, ids):
        print(f"{step.sample.name:{width}}  {as_line(answer)}", flush=True)
        status = max(status, as_expected(step.sample, [answer]))
    return status


def as_expected(sample: Sample, answers: list[Answer]) -> int:
    """The exit status: whether all answers have the status that the catalogue expects."""
    expected = sample.expect["status"]
    if all(answer.status == expected for answer in answers):
        return 0
    print(f"webhooks: expected status {expected}{refusal(sample, answers)}", file=sys.stderr)
    return 1


def refusal(sample: Sample, answers: list[Answer]) -> str:
    """What to do about a refusal that wasn't expected; nothing if there is none."""
    if not any(each.outcome == "refused" for each in answers):
        return ""
    return (f"; it was refused: the credentials used here are not those of the API. --credentials or "
            f"{sample.provider.upper()}_CREDENTIALS gives others; why exactly is in the function's log line, which "
            "`./verdict sessions tail` shows (--local for the local stack)")


def as_line(answer: Answer) -> str:
    return f"{answer.status} {answer.outcome or '-'} {plain(answer.session or '-')} {answer.body.strip()}"


def plain(session: str) -> str:
    """A session without the header's percent-encoding; what a terminal would act on is escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode()
                   for letter in urllib.parse.unquote(session))


def made(options: argparse.Namespace) -> dict[str, Any]:
    """The event that the command line asks for."""
    sample = find(options.sample)
    session = sample.fresh_session() if options.session == "new" else options.session
    keys = credentials(sample.provider, options.credentials)
    event = make(sample, keys, changes=changes_of(options), session=session, attempt=options.attempt,
                 reference=options.reference)
    return with_fresh_token(event, sample, keys)


def changes_of(options: argparse.Namespace) -> Changes:
    return Changes(options.outcome, options.reason, tuple(options.members))


def as_text(event: dict[str, Any]) -> str:
    return json.dumps(event, indent=2) + "\n"


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line as a problem, in one line."""

    def error(self, message: str) -> NoReturn:
        raise Problem(f"{message}; `{self.prog} --help` shows what there is")


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1")
    return int(text)


def filled(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be blank")
    return text


def member(text: str) -> tuple[str, str]:
    """A path and a value as JSON, of PATH=VALUE."""
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise argparse.ArgumentTypeError("must be PATH=VALUE, such as verification.person.firstName=Ada")
    return path, as_json(value)


def parser() -> argparse.ArgumentParser:
    making = Parser(add_help=False)
    making.add_argument("--outcome", choices=OUTCOMES, help="what the webhook is to say, in Verdict's words")
    making.add_argument("--reason", type=filled, metavar="CODE", help="the provider's code of the reason, such as 102")
    making.add_argument("--set", dest="members", type=member, action="append", default=[], metavar="PATH=VALUE",
                        help="another value, JSON or a text, for a member, such as verification.person.firstName=Ada; "
                             "may be repeated")
    making.add_argument("--session", type=filled, metavar="ID", help="session id to put in; `new` makes a random one")
    making.add_argument("--attempt", type=filled, metavar="ID", help="attempt id to put in")
    making.add_argument("--reference", type=filled, metavar="REF", help="your own reference to put in")
    making.add_argument("--credentials", type=filled, metavar="FILE",
                        help="credentials as in local-credentials.json, all or one provider's; "
                             "default: the variable {PROVIDER}_CREDENTIALS, else local-credentials.json")

    top = Parser(prog="webhooks.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True)

    listing = commands.add_parser("list", help="name and describe the samples and scenarios")
    listing.add_argument("provider", nargs="?", choices=PROVIDERS, help="only this provider's")
    listing.set_defaults(run=run_list)

    signing = commands.add_parser("sign", parents=[making], help="print a sample as an API Gateway event, signed anew")
    which = signing.add_mutually_exclusive_group(required=True)
    which.add_argument("sample", nargs="?", help="a name from `list`, such as veriff/decision-approved")
    which.add_argument("--all", action="store_true", help="sign every file here anew, in place")
    signing.set_defaults(run=run_sign)

    sending = commands.add_parser("send", parents=[making], help="post a sample, or a whole session, to a Verdict API")
    what = sending.add_mutually_exclusive_group(required=True)
    what.add_argument("sample", nargs="?", help="a name from `list`, such as veriff/decision-approved")
    what.add_argument("--scenario", type=filled, metavar="NAME",
                      help="play a session in order, with fresh ids where none are given; such as veriff/resubmission")
    sending.add_argument("--to", required=True, metavar="URL", help="the API's base URL (ApiUrl) or one webhook's URL")
    sending.add_argument("--times", type=positive, default=1, metavar="N", help="send the same webhook N times")
    sending.add_argument("--concurrency", type=positive, default=1, metavar="M", help="that many at once")
    sending.set_defaults(run=run_send)
    return top


def main(arguments: Optional[list[str]] = None) -> int:
    try:
        options = parser().parse_args(arguments)
        status = options.run(options)
        sys.stdout.flush()
        return status
    except Problem as problem:
        print(f"webhooks: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as end:
        print(f"webhooks: {end if isinstance(end, Interrupted) else 'interrupted'}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has enough; nor must the interpreter try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
