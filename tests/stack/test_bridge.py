"""What the bridge makes of a deployed stack: the routes that the template says, and queues that can do without TLS."""
from __future__ import annotations

import pytest
from verdict.bridge import demands_tls, stood_in, with_sessions
from verdict.deployed import DeployedTemplate, ToFunction, ToUrl

from .test_template_text import ADAPTER
from .trial import Deployed, credentials

PROVIDERS = ("Incode", "Treezor", "Veriff", "Wultra")
URL = "https://adapter.example.com"
#: The routes that there are with the URL of an adapter only.
ADAPTERS = {f"POST /wultra/{path}" for path in ADAPTER}


@pytest.fixture(scope="module")
def whole(endpoint):
    """A stack with all providers, bridged."""
    with Deployed(endpoint, "whole", **credentials(*PROVIDERS)) as stack:
        stack.bridge()
        yield stack


@pytest.mark.parametrize("path, function", [
    ("/veriff/events", "veriff-events"),
    ("/veriff/events/", "veriff-events"),
    ("/veriff/events//", "veriff-events"),
    ("/veriff/decisions", "veriff-decisions"),
    ("/veriff/decisions/", "veriff-decisions"),
    ("/veriff/decisions/x", "veriff-decisions"),
    ("/veriff//decisions", "veriff-decisions"),
    ("/veriff//events", "veriff-decisions"),
    ("//veriff/events", "veriff-events"),
    ("/incode/onboarding-status", "incode-webhooks"),
    ("/incode/onboarding-status/", "incode-webhooks"),
    ("/incode//onboarding-status", "incode-webhooks"),
    ("/incode/a/session-succeeded", "incode-webhooks"),
    ("/incode/", "incode-webhooks"),
    ("/incode/oauth/token", "incode-token"),
    ("/incode/oauth/token/", "incode-token"),
    ("/treezor", "treezor-webhooks"),
    ("/treezor/", "treezor-webhooks"),
    ("/treezor//", "treezor-webhooks"),
    ("/wultra/process/event", "wultra-events"),
    ("/wultra/process/event/", "wultra-events"),
    ("/wultra//process/event", "wultra-events"),
    ("/wultra/user/lookup", "wultra-events"),
    ("/veriff", None),
    ("/incode", None),
    ("/wultra", None),
    ("/treezorx", None),
    ("/", None),
])
def test_a_path_reaches_its_function(whole, path, function):
    assert whole.reached(path) == function


@pytest.mark.parametrize("path", [
    "/treezor/", "/veriff/decisions/", "/wultra//process/event", "/incode/onboarding-status/"])
def test_the_function_sees_the_path_as_it_came(whole, path):
    assert whole.post(path).json["event"]["rawPath"] == path


def test_twice_changes_nothing(whole):
    before = whole.routes
    whole.bridge()
    assert whole.routes == before


def test_an_update_of_the_stack_brings_the_routes_up_to_date(endpoint):
    with Deployed(endpoint, **credentials("Wultra", "Treezor")) as stack:
        stack.bridge()
        first = stack.routes
        stack.update(**credentials("Wultra"), WultraAdapterUrl=URL)
        stack.bridge()
        second = stack.routes
        assert first.keys() - second.keys() == {"POST /treezor", "POST /treezor/", "POST /treezor/{proxy+}"}
        assert second.keys() - first.keys() == ADAPTERS
        assert all(second[key] == route for key, route in first.items() if key in second)
        stack.update(**credentials("Wultra", "Treezor"))
        stack.bridge()
        assert stack.routes.keys() == first.keys()


def test_another_url_of_the_adapter_takes_the_place_of_the_old_one(endpoint):
    with Deployed(endpoint, **credentials("Wultra"), WultraAdapterUrl=URL) as stack:
        stack.bridge()
        before = stack.routes
        stack.update(**credentials("Wultra"), WultraAdapterUrl=f"{URL}/new")
        stack.bridge()
        after = stack.routes
        assert {key for key in before if before[key] != after[key]} == ADAPTERS
        template = DeployedTemplate(stack.name, stack.cloudformation)
        assert template.routes()["POST /wultra/otp/send"].target == ToUrl(f"{URL}/new/otp/send")
        assert template.routes()["POST /wultra/{proxy+}"].target == ToFunction("WultraEvents")


def test_only_the_demand_for_tls_is_taken_out_of_a_queues_policy(endpoint):
    with Deployed(endpoint, "bridged", **credentials("Wultra")) as stack, \
            Deployed(endpoint, "other", **credentials("Wultra")) as other:
        queues = [*stack.of_type("AWS::SQS::Queue")]
        before = {queue: statements(stack, queue) for queue in queues}
        untouched = {queue: other.queue_policy(queue) for queue in queues}
        stack.bridge()
        after = {queue: statements(stack, queue) for queue in queues}
        assert [before[queue] - after[queue] for queue in queues] == [{"OnlyOverTls"}] * len(queues)
        assert after == {
            "DecisionsQueue": {"OnlyPublishers"}, "DecisionsDeadLetterQueue": {"OnlyDeadLetters"},
            "IntakeQueue": {"OnlyFromUs"}, "QuarantineQueue": {"OnlyPutAside"}}
        assert {queue: other.queue_policy(queue) for queue in queues} == untouched


def statements(stack: Deployed, queue: str) -> set[str]:
    """The statements of a queue's policy, by their ids."""
    policy = stack.queue_policy(queue) or {"Statement": []}
    return {statement["Sid"] for statement in policy["Statement"]}


@pytest.mark.parametrize("statement, demands", [
    ({"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, True),
    ({"Effect": "Deny", "Condition": {"Bool": {"AWS:securetransport": "false"}}}, True),
    ({"Effect": "Deny", "Condition": {"ArnNotLike": {"aws:PrincipalArn": []}}}, False),
    ({"Effect": "Allow"}, False),
])
def test_a_statement_about_tls_is_told_by_its_condition(statement, demands):
    assert demands_tls(statement) == demands


def test_a_role_that_a_policy_names_stands_for_its_sessions_too():
    role, sessions = "arn:aws:iam::000000000000:role/{}", "arn:aws:sts::000000000000:assumed-role/{}/*"
    user = "arn:aws:iam::000000000000:user/operations"

    def only_from(*arns: str) -> dict:
        return {"Effect": "Deny", "Condition": {"ArnNotLike": {"aws:PrincipalArn": list(arns)}}}

    adapted = with_sessions(only_from(role.format("relay"), role.format("path/of/operator"), user))
    assert adapted == only_from(
        role.format("relay"), role.format("path/of/operator"), user, sessions.format("relay"), sessions.format("operator"))
    assert with_sessions(adapted) == adapted


@pytest.mark.parametrize("statement", [
    {"Effect": "Allow", "Action": "sqs:SendMessage"},
    {"Effect": "Deny", "Condition": {"ArnLike": {"aws:SourceArn": ["arn:aws:iam::000000000000:role/relay"]}}},
])
def test_a_statement_about_something_else_stays_as_it_is(statement):
    assert with_sessions(statement) == statement


@pytest.mark.parametrize("url, reached", [
    ("https://adapter.example.com/base/otp/send", "http://127.0.0.1:1/otp/send"),
    ("https://adapter.example.com/base", "http://127.0.0.1:1"),
    ("https://adapter.example.com/baseline/otp/send", "https://adapter.example.com/baseline/otp/send"),
    ("https://other.example.com/otp/send", "https://other.example.com/otp/send"),
])
def test_a_url_is_stood_in_for_from_its_beginning(url, reached):
    assert stood_in(url, {"https://adapter.example.com/base": "http://127.0.0.1:1"}) == reached
