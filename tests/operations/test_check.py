"""A mistake in the parameter file is found before anything is compiled or deployed, told in one line that says where it
is, and with no value of the file. The functions' own code judges the credentials."""
from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import textwrap

import pytest
from verdict import check, credentials, template
from verdict.check import CREDENTIALS, MAX_VALUE_BYTES
from verdict.places import ROOT

#: In every value that must not be shown.
CANARY = "c4naryP9xQ7rT2vB"
SECRET = f"{CANARY}-Lm8wZk3sYd"
TREEZOR = {"secrets": [SECRET]}

BEGINNING = "Architecture: x86_64\n"


@pytest.fixture
def checked(verdict, tmp_path, judge, monkeypatch):
    """Checks a file with that text."""
    monkeypatch.setattr(credentials, "COMMAND", judge)

    def checked(text: str):
        file = tmp_path / "parameters.yaml"
        file.write_text(text, "utf-8")
        run = verdict("check", "--parameters", file)
        assert CANARY not in run.output + run.error
        return run

    return checked


def line(run) -> str:
    """The one line with which a check refuses."""
    assert run.status == 2, run
    [told] = run.told
    assert told.startswith("check: parameters.yaml")
    return told.removeprefix("check: parameters.yaml").lstrip(", :")


# ---- Files that are right ----

RIGHT = {
    "JSON in quotes": f"TreezorCredentials: '{json.dumps(TREEZOR)}'\n",
    "JSON in a block": f"TreezorCredentials: >-\n  {json.dumps(TREEZOR)}\n",
    "a YAML object": f"TreezorCredentials:\n  secrets:\n    - {SECRET}\n    - '{SECRET}-the-next'\n",
    "a YAML object in a line": f"TreezorCredentials: {{secrets: [{SECRET}], urlTokens: ['{SECRET}-token']}}\n",
    "a JSON file": "",
    "a provider given up": f"TreezorCredentials: {json.dumps(TREEZOR)}\nVeriffCredentials: ''\nWultraCredentials:\n",
    "numbers, words and comments": f"# ours\nTreezorCredentials: {json.dumps(TREEZOR)}\nRetentionDays: 30 # days\n"
                                   "LogLevel: \"DEBUG\"\nTracing: true\n",
    "a name with all there is": f"TreezorCredentials: {json.dumps(TREEZOR)}\nSessionsTableName: kept.table-1_2\n"
                                "OperatorArn: arn:aws:iam::123456789012:role/operations\nLogRetentionDays: '3653'\n",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_file_that_is_right_is_let_through(checked, name):
    text = BEGINNING + RIGHT[name]
    if not RIGHT[name]:
        text = json.dumps({"Architecture": "x86_64", "TreezorCredentials": TREEZOR}, indent=2)
    run = checked(text)
    assert (run.status, run.error) == (0, "")
    assert "nothing wrong" in run.output


# ---- Slips ----

def test_the_example_of_the_documents_as_it_is_printed(checked):
    page = (ROOT / "docs/deploy.md").read_text("utf-8")
    [example] = re.findall(r"^ *```yaml\n(.*?Credentials.*?)^ *```", page, re.DOTALL | re.MULTILINE)
    run = checked(BEGINNING + re.sub(r"^Architecture:.*\n", "", textwrap.dedent(example), flags=re.MULTILINE))
    assert run.status == 2
    given = re.findall(r"^ *(\w+)Credentials:", example, re.MULTILINE)
    assert given and len(run.told) == len(given)
    for each in given:
        assert any(f"{each}Credentials" in told for told in run.told), each


@pytest.mark.parametrize("provider", ["Veriff", "Incode", "Treezor", "Wultra"])
def test_the_example_of_a_providers_page_as_it_is_printed(checked, provider):
    page = (ROOT / f"docs/providers/{provider.lower()}.md").read_text("utf-8")
    example = re.search(r"^ *```json\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)[1]
    told = line(checked(f"{BEGINNING}{provider}Credentials: {' '.join(example.split())}\n"))
    assert re.match(f"line 2: {provider}Credentials: ", told)


@pytest.mark.parametrize("text, place", [
    (f"TreezorCredentials: {{secrets: [{SECRET}\n", r"line \d, column \d+"),
    (f"TreezorCredentials: {{secrets: [{SECRET}]}}}}\n", r"line 2, column \d+"),
    (f"TreezorCredentials:\n  secrets:\n   - {SECRET}\n  - {SECRET}\n", r"line 5, column 3"),
    (f"TreezorCredentials: '{json.dumps(TREEZOR)}\n", r"line \d, column \d+"),
    (f"TreezorCredentials: {SECRET}: {SECRET}\n", r"line 2, column \d+"),
    (f"\tTreezorCredentials: {SECRET}\n", r"line 2, column 1"),
    (f"TreezorCredentials: *{CANARY}\n", r"line 2, column 21"),
    (f"TreezorCredentials: !{CANARY} x\n", r"line 2, column 21"),
    (f"TreezorCredentials: {{secrets: [{SECRET}], secrets: [{SECRET}]}}\n", r"line 2, column \d+"),
], ids=lambda value: None)
def test_broken_yaml_is_told_by_its_place(checked, text, place):
    assert re.match(place, line(checked(BEGINNING + text)))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"LogLevel: \x00", b"LogLevel: \xe9", b"[" * 500])
def test_what_is_no_text_at_all_is_told_too(verdict, tmp_path, content):
    file = tmp_path / "parameters.yaml"
    file.write_bytes(content)
    run = verdict("check", "--parameters", file)
    assert run.status == 2 and len(run.told) == 1 and "parameters.yaml" in run.error


@pytest.mark.parametrize("text", [f"- {SECRET}\n", f"{SECRET}\n", f'"{SECRET}"\n'])
def test_a_file_without_names_is_refused(checked, text):
    assert "names of parameters" in line(checked(text))


def test_a_file_that_is_not_there_is_named(verdict, tmp_path):
    run = verdict("check", "--parameters", tmp_path / "nowhere.yaml")
    assert run.status == 2 and len(run.told) == 1 and "nowhere.yaml" in run.error and "docs/deploy.md" in run.error


BROKEN_JSON = ['{"secrets":["%s"]', '{"secrets":["%s",]}', '{"secrets":[%s]}', "{'secrets':['%s']}", '["%s"]', '"%s"', "%s"]


@pytest.mark.parametrize("text", BROKEN_JSON)
def test_credentials_that_are_no_json_object_are_refused_in_the_functions_words(checked, text):
    quoted = json.dumps(text % SECRET)
    told = line(checked(f"{BEGINNING}TreezorCredentials: {quoted}\n"))
    assert told.startswith("line 2: TreezorCredentials: ") and "JSON" in told


@pytest.mark.parametrize("credentials, about", [
    ({"secrets": [SECRET], "urlToken": [SECRET]}, "urlToken"),
    ({"secret": [SECRET]}, "secret"),
    ({"secrets": SECRET}, ""),
    ({"secrets": []}, ""),
    ({"secrets": [12345678901234567]}, ""),
    ({"secrets": ["short-" + CANARY[:4]]}, ""),
    ({"secrets": ["REPLACE_WITH_YOUR_SECRET_1"]}, ""),
    ({"secrets": ["aaaaaaaaaaaaaaaaaaaaaaaa"]}, ""),
    ({"secrets": ["…"]}, ""),
    ({"secrets": [SECRET, "  "]}, ""),
    ({"basic": [{"username": "wultra", "password": SECRET}]}, "Wultra"),
], ids=json.dumps)
def test_credentials_that_no_function_starts_with_are_refused_in_its_words(checked, credentials, about):
    for text in (json.dumps(credentials), json.dumps(json.dumps(credentials))):
        told = line(checked(f"{BEGINNING}TreezorCredentials: {text}\n"))
        assert told.startswith("line 2: TreezorCredentials: ") and about in told


@pytest.mark.parametrize("name, meant", [
    ("VerifCredentials", "VeriffCredentials"), ("veriffCredentials", "VeriffCredentials"),
    ("VERIFFCREDENTIALS", "VeriffCredentials"), ("Veriff_Credentials", "VeriffCredentials"),
    ("TreezorCredential", "TreezorCredentials"), ("LogRetention", "LogRetentionDays"), ("Architectur", "Architecture"),
    ("SessionTableName", "SessionsTableName"), ("OperatorARN", "OperatorArn"),
])
def test_a_misspelt_name_is_refused_with_the_nearest_right_one(checked, name, meant):
    told = line(checked(f"{BEGINNING}TreezorCredentials: {json.dumps(TREEZOR)}\n{name}: {SECRET}\n"))
    assert told == f"line 3: it isn't a parameter; did you mean {meant}?"


@pytest.mark.parametrize("name", [SECRET, "$include", "Zzz", "'{\"a\":1}'"])
def test_a_name_that_resembles_none_is_not_repeated(checked, name):
    told = line(checked(f"{BEGINNING}{name}: x\n"))
    assert told.startswith("line 2: it isn't a parameter; there are Architecture, ")


def test_a_parameter_given_twice_is_refused(checked):
    text = f"TreezorCredentials: {json.dumps(TREEZOR)}\nLogLevel: INFO\nLogLevel: DEBUG\n"
    assert line(checked(BEGINNING + text)) == "line 4: LogLevel stands on line 3 already; keep one of the two"


@pytest.mark.parametrize("text, about", [
    (f"LogLevel: {CANARY}", "LogLevel must be one of ERROR, WARN, INFO, DEBUG, TRACE"),
    ("LogLevel: info", "LogLevel must be one of"),
    ("Tracing: yes", "Tracing must be one of true, false"),
    ("LogRetentionDays: 91", "LogRetentionDays must be one of 1, 3, 5"),
    ("RetentionDays: 29", "RetentionDays must be a number from 30 to 3650"),
    ("RetentionDays: 3651", "RetentionDays must be a number from 30 to 3650"),
    (f"RetentionDays: {CANARY}", "RetentionDays must be a number from 30 to 3650"),
    ("RetentionDays:", "RetentionDays must be a number"),
    ("EventsConcurrency: -1", "EventsConcurrency must be a number from 0"),
    (f"OperatorArn: {CANARY}", "OperatorArn must be empty, or the ARN of an IAM role or user"),
    (f"OperatorArn: arn:aws:iam::123456789012:group/{CANARY}", "OperatorArn must be empty"),
    (f"SessionsTableName: 'a table {CANARY}'", "SessionsTableName must be empty, or the name of a DynamoDB table"),
    (f"SessionsTableName: [{CANARY}]", "SessionsTableName must be a single value"),
    (f"LogLevel: {{a: {CANARY}}}", "LogLevel must be a single value"),
    (f"WultraAdapterUrl: http://{CANARY}.example", "WultraAdapterUrl must be"),
    (f"WultraAdapterUrl: https://{CANARY}.example/?a=b", "WultraAdapterUrl must be"),
])
def test_a_value_that_cloudformation_would_refuse_is_refused(checked, text, about):
    told = line(checked(f"{BEGINNING}TreezorCredentials: {json.dumps(TREEZOR)}\n{text}\n"))
    assert told.startswith(f"line 3: {about}")


def test_a_token_endpoint_that_is_left_out_though_incode_would_ask_it_is_refused(checked):
    oauth = {"clients": [{"id": "incode", "secret": f"{SECRET}-client"}], "signingKeys": [f"{SECRET}-signing-key-Qe7vUz2x"]}
    with_oauth = f"IncodeCredentials: '{json.dumps({'oauth': oauth})}'\n"
    without = f"IncodeCredentials: '{json.dumps({'headers': {'x-incode-secret': [SECRET]}})}'\n"
    told = line(checked(f"{BEGINNING}{with_oauth}IncodeOAuth: false\n"))
    assert told.startswith("line 3: IncodeOAuth is false, and Incode's credentials have `oauth`")
    for right in (with_oauth, f"{with_oauth}IncodeOAuth: 'true'\n", f"{without}IncodeOAuth: 'false'\n"):
        assert checked(BEGINNING + right).status == 0, right


SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret"


@pytest.mark.parametrize("text", [
    f"VeriffSecretArn: {SECRET_ARN}:verdict/veriff-AbC123\n",
    f"IncodeSecretArn: {SECRET_ARN}:incode-AbC123\nIncodeApiSecretArn: {SECRET_ARN}:incode-api-AbC123\n",
    f"VeriffSecretArn: {SECRET_ARN}:veriff-AbC123\nVeriffCredentials: ''\nSecretTtlSeconds: 60\n",
])
def test_a_provider_may_have_a_secret_in_place_of_credentials(checked, text):
    run = checked(BEGINNING + text)
    assert (run.status, run.error) == (0, "")


@pytest.mark.parametrize("text, told", [
    (f"TreezorSecretArn: {SECRET_ARN}:treezor-AbC123\nTreezorCredentials: {json.dumps(TREEZOR)}\n",
     "line 2: TreezorSecretArn stands beside TreezorCredentials on line 3; keep one of the two"),
    (f"IncodeApiSecretArn: {SECRET_ARN}:incode-api-AbC123\nTreezorCredentials: {json.dumps(TREEZOR)}\n",
     "line 2: IncodeApiSecretArn needs IncodeSecretArn"),
    (f"IncodeApiSecretArn: {SECRET_ARN}:incode-AbC123\nIncodeSecretArn: {SECRET_ARN}:incode-AbC123\n",
     "line 2: IncodeApiSecretArn is the secret that IncodeSecretArn names, too"),
    (f"VeriffSecretArn: {SECRET_ARN}:veriff\n",
     "line 2: VeriffSecretArn must be empty, or the whole ARN of a secret, with the six characters at its end"),
    (f"VeriffSecretArn: {SECRET_ARN}:veriff-AbC123\nSecretTtlSeconds: 4\n",
     "line 3: SecretTtlSeconds must be a number from 5 to 3600"),
], ids=["both", "api alone", "api in the same", "a part of an ARN", "too often"])
def test_secrets_that_dont_go_together_are_refused_with_what_to_do(checked, text, told):
    assert line(checked(BEGINNING + text)).startswith(told)


def test_the_secret_of_incodes_api_is_no_provider(checked):
    run = checked(f"{BEGINNING}IncodeApiSecretArn: {SECRET_ARN}:incode-api-AbC123\n")
    assert run.status == 2 and "the credentials of no provider" in run.error


def test_a_value_longer_than_cloudformation_takes_is_refused(checked):
    credentials = {"secrets": [f"{SECRET}-{number:06}" for number in range(200)]}
    told = line(checked(f"{BEGINNING}TreezorCredentials: {json.dumps(credentials)}\n"))
    assert f"CloudFormation takes {MAX_VALUE_BYTES}" in told


@pytest.mark.parametrize("text", ["", "# nothing\n", "LogLevel: INFO\n", "TreezorCredentials: ''\nVeriffCredentials:\n"])
def test_a_file_without_any_provider_is_refused(checked, text):
    assert "the credentials of no provider" in line(checked(BEGINNING + text))


def test_every_finding_of_a_file_is_told_at_once(checked):
    run = checked(f"{BEGINNING}TreezorCredentials: {{secrets: [x]}}\nLogLevel: x\nVeriffCredentials: {{a: 1}}\n")
    assert run.status == 2 and len(run.told) == 3


# ---- What a stack has already ----

def test_cargo_builds_the_judge_if_need_be():
    right = json.dumps({"secrets": [SECRET]})
    [finding] = credentials.judge({"treezor": json.dumps({"secret": [SECRET]}), "veriff": right})
    assert finding.name == "treezor" and "unknown member" in finding.message


def test_a_provider_that_the_stack_has_need_not_be_in_the_file(tmp_path):
    given = check.parameters.parse(b"LogLevel: INFO\n", "parameters.yaml")
    check.refuse_wrong(tmp_path / "parameters.yaml", given, deployed=["VeriffCredentials"])
    given = check.parameters.parse(b"VeriffCredentials: ''\n", "parameters.yaml")
    with pytest.raises(check.Problem, match="no provider"):
        check.refuse_wrong(tmp_path / "parameters.yaml", given, deployed=["VeriffCredentials"])


def test_what_the_stack_keeps_is_judged_unless_the_file_has_better(tmp_path):
    file, weak = tmp_path / "parameters.yaml", json.dumps({"secrets": [f"my-webhook-secret-{2026}"]})
    refuse = functools.partial(check.refuse_wrong, file, deployed=["TreezorCredentials"], kept={"treezor": weak})
    with pytest.raises(check.Problem) as problem:
        refuse(check.parameters.parse(b"LogLevel: INFO\n", file.name))
    told = str(problem.value)
    assert told.startswith("parameters.yaml: TreezorCredentials isn't in it") and "easily guessed" in told
    assert "my-webhook-secret" not in told and "\n" not in told
    refuse(check.parameters.parse(f"TreezorCredentials: {json.dumps(TREEZOR)}\n".encode(), file.name))


@pytest.mark.parametrize("secret", [
    "REPLACE_WITH_YOUR_SECRET_1", "example-Xk9pQ2vB7rT4", "test-Xk9pQ2vB7rT4wZ8", "0123456789abcdef", "aabbccddaabbccdd",
    "my-webhook-secret-2026", "abcdef12-abcd-abcd-abcd-abcdef012345", "local-treezor-webhook-secret-0123456789",
])
def test_a_secret_that_anyone_could_guess_or_read_is_told_before_a_deploy(checked, secret):
    told = line(checked(f"{BEGINNING}TreezorCredentials: {{secrets: [{CANARY}-Lm8wZk3, {secret}]}}\n"))
    assert told.startswith("line 2: TreezorCredentials: ") and "TREEZOR_CREDENTIALS" not in told
    assert secret not in told


def test_the_functions_judge_each_provider_that_the_template_knows(checked):
    for name in template.load()["Parameters"]:
        if not name.endswith(CREDENTIALS):
            continue
        told = line(checked(f"{BEGINNING}{name}: {{nothing: {CANARY}}}\n"))
        assert told.startswith(f"line 2: {name}: ")


# ---- The build target ----

@pytest.fixture
def rust(tmp_path, monkeypatch):
    """Puts a rustc on the PATH that has only the standard library of one target."""

    def rust(*targets: str) -> None:
        for target in targets:
            (tmp_path / "lib" / target).mkdir(parents=True)
        compiler = tmp_path / "rustc"
        compiler.write_text(f'#!/bin/sh\necho "{tmp_path}/lib/$4"\n')
        compiler.chmod(0o700)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return rust


def test_an_architecture_that_this_machine_cant_build_is_said_at_once_with_the_command_that_adds_it(checked, rust):
    rust("x86_64-unknown-linux-gnu")
    run = checked(f"Architecture: arm64\nTreezorCredentials: {{secrets: [{SECRET}]}}\n")
    assert run.told == [
        "check: Architecture: this machine can't build for arm64 yet: run `rustup target add aarch64-unknown-linux-gnu`"]


def test_the_architecture_is_the_templates_if_the_file_names_none(checked, rust):
    rust("x86_64-unknown-linux-gnu")
    assert "for arm64" in checked(f"TreezorCredentials: {{secrets: [{SECRET}]}}\n").error


def test_an_architecture_that_lambda_does_not_have_is_refused(checked):
    told = line(checked(f"Architecture: {CANARY}\nTreezorCredentials: {{secrets: [{SECRET}]}}\n"))
    assert told == "line 1: Architecture must be one of arm64, x86_64"


def test_the_real_compiler_can_be_asked(checked):
    target = check.TARGETS["x86_64"]
    asked = subprocess.run(["rustc", "--print", "target-libdir", "--target", target], capture_output=True, text=True)
    assert target in asked.stdout
