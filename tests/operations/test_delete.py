"""A stack is not deleted while anything waits in it, and what a deletion leaves behind finds its way into a new stack."""
from __future__ import annotations

import json

import pytest
from stack.trial import Deployed, credentials
from verdict import delete, redrive
from verdict.aws import Aws
from verdict.stack import QUEUES, WAKE_UP, Stack

NAME, NEXT = "old", "next"


@pytest.fixture
def deployed(endpoint):
    """A stack that nobody waits for."""
    deployed = Deployed(endpoint, NAME, **credentials("Wultra"))
    deployed.bridge()
    return Stack.require(Aws.connect(endpoint), NAME)


@pytest.fixture(scope="module")
def stack(endpoint):
    with Deployed(endpoint, "waiting", **credentials("Incode", "Wultra")) as deployed:
        deployed.bridge()
        hold(deployed)
        # Here the test stands in for the functions.
        for queue in deployed.of_type("AWS::SQS::Queue").values():
            Aws.connect(endpoint).client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
        yield Stack.require(Aws.connect(endpoint), "waiting")


def send(stack: Stack, url: str, **more: object) -> None:
    fifo = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if url.endswith(".fifo") else {}
    stack.client("sqs").send_message(QueueUrl=url, MessageBody="{}", **fifo, **more)


def outbox_entry(stack: Stack, sort_key: str) -> dict:
    return {"pk": {"S": "SESSION#wultra/1"}, "sk": {"S": sort_key}, "dueShard": {"S": "any"}, "dueAt": {"S": "2026"}}


def test_nothing_waits_in_a_new_stack(stack):
    assert list(delete.waiting(stack)) == []


@pytest.mark.parametrize("name", [*QUEUES, WAKE_UP])
def test_a_message_waits_on_whichever_queue_whether_it_is_seen_or_not(stack, verdict, name):
    queues, url = stack.client("sqs"), stack.queue_urls()[name]
    send(stack, url)
    assert list(delete.waiting(stack)) == [f"1 message on {name}Queue"]
    run = verdict("delete", "--stack-name", stack.name, "--endpoint", stack.aws.endpoint)
    assert run.status == 2 and len(run.told) == 1 and f"1 message on {name}Queue" in run.error and "FORCE=1" in run.error
    assert Stack.find(stack.aws, stack.name)
    # In flight: a consumer has it, and may die with it.
    [message] = queues.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]
    assert list(delete.waiting(stack)) == [f"1 message on {name}Queue"]
    queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert list(delete.waiting(stack)) == []


def test_a_message_that_is_put_off_waits_too(stack):
    url = stack.queue_urls()["Intake"]
    send(stack, url, DelaySeconds=600)
    assert list(delete.waiting(stack)) == ["1 message on IntakeQueue"]
    stack.client("sqs").purge_queue(QueueUrl=url)


def test_a_notification_that_is_not_published_waits_and_a_scheduled_poll_does_not(stack):
    database, table = stack.client("dynamodb"), stack.outputs["SessionsTableName"]
    for sort_key in ("STATE", "NOTIFICATION#1", "NOTIFICATION#2"):
        database.put_item(TableName=table, Item=outbox_entry(stack, sort_key))
    assert list(delete.waiting(stack)) == ["2 notifications to publish in the table"]
    for sort_key in ("NOTIFICATION#1", "NOTIFICATION#2"):
        item = outbox_entry(stack, sort_key)
        database.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
    assert list(delete.waiting(stack)) == []


def test_what_stays_is_named_and_the_old_quarantine_gets_into_a_new_stack(deployed, endpoint, verdict, tmp_path):
    table, urls = deployed.outputs["SessionsTableName"], deployed.queue_urls()
    run = verdict("delete", "--stack-name", NAME, "--endpoint", endpoint)
    assert (run.status, run.error) == (0, "")
    for what in (table, *urls.values(), *deployed.outputs["LogGroups"].split(","), f"make redrive FROM={urls['Quarantine']}",
                 f"SessionsTableName: {table}"):
        assert what in run.output
    assert Stack.find(deployed.aws, NAME) is None
    queues = deployed.client("sqs")
    assert deployed.client("dynamodb").describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"
    body = json.dumps({"left": "behind"})
    # Its policy stays, too; here the test stands in for a function that is gone.
    queues.set_queue_attributes(QueueUrl=urls["Quarantine"], Attributes={"Policy": ""})
    queues.send_message(QueueUrl=urls["Quarantine"], MessageBody=body, MessageAttributes={
        "reason": {"DataType": "String", "StringValue": "unreadable"}})

    role = operator(deployed)
    with Deployed(endpoint, NEXT, **credentials("Wultra"), OperatorArn=role, SessionsTableName=table) as following:
        following.bridge()
        hold(following)
        redriven = ("quarantine", "redrive", "--stack-name", NEXT, "--endpoint", endpoint, "--from", urls["Quarantine"])
        run = verdict(*redriven)
        assert (run.status, run.error) == (0, "") and run.output.startswith("About 1 message would be sent to intake. ")
        run = verdict(*redriven, "--apply", "--reason", "the next stack", "--audit", tmp_path / "audit.jsonl")
        assert (run.status, run.error) == (0, "") and run.output.startswith("Sent to intake: 1, on record in ")
        line = json.loads((tmp_path / "audit.jsonl").read_text("utf-8"))
        assert (line["what"], line["which"], line["reason"], line["result"], line["messages"]) == (
            "redrive", urls["Quarantine"], "the next stack", "moved", 1)
        [message] = queues.receive_message(
            QueueUrl=following.outputs["IntakeQueueUrl"], MessageAttributeNames=["All"])["Messages"]
        assert message["Body"] == body and message["MessageAttributes"]["reason"]["StringValue"] == "unreadable"
        assert redrive.move(queues, queues, urls["Quarantine"], following.outputs["IntakeQueueUrl"]) == 0


def operator(stack: Stack) -> str:
    """Makes a role for an operator who may do anything; the queue's own policy is what matters here."""
    iam = stack.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}]}
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    role = iam.create_role(RoleName="redriver", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="redriver", PolicyName="all", PolicyDocument=json.dumps(everything))
    return role


def hold(deployed: Deployed) -> None:
    """Has nobody take messages off the queues."""
    for mapping in deployed.of_type("AWS::Lambda::EventSourceMapping").values():
        Aws.connect(deployed.endpoint).client("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)


def test_without_an_operator_nothing_can_be_redriven_and_it_is_said(stack, verdict):
    run = verdict("quarantine", "redrive", "--stack-name", stack.name, "--endpoint", stack.aws.endpoint)
    assert run.status == 2 and len(run.told) == 1 and "has no OperatorArn" in run.error


@pytest.mark.parametrize("command", ["delete", "quarantine redrive", "doctor", "rebuild"])
def test_a_stack_that_is_not_there_is_told_in_one_line(verdict, endpoint, command):
    more = ["--session", "veriff/1"] if command == "rebuild" else []
    run = verdict(*command.split(), "--stack-name", "nowhere", "--endpoint", endpoint, *more)
    assert run.status == 2 and len(run.told) == 1 and "there is no stack nowhere" in run.error


@pytest.mark.parametrize("command", ["delete", "quarantine redrive", "doctor", "rebuild"])
def test_an_endpoint_that_does_not_answer_is_told_in_one_line(verdict, command):
    more = ["--session", "veriff/1"] if command == "rebuild" else []
    run = verdict(*command.split(), "--endpoint", "http://127.0.0.1:9", *more)
    assert run.status == 2 and len(run.told) == 1 and "Traceback" not in run.error
