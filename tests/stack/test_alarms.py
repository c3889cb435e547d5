"""The alarms' text: each says what to do, each is told, and nothing that the template has is without one."""
from __future__ import annotations

import re
from typing import Any, Iterator

import pytest

from .deployment import ROOT, webhooks
from .test_template_text import FUNCTIONS, NO_VALUE, PARAMETERS, RECEIVERS, RESOURCES, SOURCE, of_type

RUNBOOK = (ROOT / "docs/operate.md").read_text("utf-8")
#: Without those that tell CodeDeploy alone, of which the canaries' tests tell.
ALARMS = {name: alarm["Properties"] for name, alarm in of_type("AWS::CloudWatch::Alarm").items()
          if not alarm["Condition"].startswith("Canaries")}
PROVIDERS = [name.title() for name in webhooks.PROVIDERS]
OURS = {"Ref": "AWS::StackName"}

#: What each provider has an alarm for, and the metric that it looks at.
OF_PROVIDERS = {
    "Failed": "failed", "Spooled": "spooled", "Quarantined": "quarantined", "Refused": "refused",
    "BodyTooLarge": "bodyTooLarge", "IdReused": "idReused", "Inconsistent": "inconsistent", "Silent": "genuine",
    "SecretInvalid": "secretInvalid", "SecretStale": "secretStale", "SecretUnavailable": "secretUnavailable"}
#: No two parts of a webhook of Incode's could contradict each other.
NEVER = {"IncodeInconsistentAlarm"}
#: What each function has an alarm for.
OF_FUNCTIONS = {"Errors": "Errors", "Throttles": "Throttles"}
#: The longest that an alarm can look back, in seconds: a day, or a week where its periods are hours.
DAY, WEEK, HOUR = 86400, 604800, 3600


# ---- Each alarm ----

def sections() -> set[str]:
    headings = re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_is_wrong_and_which_section_is_about_it(name):
    description = ALARMS[name]["AlarmDescription"]
    said, _, section = description.rpartition(" docs/operate.md#")
    assert section in sections()
    # At least what is wrong, and what to do first.
    assert len(re.findall(r"[.:] [A-Z]|\.$", said)) >= 2, said
    assert len(description) <= 1024
    # The section names the alarm that leads to it.
    shown = [name, *(name.replace(of, f"{{{kind}}}", 1) for kind, of in owners(name))]
    assert any(f"`{each}`" in text_of(section) for each in shown), shown


def owners(name: str) -> Iterator[tuple[str, str]]:
    """The provider or the function that an alarm is about, by how the runbook calls such alarms."""
    yield from (("Provider", provider) for provider in PROVIDERS if name.startswith(provider))
    yield from (("Function", function) for function in FUNCTIONS if name.startswith(function))


def text_of(section: str) -> str:
    """The text of one section of the runbook."""
    parts = re.split(r"^#+ (.+)$", RUNBOOK, flags=re.MULTILINE)
    [text] = [text for heading, text in zip(parts[1::2], parts[2::2])
              if re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") == section]
    return text


def test_alarms_are_told_when_they_begin_and_end_if_there_is_a_topic():
    told = [{"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, NO_VALUE]}]
    for name, alarm in ALARMS.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == told, name
        assert "InsufficientDataActions" not in alarm, name
    assert [name for name in ALARMS if not name.endswith("Alarm")] == []


def test_a_metric_that_is_missing_is_an_alarm_where_it_should_come_and_nowhere_else():
    for name, alarm in ALARMS.items():
        is_missed = name.endswith("SilentAlarm")
        assert (alarm["TreatMissingData"], alarm["ComparisonOperator"]) == (
            ("breaching", "LessThanThreshold") if is_missed else ("notBreaching", "GreaterThanThreshold")), name


def test_cloudwatch_looks_back_as_far_as_alarms_ask():
    for name, alarm in ALARMS.items():
        period, periods = alarm["Period"], alarm["EvaluationPeriods"]
        if isinstance(periods, dict):
            periods = PARAMETERS[periods["Ref"]]["MaxValue"]
        assert period * periods <= (WEEK if period >= HOUR else DAY), name


def test_an_alarm_is_there_with_what_it_is_about_and_only_if_alarms_are_wanted():
    for name, alarm in ALARMS.items():
        assert RESOURCES[name]["Condition"] == re.sub("^Uses", "Alarms", condition_of(name, alarm)), name


def condition_of(name: str, alarm: dict[str, Any]) -> str:
    """The condition of what an alarm is about: of its function or queue, of its provider, or of who counts it."""
    for dimension in alarm.get("Dimensions", []):
        match dimension["Value"]:
            case {"Ref": named} | {"Fn::GetAtt": [named, _]}:
                return RESOURCES[named].get("Condition", "HasAlarms")
            case provider if "Secret" in name:
                return f"Alarms{provider.title()}Secret"
            case provider:
                return f"{'Expects' if name.endswith('SilentAlarm') else 'Uses'}{provider.title()}"
    counts = {"Poll": "UsesIncode", "WakeUp": "UsesIncode", "Wultra": "UsesWultra"}
    return next((condition for beginning, condition in counts.items() if name.startswith(beginning)), "HasAlarms")


# ---- Nothing is without one ----

def looking_at(namespace: Any, metric: str) -> dict[str, Any]:
    """The alarms on one metric, by what stands in their only dimension."""
    return {str(alarm["Dimensions"][0]["Value"]): name for name, alarm in ALARMS.items()
            if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)}


@pytest.mark.parametrize("kind", OF_PROVIDERS)
def test_every_provider_has_an_alarm_of_each_kind(kind):
    assert looking_at(OURS, OF_PROVIDERS[kind]) == {
        provider.lower(): f"{provider}{kind}Alarm" for provider in PROVIDERS if f"{provider}{kind}Alarm" not in NEVER}


@pytest.mark.parametrize("metric", OF_FUNCTIONS)
def test_every_function_has_an_alarm_of_each_kind(metric):
    assert looking_at("AWS/Lambda", metric) == {
        str({"Ref": function}): f"{function}{OF_FUNCTIONS[metric]}Alarm" for function in FUNCTIONS}


def test_every_function_that_a_provider_calls_has_an_alarm_on_how_long_it_takes():
    called = {*RECEIVERS, "IncodeToken"}
    assert looking_at("AWS/Lambda", "Duration") == {
        str({"Ref": function}): f"{function}SlowAlarm" for function in called}


def test_every_function_with_a_schedule_is_missed_when_it_does_not_run():
    scheduled = {name for name, function in FUNCTIONS.items()
                 if any(event["Type"] == "Schedule" for event in function["Properties"].get("Events", {}).values())}
    assert len(scheduled) == 2
    assert set(looking_at("AWS/Lambda", "Invocations")) == {str({"Ref": function}) for function in scheduled}


def test_every_queue_has_an_alarm_on_what_waits_there():
    waiting = {**looking_at("AWS/SQS", "ApproximateAgeOfOldestMessage"),
               **looking_at("AWS/SQS", "ApproximateNumberOfMessagesVisible")}
    assert set(waiting) == {str({"Fn::GetAtt": [queue, "QueueName"]}) for queue in of_type("AWS::SQS::Queue")}


def filters() -> dict[str, list[dict[str, Any]]]:
    """What counts lines of logs, by the metric."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in of_type("AWS::Logs::MetricFilter").values():
        [counted] = one["Properties"]["MetricTransformations"]
        assert counted == {"MetricNamespace": OURS, "MetricName": counted["MetricName"], "MetricValue": "1"}
        found.setdefault(counted["MetricName"], []).append(one)
    return found


def test_what_is_counted_from_a_log_has_an_alarm():
    assert set(filters()) == {"wultra.413", "wultra.429", "loggedErrors"}
    assert set(filters()) <= {alarm["MetricName"] for alarm in ALARMS.values()}


@pytest.mark.parametrize("status", ["413", "429"])
def test_what_api_gateway_turns_away_of_wultras_is_counted_from_its_log(status):
    [one] = filters()[f"wultra.{status}"]
    assert (one["Condition"], one["Properties"]["LogGroupName"]) == ("AlarmsWultra", {"Ref": "ApiLogs"})
    pattern, log = one["Properties"]["FilterPattern"], RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"]
    assert f'($.status = "{status}")' in pattern
    # The access log's lines have these members.
    assert all(f'"{member}":' in log for member in re.findall(r"\$\.(\w+)", pattern))


def test_the_errors_that_every_function_logs_are_counted():
    assert {one["Properties"]["FilterPattern"] for one in filters()["loggedErrors"]} == {'{ $.level = "ERROR" }'}
    condition = {one["Properties"]["LogGroupName"]["Ref"]: one["Condition"] for one in filters()["loggedErrors"]}
    assert condition == {f"{name}Logs": re.sub("^Uses", "Alarms", function.get("Condition", "HasAlarms"))
                         for name, function in FUNCTIONS.items()}


def test_a_providers_silence_is_as_long_as_its_parameter_says():
    for provider in PROVIDERS:
        alarm, parameter = ALARMS[f"{provider}SilentAlarm"], PARAMETERS[f"{provider}SilenceHours"]
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (HOUR, {"Ref": f"{provider}SilenceHours"})
        assert (parameter["Default"], parameter["MinValue"], parameter["MaxValue"]) == (0, 0, WEEK // HOUR)
        assert SOURCE["Conditions"][f"Expects{provider}"] == {"Fn::And": [
            {"Condition": f"Alarms{provider}"},
            {"Fn::Not": [{"Fn::Equals": [{"Ref": f"{provider}SilenceHours"}, 0]}]}]}


@pytest.mark.parametrize("value, taken", [
    ("", True),
    ("arn:aws:sns:eu-west-1:123456789012:on-call", True),
    ("arn:aws-cn:sns:cn-north-1:123456789012:on_call-1", True),
    ("arn:aws:sns:eu-west-1:123456789012:on-call.fifo", False),
    ("arn:aws:sqs:eu-west-1:123456789012:on-call", False),
    ("arn:aws:sns:eu-west-1:123456789012:on-call:00000000-0000-0000-0000-000000000000", False),
    ("on-call", False),
])
def test_alarms_are_told_to_a_topic_by_its_arn(value, taken):
    assert bool(re.fullmatch(PARAMETERS["AlarmTopicArn"]["AllowedPattern"], value)) == taken


# ---- What the documents say of them ----

def rows() -> list[list[str]]:
    """The table of alarms in the runbook."""
    table = text_of("alarms").split("| alarm | begins when | section |\n|---|---|---|\n")[1].split("\n\n")[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in table.splitlines()]


def test_the_runbook_lists_all_alarms_and_no_others():
    calling = {*RECEIVERS, "IncodeToken"}
    listed = []
    for names, _, _ in rows():
        for name in re.findall(r"`([\w{}]+Alarm)`", names):
            functions = calling if "SlowAlarm" in name else FUNCTIONS
            listed += ([name.replace("{Provider}", provider) for provider in PROVIDERS] if "{Provider}" in name else
                       [name.replace("{Function}", function) for function in functions] if "{Function}" in name else [name])
    # Those that tell CodeDeploy, too.
    assert sorted(set(listed) - NEVER) == sorted(of_type("AWS::CloudWatch::Alarm")) and NEVER <= set(listed)


def test_each_metric_that_the_runbook_calls_alarming_has_an_alarm_and_the_other_way_round():
    named = {name for _, begins, _ in rows() for name in re.findall(r"`([\w.]+)`", begins)}
    # Parameters, functions and queues stand in the same column.
    others = {*PARAMETERS, "IntakeOldAlarm", "outbox-relay", "incode-poller", "decisions", "intake"}
    own = {alarm["MetricName"] for alarm in ALARMS.values() if alarm["Namespace"] == OURS}
    of_lambda = {"Errors", "Throttles", "Duration"}
    assert {name for name in named if name not in others} == own | of_lambda


def test_what_the_alarms_cost_is_said_of_as_many_as_there_are():
    there = len([name for name in ALARMS if RESOURCES[name]["Condition"] not in map("Expects{}".format, PROVIDERS)])
    number, dollars = re.search(
        r"there are (\d+) alarms\. At 0\.10 \$ an alarm and 3 \$ a dashboard, that is ([\d.]+) \$", RUNBOOK).groups()
    assert (int(number), float(dollars)) == (there, round(there * 0.10 + 3, 2))


# ---- Who may do what the runbook says ----

def actions_of(policy: str) -> set[str]:
    """The actions that a managed policy allows in a stack that has everything."""
    written = RESOURCES[policy]["Properties"]["PolicyDocument"]["Statement"]
    statements = [one["Fn::If"][1] if "Fn::If" in one else one for one in written]
    return {action for one in statements for action in
            (one["Action"] if isinstance(one["Action"], list) else [one["Action"]])}


def test_the_policies_are_what_the_runbook_says_of_operators_and_of_those_on_call():
    operator, on_call = text_of("what-an-operator-may-do").split("`OnCallPolicyArn`")
    # Every caller may ask who it is.
    named = set(re.findall(r"`([a-z-]+:[A-Z]\w+)`", operator)) - {"sts:GetCallerIdentity"}
    assert named == actions_of("OperatorPolicy")
    assert set(re.findall(r"`([a-z-]+:[A-Z]\w+)`", on_call)) == actions_of("OnCallPolicy")


def test_those_on_call_change_nothing_except_whether_an_alarm_is_told():
    changing = {action for action in actions_of("OnCallPolicy") if not re.match(r"\w+:(Describe|Get|Filter)", action)}
    assert changing == {"cloudwatch:DisableAlarmActions", "cloudwatch:EnableAlarmActions"}
