"""A rotation goes in three steps, of which each keeps its time, shows what it does and no value, and changes the secret only
if it is as it was. The functions' own code judges what is put there."""
from __future__ import annotations

import io
import json
import signal
import stat
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError
from stack import operator_role
from stack.deployment import client
from stack.trial import Deployed, listed
from verdict import credentials, secret
from verdict.aws import Aws
from verdict.places import ROOT
from verdict.problem import Problem
from verdict.rotation import command, lists, times
from verdict.rotation.command import Rotation, Wish, carry_out
from verdict.rotation.lists import Step
from verdict.stack import Stack

#: In every value: no output may have it.
CANARY = "c4naryP9xQ7rT2vB"
OLD, NEW, NEXT = (f"{CANARY}-Lm8wZk3sYd-{number}" for number in ("a7Qx", "h2Wv", "p5Jn"))
TOKEN = f"{CANARY}Lm8wZk3sYdHq5Nf6"
NOW = datetime(2026, 11, 28, 17, 0, 0, tzinfo=timezone.utc)
TTL = timedelta(seconds=60)


# ---- Lists ----

KEYS: dict[str, dict[str, Any]] = {
    "veriff": {"secrets": [OLD], "apiKeys": ["key"]},
    "incode": {"headers": {"x-a": [OLD], "x-b": [OLD]}, "oauth": {
        "clients": [{"id": "incode", "secret": OLD}], "signingKeys": [OLD], "tokenTtlSeconds": 7200},
        "confirmDecisions": True, "edgeHeader": {"x-edge": [OLD]}},
    "treezor": {"secrets": [OLD], "urlTokens": [TOKEN], "unsignedReviews": False},
    "wultra": {"basic": [{"username": "wultra", "password": OLD}], "allowedCidrs": ["203.0.113.0/24"]},
}
NAMES = {
    "veriff": ["secrets", "apiKeys"],
    "incode": ["headers.x-a", "headers.x-b", "oauth.clients", "oauth.signingKeys", "edgeHeader.x-edge"],
    "treezor": ["secrets", "urlTokens"],
    "wultra": ["basic"],
}


@pytest.mark.parametrize("provider", NAMES)
def test_the_lists_of_a_provider_are_those_of_which_any_entry_matches(provider):
    assert list(lists.lists_of(provider, KEYS[provider])) == NAMES[provider]


def test_the_only_list_is_meant_if_none_is_named_and_several_have_to_be():
    assert lists.choose({"basic": []}, None) == "basic"
    assert lists.choose({"secrets": [], "apiKeys": []}, "apiKeys") == "apiKeys"
    for wanted in (None, "urlTokens"):
        with pytest.raises(Problem, match="the secret has the lists secrets, apiKeys: say which one with --list"):
            lists.choose({"secrets": [], "apiKeys": []}, wanted)


def test_add_appends_promote_moves_to_the_front_and_remove_takes_away():
    assert lists.after(Step.ADD, ["a", "b"], 3, "c") == ["a", "b", "c"]
    assert lists.after(Step.PROMOTE, ["a", "b", "c"], 3) == ["c", "a", "b"]
    assert lists.after(Step.REMOVE, ["a", "b", "c"], 2) == ["a", "c"]


def test_the_entry_that_is_meant_is_the_only_one_that_it_can_be_or_is_named():
    assert lists.position_of(Step.PROMOTE, ["a", "b", "c"], None) == 3
    assert lists.position_of(Step.PROMOTE, ["a", "b", "c"], 2) == 2
    assert lists.position_of(Step.REMOVE, ["a", "b"], None) == 2
    with pytest.raises(Problem, match="say with --position"):
        lists.position_of(Step.REMOVE, ["a", "b", "c"], None)
    for step in (Step.PROMOTE, Step.REMOVE):
        for position in (-1, 0, 1, 4):
            with pytest.raises(Problem, match="entry 1 is the current one"):
                lists.position_of(step, ["a", "b", "c"], position)


@pytest.mark.parametrize("force", [False, True])
def test_the_last_entry_is_never_removed(force):
    with pytest.raises(Problem, match="the list has one entry, which is the current one"):
        lists.position_of(Step.REMOVE, ["a"], 1 if force else None)


@pytest.mark.parametrize("before, now, step", [
    (["a"], ["a", "b"], Step.ADD), (["a", "b"], ["b", "a"], Step.PROMOTE), (["a", "b", "c"], ["c", "a", "b"], Step.PROMOTE),
    (["b", "a"], ["b"], Step.REMOVE), (["a", "b", "c"], ["a", "c"], Step.REMOVE),
    # Others' changes, and none.
    (["a"], ["a"], None), (None, ["a", "b"], None), (["a"], ["b"], None), (["a", "b"], ["c", "d"], None),
    (["a"], ["b", "a"], None), (["a", "b"], ["b"], None),
])
def test_the_last_step_shows_in_the_two_last_versions(before, now, step):
    assert lists.last_step(now, before) is step


def test_a_new_login_has_the_name_of_the_current_one_unless_it_gets_another():
    logins = KEYS["wultra"]["basic"]
    assert lists.entry_of("basic", logins, NEW, None) == {"username": "wultra", "password": NEW}
    assert lists.entry_of("oauth.clients", KEYS["incode"]["oauth"]["clients"], NEW, "next") == {"id": "next", "secret": NEW}
    assert lists.entry_of("secrets", [OLD], NEW, None) == NEW
    with pytest.raises(Problem, match="secrets has no logins"):
        lists.entry_of("secrets", [OLD], NEW, "next")


# ---- Times ----

def test_the_provider_may_use_a_new_entry_once_every_function_has_fetched_it():
    assert times.usable_from(NOW, TTL) == NOW + timedelta(seconds=60 + 30)


@pytest.mark.parametrize("provider, name, span", [
    ("veriff", "secrets", timedelta(days=7)), ("treezor", "urlTokens", timedelta(minutes=30)),
    ("incode", "headers.x-a", timedelta(minutes=32)), ("wultra", "basic", timedelta(0)),
    # A function may give tokens that are good for two hours until it knows the new key.
    ("incode", "oauth.signingKeys", timedelta(seconds=60 + 30 + 7200)),
    ("incode", "oauth.clients", timedelta(seconds=60 + 30 + 7200)),
    ("incode", "edgeHeader.x-edge", timedelta(0)),
])
def test_an_older_entry_may_go_once_nothing_comes_that_was_proved_with_it(provider, name, span):
    assert times.removable_from(NOW, provider, name, KEYS[provider], TTL) == NOW + span


def test_a_short_lifetime_of_tokens_doesnt_shorten_the_retries():
    keys = {"oauth": {"tokenTtlSeconds": 60}}
    assert times.removable_from(NOW, "incode", "oauth.signingKeys", keys, TTL) == NOW + timedelta(minutes=32)
    assert times.removable_from(NOW, "incode", "oauth.clients", {"oauth": {}}, TTL) == NOW + timedelta(seconds=3690)


def test_a_time_is_shown_here_and_in_utc_and_never_earlier_than_it_is(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Paris")
    times_module = __import__("time")
    times_module.tzset()
    assert times.shown(NOW + timedelta(microseconds=1)) == "2026-11-28 18:00:01 CET (2026-11-28 17:00:01 UTC)"
    monkeypatch.setenv("TZ", "UTC")
    times_module.tzset()
    assert times.shown(NOW) == "2026-11-28 17:00:00 UTC"


# ---- On a secret ----

@pytest.fixture(scope="module")
def arns(endpoint):
    manager = client("secretsmanager", endpoint)
    return {provider: manager.create_secret(Name=f"rotated/{provider}", SecretString="{}")["ARN"] for provider in KEYS}


@pytest.fixture(scope="module")
def deployed(endpoint, arns):
    """A stack whose providers' credentials are in secrets, except Treezor's."""
    named = {f"{provider.title()}SecretArn": arn for provider, arn in arns.items() if provider != "treezor"}
    with Deployed(endpoint, "rotated", **named, TreezorCredentials=json.dumps(KEYS["treezor"]),
                  SecretTtlSeconds="60") as stack:
        yield stack


class Held:
    """A provider's secret, and steps of its rotation."""

    def __init__(self, deployed, provider, arn, capfd, clock):
        self.stack = Stack.require(Aws.connect(deployed.endpoint), "rotated")
        self.provider, self.arn, self.clock, self._capfd = provider, arn, clock, capfd
        self.manager = client("secretsmanager", deployed.endpoint)

    @property
    def keys(self):
        return json.loads(self.manager.get_secret_value(SecretId=self.arn)["SecretString"])

    def put(self, keys):
        self.manager.put_secret_value(SecretId=self.arn, SecretString=json.dumps(keys))

    def versions(self):
        found = self.manager.list_secret_version_ids(SecretId=self.arn, IncludeDeprecated=True)["Versions"]
        return {version["VersionId"]: sorted(version.get("VersionStages", [])) for version in found}

    def step(self, step, **wished):
        """What a step says. It is confirmed, unless the wish says otherwise."""
        carry_out(self.stack, self.provider, Wish(Step(step), **{"is_confirmed": True, **wished}), not_recorded)
        told = self._capfd.readouterr()
        assert CANARY not in told.out + told.err
        return told.out.splitlines()


@pytest.fixture
def held(deployed, arns, capfd, monkeypatch, judge):
    """A provider's secret with some keys in it, long ago."""
    monkeypatch.setattr(credentials, "COMMAND", judge)
    monkeypatch.setattr(sys, "stdin", io.StringIO(NEW))
    clock = Clock(monkeypatch)

    def held(provider, keys=None):
        found = Held(deployed, provider, arns[provider], capfd, clock)
        found.put(keys or KEYS[provider])
        clock.later(days=30)
        return found

    return held


class Clock:
    """The clock by which steps are too early or not."""

    def __init__(self, monkeypatch):
        self._later = timedelta(0)

        class Later(datetime):
            @classmethod
            def now(cls, zone=None):
                return datetime.now(zone) + self._later

        monkeypatch.setattr(command, "datetime", Later)

    def later(self, **span):
        self._later = timedelta(**span)


def test_a_rotation_goes_in_three_steps_and_each_says_what_comes_next(held):
    wultra = held("wultra")
    old, new = {"username": "wultra", "password": OLD}, {"username": "wultra", "password": NEW}
    told = wultra.step("add")
    assert wultra.keys == {**KEYS["wultra"], "basic": [old, new]}
    assert told[0] == "Wultra, basic: entries now 1, afterwards 2"
    assert told[2].startswith("  1  since ") and told[2].endswith("the current one")
    assert told[3].split() == ["2", "new"]
    assert any("Wultra may use the new one from " in line for line in told)
    assert told[-1].endswith("`make rotate PROVIDER=wultra LIST=basic STEP=promote`")

    wultra.clock.later(seconds=100)
    told = wultra.step("promote")
    assert wultra.keys["basic"] == [new, old]
    assert told[0] == "Wultra, basic: entries now 2, afterwards 2"
    assert told[2].endswith("stays as an older one") and " or longer" in told[2]
    assert told[3].endswith("becomes the current one") and " or longer" not in told[3]
    assert told[-1].endswith("`make rotate PROVIDER=wultra LIST=basic STEP=remove`")

    told = wultra.step("remove")
    assert wultra.keys == {**KEYS["wultra"], "basic": [new]}
    assert told[0] == "Wultra, basic: entries now 2, afterwards 1" and told[3].endswith("goes")
    assert "Every function in use refuses the removed one from " in told[-1]


@pytest.mark.parametrize("provider, name", [(provider, name) for provider in NAMES if provider != "treezor"
                                            for name in NAMES[provider]])
def test_every_list_can_be_rotated_and_nothing_else_of_the_secret_changes(held, provider, name):
    one = held(provider)
    before = one.keys
    one.step("add", list_name=name, is_forced=True)
    one.step("promote", list_name=name, is_forced=True)
    one.step("remove", list_name=name, is_forced=True)
    [entry] = lists.lists_of(provider, one.keys)[name]
    assert lists.secret_of(name, entry) == NEW
    lists.lists_of(provider, before)[name][:] = [entry]
    assert one.keys == before


def test_a_step_that_comes_too_early_is_refused_until_its_time(held):
    veriff = held("veriff", {"secrets": [OLD]})
    veriff.step("add")
    for later, refused in ((0, True), (70, True), (95, False)):
        veriff.clock.later(seconds=later)
        if refused:
            with pytest.raises(Problem, match=r"not before .* UTC.*: until then, some functions may not know the new"):
                veriff.step("promote")
            assert veriff.keys["secrets"] == [OLD, NEW]
        else:
            veriff.step("promote")
    for days, refused in ((0, True), (6.9, True), (7.1, False)):
        veriff.clock.later(days=days)
        if refused:
            with pytest.raises(Problem, match=r"not before .* UTC.*: until then, webhooks may come that Veriff proved"):
                veriff.step("remove")
            assert veriff.keys["secrets"] == [NEW, OLD]
        else:
            veriff.step("remove")
    assert veriff.keys["secrets"] == [NEW]


def test_a_step_out_of_its_order_is_refused(held):
    veriff = held("veriff", {"secrets": [OLD]})
    veriff.step("add")
    with pytest.raises(Problem, match="the last step was `add`: the entry at the end is the new one"):
        veriff.step("remove")
    veriff.step("promote")
    with pytest.raises(Problem, match="the last step was `promote`: entry 1 is the new one already"):
        veriff.step("promote")
    assert veriff.keys["secrets"] == [NEW, OLD]
    # An operator who knows better can go back.
    veriff.step("promote", is_forced=True)
    veriff.step("remove", is_forced=True)
    assert veriff.keys["secrets"] == [OLD]


def test_a_signing_key_signs_once_it_is_promoted_and_is_entered_nowhere(held):
    incode = held("incode")
    told = incode.step("add", list_name="oauth.signingKeys", is_generated=True)
    [_, key] = incode.keys["oauth"]["signingKeys"]
    assert len(key) == 64 and key not in "\n".join(told)
    assert any(line.startswith("Every function knows the new key from ") for line in told)
    told = incode.step("promote", list_name="oauth.signingKeys")
    assert incode.keys["oauth"]["signingKeys"] == [key, OLD]
    assert any(line.startswith("New tokens are signed with it") for line in told)


# ---- New values ----

@pytest.mark.parametrize("value, wrong", [
    ("short-c4nary", "shorter than 16"), ("my-webhook-secret-2026", "easily guessed"),
    ("CHANGE-ME-change-me-CHANGE", "placeholder"), ("  ", "blank"), ("", "blank"), (f" {NEW}", "white space"),
    (f"{NEW}\n\n", "white space"), (OLD, "entry 1 of the list already"),
])
def test_a_value_that_is_weak_or_repeated_is_refused_and_nothing_changes(held, monkeypatch, value, wrong):
    veriff = held("veriff", {"secrets": [OLD]})
    before = veriff.versions()
    monkeypatch.setattr(sys, "stdin", io.StringIO(value))
    with pytest.raises(Problem, match=wrong) as problem:
        veriff.step("add")
    assert value.strip() == "" or value.strip() not in str(problem.value)
    assert veriff.versions() == before


def test_the_secret_is_judged_as_it_is_and_as_it_would_be_for_where_the_functions_are(held, monkeypatch):
    veriff, asked = held("veriff", {"secrets": [OLD]}), []

    def ask(keys, endpoint):
        asked.append((list(keys), endpoint))
        return []

    monkeypatch.setattr(credentials, "judge", ask)
    veriff.step("add")
    # By the endpoint, the judge tells whether the local stack's own secrets will do.
    assert asked == [(["veriffSecret"], veriff.stack.aws.endpoint)] * 2


@pytest.mark.parametrize("text", [NEW, f"{NEW}\n", f"{NEW}\r\n"])
def test_a_line_end_behind_a_value_is_no_part_of_it(held, monkeypatch, text):
    veriff = held("veriff", {"secrets": [OLD]})
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    veriff.step("add")
    assert veriff.keys["secrets"] == [OLD, NEW]


def test_a_generated_value_is_left_in_a_new_file_that_only_its_owner_can_read(held, tmp_path):
    wultra, file = held("wultra"), tmp_path / "password"
    told = wultra.step("add", is_generated=True, file=file)
    value = file.read_text("ascii").removesuffix("\n")
    assert wultra.keys["basic"][1] == {"username": "wultra", "password": value}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert value not in "\n".join(told) and any(str(file) in line for line in told)
    with pytest.raises(Problem, match="is there already"):
        wultra.step("add", is_generated=True, file=file)


@pytest.mark.parametrize("provider, name, wrong", [
    ("veriff", "secrets", "Veriff makes the values of secrets itself"),
    ("wultra", "basic", "--generate needs --to FILE"),
])
def test_a_value_is_not_generated_where_it_could_not_be_used(held, provider, name, wrong):
    with pytest.raises(Problem, match=wrong):
        held(provider).step("add", list_name=name, is_generated=True)


def test_of_a_change_that_fails_no_file_is_left(held, tmp_path, monkeypatch):
    wultra, file = held("wultra"), tmp_path / "password"
    monkeypatch.setattr(Rotation, "put", lambda *_: (_ for _ in ()).throw(Problem("refused")))
    with pytest.raises(Problem, match="refused"):
        wultra.step("add", is_generated=True, file=file)
    assert not file.exists()


def test_a_value_that_is_in_the_secret_stays_in_its_file_if_the_command_is_told_to_end(held, tmp_path, monkeypatch):
    wultra, file, put = held("wultra"), tmp_path / "password", Rotation.put

    def put_and_ended(rotation, text):
        changed = put(rotation, text)
        signal.raise_signal(signal.SIGINT)
        return changed

    monkeypatch.setattr(Rotation, "put", put_and_ended)
    with pytest.raises(KeyboardInterrupt):
        wultra.step("add", is_generated=True, file=file)
    assert wultra.keys["basic"][1]["password"] == file.read_text("ascii").removesuffix("\n")


# ---- Care ----

def test_without_a_word_of_confirmation_nothing_changes(held, monkeypatch):
    veriff = held("veriff", {"secrets": [OLD]})
    before = veriff.versions()
    with pytest.raises(Problem, match=r"say --yes \(YES=1\)"):
        veriff.step("add", is_confirmed=False)
    monkeypatch.setattr(sys, "stdin", type("Terminal", (io.StringIO,), {"isatty": lambda _: True})("n\n"))
    monkeypatch.setattr(command.value, "obtain", lambda *_: NEW)
    with pytest.raises(command.click.Abort):
        veriff.step("add", is_confirmed=False)
    assert veriff.versions() == before


def test_a_secret_that_someone_else_changes_meanwhile_stays_as_they_left_it(held, monkeypatch):
    veriff = held("veriff", {"secrets": [OLD]})
    before = set(veriff.versions())
    monkeypatch.setattr(command, "confirm", lambda _: veriff.put({"secrets": [OLD, NEXT]}))
    with pytest.raises(Problem, match="changed by someone else meanwhile"):
        veriff.step("add")
    assert veriff.keys == {"secrets": [OLD, NEXT]}
    # The version that was proposed has no label: no function can fetch it.
    after = veriff.versions()
    assert sorted(after[version] for version in after.keys() - before) == [[], ["AWSCURRENT"]]
    assert command.PROPOSED not in [stage for stages in after.values() for stage in stages]


def test_a_proposal_that_was_left_behind_is_no_obstacle(held):
    incode = held("incode")
    incode.manager.put_secret_value(SecretId=incode.arn, SecretString="{}", VersionStages=[command.PROPOSED])
    incode.step("add", list_name="headers.x-a")
    assert incode.keys["headers"]["x-a"] == [OLD, NEW]


def test_the_version_before_stays_at_hand(held):
    veriff = held("veriff", {"secrets": [OLD]})
    veriff.step("add")
    found = secret.read(veriff.stack.aws, veriff.arn, secret.PREVIOUS)
    assert json.loads(found.text) == {"secrets": [OLD]}
    assert sorted(stages for stages in veriff.versions().values() if stages) == [[secret.CURRENT], [secret.PREVIOUS]]


def test_a_secret_that_would_not_do_is_not_changed(held):
    veriff = held("veriff", {"secrets": ["short-c4nary"]})
    with pytest.raises(Problem, match="the secret as it is would not do: `secrets` entry 1 is shorter than 16"):
        veriff.step("add")


def test_how_the_text_is_laid_out_stays(held):
    veriff = held("veriff")
    veriff.manager.put_secret_value(SecretId=veriff.arn, SecretString=json.dumps({"secrets": [OLD]}, indent=2) + "\n")
    veriff.step("add", is_forced=True)
    text = secret.read(veriff.stack.aws, veriff.arn).text
    assert text == json.dumps({"secrets": [OLD, NEW]}, indent=2)


# ---- Permissions ----

#: What docs/deploy.md says that the caller needs, by what it is on.
NEEDED = {
    "stack": ("cloudformation:DescribeStacks",),
    "secret": ("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"),
}


@pytest.fixture
def caller(deployed, arns):
    """A caller who may do just what the documents say, or all but one action of it."""
    iam, endpoint = client("iam", deployed.endpoint), deployed.endpoint
    stack = Stack.require(Aws.connect(endpoint), "rotated")
    # Whatever its id is: the caller names it.
    resources = {"stack": stack.id.rpartition("/")[0] + "/*", "secret": arns["wultra"]}
    role = operator_role.create(iam, "rotated", "rotator")

    def caller(without=None):
        operator_role.put(iam, "rotated-rotator", [
            {"Effect": "Allow", "Action": action, "Resource": resources[on]}
            for on, actions in NEEDED.items() for action in actions if action != without])
        return Aws.connect(endpoint).acting_as(role)

    yield caller
    iam.delete_role_policy(RoleName="rotated-rotator", PolicyName="operate")
    iam.delete_role(RoleName="rotated-rotator")


def test_the_permissions_that_the_documents_name_are_enough_and_each_is_needed(held, caller, tmp_path):
    wultra = held("wultra")
    wultra.stack = Stack.require(caller(), "rotated")
    wultra.step("add", is_forced=True)
    wultra.step("promote", is_forced=True)
    wultra.step("remove", is_forced=True)
    for action in (action for actions in NEEDED.values() for action in actions):
        with pytest.raises((Problem, ClientError)) as refused:
            wultra.stack = Stack.require(caller(without=action), "rotated")
            wultra.step("add", is_generated=True, file=tmp_path / action)
        assert "AccessDenied" in str(refused.value) or "not authorized" in str(refused.value), action
        assert [login["password"] for login in wultra.keys["basic"]] == [NEW], action


def test_the_policy_that_the_stack_makes_for_it_is_enough(held, deployed):
    wultra, iam = held("wultra"), client("iam", deployed.endpoint)
    role, policy = operator_role.create(iam, "rotated", "holder"), deployed.outputs["RotationPolicyArn"]
    iam.attach_role_policy(RoleName="rotated-holder", PolicyArn=policy)
    wultra.stack = Stack.require(Aws.connect(deployed.endpoint).acting_as(role), "rotated")
    for step in ("add", "promote", "remove"):
        wultra.step(step, is_forced=True)
    allowed = {action for statement in operator_role.document(iam, policy)["Statement"]
               for action in listed(statement["Action"])}
    assert allowed == {action for actions in NEEDED.values() for action in actions}


def test_the_documents_name_the_permissions():
    page = (ROOT / "docs/deploy.md").read_text("utf-8")
    [row] = [line for line in page.splitlines() if line.startswith("| `make rotate` | `sts:GetCallerIdentity`")]
    for actions in NEEDED.values():
        for action in actions:
            assert action.split(":")[1] in row


def not_recorded(name: str, version: str) -> None:
    """In place of an audit file."""


# ---- The command ----

def rotate(verdict, deployed, provider, step, *more):
    run = verdict("rotate", provider, step, "--stack-name", "rotated", "--endpoint", deployed.endpoint, "--reason", "a test",
                  *more)
    assert CANARY not in run.output + run.error
    return run


def test_credentials_that_are_a_parameter_are_rotated_by_deploys(verdict, deployed):
    run = rotate(verdict, deployed, "treezor", "add", "--list", "secrets")
    assert run.status == 2 and len(run.told) == 1
    assert "the parameter TreezorCredentials. To rotate them, deploy that parameter with both entries" in run.error


def test_the_command_reads_the_value_changes_the_secret_and_leaves_an_audit(verdict, deployed, held, tmp_path):
    wultra, audit = held("wultra"), tmp_path / "audit.jsonl"
    run = rotate(verdict, deployed, "wultra", "add", "--yes", "--audit", audit)
    assert (run.status, run.error) == (0, "")
    assert wultra.keys["basic"][1]["password"] == NEW
    run = rotate(verdict, deployed, "wultra", "remove", "--position", "2", "--audit", audit)
    assert run.status == 2 and "the last step was `add`" in run.error
    [line] = map(json.loads, audit.read_text("utf-8").splitlines())
    assert (line["what"], line["which"], line["reason"], line["result"]) == ("rotate", "wultra basic", "a test", "add")
    assert "AWSCURRENT" in wultra.versions()[line["version"]] and NEW not in str(line)


def test_a_rotation_without_a_reason_is_refused_before_anything_is_asked_for(verdict, deployed):
    run = verdict("rotate", "wultra", "add", "--yes", "--stack-name", "rotated", "--endpoint", deployed.endpoint)
    assert run.status == 2 and len(run.told) == 1 and "say why it is done, with --reason" in run.error


@pytest.mark.parametrize("arguments", [("wultra",), ("nobody", "add"), ("wultra", "replace"), ()])
def test_what_isnt_a_step_of_a_providers_rotation_is_told(verdict, deployed, arguments):
    run = verdict("rotate", *arguments, "--stack-name", "rotated", "--endpoint", deployed.endpoint)
    assert run.status == 2 and run.told[0].startswith("rotate: ")


def test_variables_of_make_are_arguments_and_options(verdict, deployed, monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(command, "carry_out", lambda stack, provider, wish, _: seen.append((stack.name, provider, wish)))
    for name, value in {"PROVIDER": "incode", "STEP": "add", "LIST": "oauth.clients", "LOGIN": "next", "GENERATE": "1",
                        "TO": "file", "YES": "1", "FORCE": "", "STACK_NAME": "rotated", "REASON": "a test",
                        "AUDIT": str(tmp_path / "audit.jsonl")}.items():
        monkeypatch.setenv(name, value)
    assert verdict("rotate", "--endpoint", deployed.endpoint).status == 0
    [(stack, provider, wish)] = seen
    assert (stack, provider) == ("rotated", "incode")
    assert wish == Wish(Step.ADD, "oauth.clients", None, "next", True, command.Path("file"), True, False)


def test_a_secret_that_the_caller_may_not_read_is_told_with_its_arn(deployed, arns):
    nobody = Stack.require(Aws.connect(deployed.endpoint), "rotated")
    other = nobody.parameters["WultraSecretArn"].replace("rotated/wultra", "rotated/nothing")
    gone = Stack(nobody.aws, nobody.name, nobody.id, nobody.outputs, {**nobody.parameters, "WultraSecretArn": other})
    with pytest.raises(Problem, match=f"the secret {other} isn't there"):
        carry_out(gone, "wultra", Wish(Step.ADD), not_recorded)
