"""Before anything is read, compiled or deployed: where to, and as whom. And what is deployed with."""
from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from stack.deployment import client
from stack.trial import Deployed
from verdict import aws as accounts
from verdict import credentials, deploy, parameters, secret
from verdict.aws import Aws, Keys
from verdict.deploy import Target, arguments
from verdict.problem import Problem
from verdict.stack import Stack

SETTINGS = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_WEB_IDENTITY_TOKEN_FILE", "ENDPOINT")


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """An operator who has set up nothing."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    accounts.session.cache_clear()
    accounts.client.cache_clear()
    yield
    accounts.session.cache_clear()
    accounts.client.cache_clear()


@pytest.mark.parametrize("command", ["deploy", "rollback", "doctor", "delete", "quarantine redrive"])
def test_a_region_is_asked_for_first(verdict, command, tmp_path):
    run = verdict(*command.split())
    assert run.told == [f"{command}: there is no AWS region: set AWS_REGION, or give your AWS profile a region"]
    assert run.status == 2


@pytest.mark.parametrize("command", ["deploy", "rollback", "doctor", "delete", "quarantine redrive"])
def test_credentials_are_asked_for_next(verdict, command, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    run = verdict(*command.split())
    assert run.told == [f"{command}: there are no AWS credentials: set AWS_PROFILE, or sign in (`aws sso login`)"]


def test_a_profile_that_is_not_there_is_told_in_one_line(verdict, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    run = verdict("deploy")
    assert run.status == 2 and len(run.told) == 1 and "nowhere" in run.error


def test_credentials_that_are_not_accepted_are_told_in_one_line(endpoint):
    with pytest.raises(Problem, match="does not accept the credentials"):
        Aws("eu-west-1", endpoint, Keys("AKIA00000000NOBODY00", "none")).caller()


@pytest.mark.parametrize("settings, region", [
    ({"AWS_REGION": "eu-north-1"}, "eu-north-1"),
    ({"AWS_DEFAULT_REGION": "eu-south-1"}, "eu-south-1"),
    ({"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "eu-south-1"}, "eu-north-1"),
])
def test_the_region_is_handed_on_to_sam_as_whatever_names_it(settings, region):
    connected = Aws.connect(None, settings)
    assert connected.region == region
    assert connected.environment(settings)["AWS_DEFAULT_REGION"] == region


def test_a_region_of_the_profile_will_do(monkeypatch, tmp_path):
    (tmp_path / "config").write_text("[profile ours]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "ours")
    assert Aws.connect(None).region == "eu-central-1"


def test_a_local_endpoint_sees_nothing_of_the_operators_own_settings():
    mine = {"AWS_PROFILE": "mine", "AWS_ACCESS_KEY_ID": "AKIAMINE", "AWS_SESSION_TOKEN": "mine", "HOME": "/home/me"}
    seen = Aws.connect("http://127.0.0.1:4566", mine).environment(mine)
    assert seen["HOME"] == "/home/me" and seen["AWS_ACCESS_KEY_ID"] == "test"
    assert "mine" not in [value.lower() for name, value in seen.items() if name.startswith("AWS_")]
    assert "AWS_SESSION_TOKEN" not in seen and "AWS_PROFILE" not in seen


@pytest.mark.parametrize("endpoint, is_local", [
    (None, False), ("", False), ("http://127.0.0.1:4566", True), ("http://localhost:1", True), ("http://[::1]:1", True),
    ("https://sqs.eu-west-1.amazonaws.com", False), ("http://10.0.0.1:4566", False),
])
def test_only_this_machine_is_local(endpoint, is_local):
    assert accounts.is_loopback(endpoint) is is_local


def test_what_is_no_url_is_told(verdict):
    run = verdict("doctor", "--endpoint", "http://[")
    assert run.status == 2 and len(run.told) == 1 and "isn't a URL" in run.error


# ---- What a deployed stack keeps ----

WEAK = '{"secrets":["my-webhook-secret-2026"]}'


def test_a_secret_that_functions_of_the_next_release_refuse_is_told_before_the_upgrade(endpoint, tmp_path, monkeypatch):
    """The stack runs with it. Nothing is built or deployed, though the file doesn't have the credentials."""
    monkeypatch.setattr(deploy.sam, "run", lambda *_, **__: pytest.fail("sam was started"))
    file = tmp_path / "parameters.yaml"
    file.write_text("Architecture: x86_64\n", "utf-8")
    told = pytest.raises(Problem, match=r"VeriffCredentials isn't in it.*easily guessed")
    with Deployed(endpoint, "kept", VeriffCredentials=WEAK), told as problem:
        deploy.deploy(Target(Aws.connect(endpoint), "kept"), file)
    assert "my-webhook-secret" not in str(problem.value)


def test_credentials_that_the_file_has_or_takes_away_are_not_looked_for_in_the_stack(endpoint):
    with Deployed(endpoint, "kept", VeriffCredentials=WEAK) as deployed:
        stack = Stack.require(Aws.connect(deployed.endpoint), "kept")
        for text in (b"VeriffCredentials: {secrets: [Xk9pQ2vB7rT4wZ8yLm3]}\n", b"VeriffCredentials: ''\n"):
            assert deploy.kept_credentials(stack, parameters.parse(text, "parameters.yaml")) == {}
        assert deploy.kept_credentials(stack, []) == {"veriff": WEAK}
    assert deploy.kept_credentials(None, []) == {}


def test_who_may_not_see_what_the_functions_have_may_deploy_all_the_same(endpoint, capsys):
    with Deployed(endpoint, "kept", VeriffCredentials=WEAK) as deployed:
        stack = Stack.require(Aws.connect(deployed.endpoint), "kept")
        assert stack.template.holds("UsesVeriff")
        nobody = Aws(stack.aws.region, stack.aws.endpoint, Keys("AKIA00000000NOBODY00", "none"))
        unseen = replace(stack, aws=nobody)
        unseen.__dict__["template"] = stack.template
        assert deploy.kept_credentials(unseen, []) == {}
    assert "aren't checked" in capsys.readouterr().out


# ---- Credentials in secrets ----

STRONG = "Xk9pQ2vB7rT4wZ8yLm3"
CANARY = "c4naryP9xQ7rT2vB"
ELSEWHERE = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:elsewhere-AbC123"
NO_SUCH = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:nothing-AbC123"


@pytest.fixture(scope="module")
def put(endpoint):
    """Makes a secret that holds a text, and returns its ARN."""
    manager, names = client("secretsmanager", endpoint), itertools.count()

    def put(text: str) -> str:
        return manager.create_secret(Name=f"deployed/{next(names)}", SecretString=text)["ARN"]

    return put


@pytest.fixture
def checked(endpoint, tmp_path, monkeypatch, judge, capsys):
    """Checks a parameter file as a deploy does, by default of a new stack. Returns the parameters that sam would get, or
    what is told instead, and what is said."""
    monkeypatch.setattr(credentials, "COMMAND", judge)

    def checked(text: str, name: str = "new", aws: Aws | None = None) -> tuple[dict[str, str] | str, str]:
        file = tmp_path / "parameters.yaml"
        file.write_text(f"Architecture: x86_64\n{text}", "utf-8")
        aws = aws or Aws.connect(endpoint)
        stack = Stack.find(Aws.connect(endpoint), name)
        this = deploy.Deployment.of(file, stack)
        try:
            deploy.refuse_mistakes(Target(aws, name), this, CALLER)
            result: dict[str, str] | str = {each.name: each.value for each in this.given}
        except Problem as problem:
            result = str(problem)
        said = capsys.readouterr()
        assert CANARY not in f"{result}{said.out}{said.err}"
        return result, said.out

    return checked


CALLER = "arn:aws:iam::000000000000:root"


@pytest.mark.parametrize("parameter, text, told", [
    ("VeriffSecretArn", f'{{"secrets":["{STRONG}","{CANARY[:9]}"]}}', "`secrets` entry 2 is shorter than 16 characters"),
    ("VeriffSecretArn", f'{{"secret":["{CANARY}{STRONG}"]}}', "unknown member; did you mean `secrets`?"),
    ("TreezorSecretArn", f'{{"secrets":["{CANARY}{STRONG}"],"urlTokens":["{STRONG}"]}}', "`urlTokens` entry 1 is shorter"),
    ("WultraSecretArn", f"{CANARY}", "not JSON"),
    ("IncodeSecretArn", f'{{"headers":{{"x-a":["{CANARY}{STRONG}"]}},"api":{{"baseUrl":"https://a.example","apiKey":"k",'
                        '"email":"e@a.example","password":"p"}}', "`api` has no place in this secret"),
])
def test_what_a_secret_holds_is_judged_before_a_deploy(checked, put, parameter, text, told):
    refused, _ = checked(f"{parameter}: {put(text)}\n")
    assert refused.startswith(f"parameters.yaml, line 2: {parameter}: {told}")


def test_what_the_secret_of_incodes_api_holds_is_judged_as_such(checked, put):
    right = put(f'{{"headers":{{"x-incode-secret":["{CANARY}{STRONG}"]}}}}')
    refused, _ = checked(f"IncodeSecretArn: {right}\nIncodeApiSecretArn: {put('{}')}\n")
    assert refused.startswith("parameters.yaml, line 3: IncodeApiSecretArn: `api` is missing")
    given, said = checked(f"IncodeSecretArn: {right}\n")
    assert given["IncodeSecretArn"] == right and "Incode isn't asked, so that its webhooks decide by themselves" in said


def test_a_secret_that_the_functions_could_not_fetch_is_refused(checked):
    refused, _ = checked(f"VeriffSecretArn: {NO_SUCH}\n")
    assert refused == "parameters.yaml, line 2: VeriffSecretArn: the secret isn't there"


def test_another_regions_secret_is_judged_there_and_that_is_said(checked, endpoint):
    there = secret.manager(Aws.connect(endpoint), ELSEWHERE)
    arn = there.create_secret(Name="elsewhere", SecretString=f'{{"secrets":["{STRONG}"]}}')["ARN"]
    given, said = checked(f"VeriffSecretArn: {arn}\n")
    assert given["VeriffSecretArn"] == arn
    assert "VeriffSecretArn: the secret is in eu-central-1, so that functions in eu-west-1 depend on both regions" in said
    there.put_secret_value(SecretId=arn, SecretString=WEAK)
    refused, _ = checked(f"VeriffSecretArn: {arn}\n")
    assert "VeriffSecretArn: `secrets` entry 1 is easily guessed" in refused


def test_a_part_of_an_arn_that_looks_like_a_whole_one_is_told_with_the_whole(checked, endpoint):
    # The name ends like an ARN: Secrets Manager finds the secret, and IAM wouldn't.
    whole = client("secretsmanager", endpoint).create_secret(
        Name="verdict-veriff", SecretString=f'{{"secrets":["{STRONG}"]}}')["ARN"]
    refused, _ = checked(f"VeriffSecretArn: {whole[:whole.rindex('-')]}\n")
    assert refused.endswith(f"VeriffSecretArn: the secret has another ARN: give the whole one, {whole}")


def test_a_secret_that_only_the_functions_may_read_is_no_obstacle(checked, put, endpoint):
    arn = put(f'{{"secrets":["{STRONG}"]}}')
    nobody = Aws("eu-west-1", endpoint, Keys("AKIA00000000NOBODY00", "none"))
    given, said = checked(f"VeriffSecretArn: {arn}\n", aws=nobody)
    assert given["VeriffSecretArn"] == arn
    assert "VeriffSecretArn: the secret can't be read by you (" in said and "isn't checked" in said


def test_another_accounts_secret_needs_more_and_that_is_said(checked):
    _, said = checked(f"VeriffSecretArn: {NO_SUCH.replace('000000000000', '111122223333')}\n")
    assert "VeriffSecretArn: the secret is another account's: its resource policy" in said


def test_of_credentials_and_a_secret_one_takes_the_place_of_the_other_and_what_is_kept_is_judged(checked, put, endpoint):
    strong, keys = put(f'{{"secrets":["{STRONG}"]}}'), f'{{"secrets":["{STRONG}-new"]}}'
    with Deployed(endpoint, "moving", VeriffSecretArn=put(WEAK), TreezorCredentials=WEAK):
        refused, said = checked("LogLevel: INFO\n", "moving")
        assert "takes the place" not in said
        kept, fetched = sorted(refused.splitlines())
        assert kept.startswith("parameters.yaml: TreezorCredentials isn't in it, and those that the stack has would ")
        assert fetched.startswith("parameters.yaml: VeriffSecretArn isn't in it, and the secret that the stack has would ")
        assert "easily guessed" in kept and "easily guessed" in fetched
        # Weak as they are, both go as soon as something else comes.
        given, said = checked(f"VeriffCredentials: '{keys}'\nTreezorSecretArn: {strong}\n", "moving")
        assert (given["VeriffCredentials"], given["VeriffSecretArn"]) == (keys, "")
        assert (given["TreezorCredentials"], given["TreezorSecretArn"]) == ("", strong)
        for place in ("TreezorSecretArn takes the place of TreezorCredentials, which the stack has",
                      "VeriffCredentials takes the place of VeriffSecretArn, which the stack has"):
            assert place in said


@pytest.mark.parametrize("text, deployed, emptied", [
    ("WultraSecretArn: x", ["WultraCredentials"], ["WultraCredentials"]),
    ("VeriffCredentials: x", ["VeriffSecretArn"], ["VeriffSecretArn"]),
    # What opens Incode's API is then among the credentials, or isn't there.
    ("IncodeCredentials: x", ["IncodeSecretArn", "IncodeApiSecretArn"], ["IncodeSecretArn", "IncodeApiSecretArn"]),
    ("IncodeSecretArn: x", ["IncodeCredentials"], ["IncodeCredentials"]),
    ("IncodeApiSecretArn: x", ["IncodeCredentials"], []),
    # Nothing goes that the file has, or for what isn't there.
    ("VeriffSecretArn: x\nVeriffCredentials: y", ["VeriffCredentials"], []),
    ("VeriffSecretArn: ''", ["VeriffCredentials"], []),
    ("TreezorSecretArn: x\nWultraCredentials: ''", ["VeriffCredentials", "WultraSecretArn"], []),
])
def test_what_another_takes_the_place_of_is_set_to_nothing_since_cloudformation_would_keep_it(text, deployed, emptied):
    given = parameters.parse(text.encode(), "parameters.yaml")
    assert [(each.name, each.value) for each in deploy.in_whose_place(given, deployed)] == [(name, "") for name in emptied]


# ---- What sam is told ----

LOCAL = Aws.connect("http://127.0.0.1:4566")


def test_a_stack_has_its_name_tags_role_and_bucket_by_variable():
    told = arguments(Target(LOCAL, "test", "team=a stage=b", "arn:aws:iam::123456789012:role/deploy", "ours"), ["file://x"])
    for pair in (("--stack-name", "test"), ("--tags", "team=a stage=b"), ("--s3-bucket", "ours"),
                 ("--role-arn", "arn:aws:iam::123456789012:role/deploy"), ("--parameter-overrides", "file://x")):
        at = told.index(pair[0])
        assert tuple(told[at:at + 2]) == pair
    assert "--no-resolve-s3" in told


def test_without_them_sam_is_told_nothing_of_them():
    told = arguments(Target(LOCAL, "test"), ["file://x"])
    assert not {"--tags", "--s3-bucket", "--role-arn", "--no-resolve-s3"} & {*told}


def test_the_version_is_gits_own_word_for_what_is_deployed():
    [told] = deploy.version()
    assert told.startswith("Version=") and len(told) > len("Version=")


@pytest.mark.parametrize("variables, expected", [
    ({"FORCE": "1"}, True), ({"FORCE": ""}, False), ({"FORCE": "0"}, False), ({}, False)])
def test_variables_of_make_are_options(monkeypatch, verdict, variables, expected):
    seen: dict = {}
    monkeypatch.setattr(deploy, "deploy", lambda target, path, is_checked, is_started: seen.update(
        force=target.force, name=target.stack_name, is_checked=is_checked, is_started=is_started, path=path) or 0)
    for name, value in {**variables, "STACK_NAME": "named", "ENDPOINT": "http://127.0.0.1:1", "CHECK": "0", "START": "0",
                        "PARAMETERS": "other.yaml"}.items():
        monkeypatch.setenv(name, value)
    assert verdict("deploy").status == 0
    assert (seen["force"], seen["name"], seen["is_checked"], seen["is_started"], str(seen["path"])) == (
        expected, "named", False, False, "other.yaml")


def test_help_names_every_command(verdict):
    run = verdict("--help")
    assert run.status == 0
    for command in ("build", "check", "deploy", "rollback", "doctor", "delete", "notifications", "package", "quarantine",
                    "rebuild", "restore-drill", "rotate"):
        assert f"\n  {command} " in run.output
