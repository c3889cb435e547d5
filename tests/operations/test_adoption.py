"""A table that was kept or restored is brought to what the template says before the stack uses it; one that can't hold
sessions is refused, and so is losing the table of today."""
from __future__ import annotations

import uuid

import pytest
from stack.trial import Deployed, credentials
from verdict import adoption, table_settings, template
from verdict.aws import Aws
from verdict.parameters import Parameter
from verdict.problem import Problem
from verdict.stack import Stack
from verdict.table_settings import TABLE, Table, differences

EXPECTED = template.load()["Resources"][TABLE]["Properties"]
INDEXES = [index["IndexName"] for index in EXPECTED["GlobalSecondaryIndexes"]]


@pytest.fixture(autouse=True)
def without_patience(monkeypatch):
    monkeypatch.setattr(table_settings, "POLL_SECONDS", 0.05)


@pytest.fixture
def aws(endpoint):
    return Aws.connect(endpoint)


def table(aws: Aws, **other: object) -> str:
    """Makes a table with nothing but the keys of sessions, or others."""
    name = f"table-{uuid.uuid4().hex}"
    keys = {"AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")], "KeySchema": EXPECTED["KeySchema"]}
    aws.client("dynamodb").create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **{**keys, **other})
    return name


def lacking(aws: Aws, name: str) -> list[str]:
    return [each.text for each in differences(Table.read(aws.client("dynamodb"), name), EXPECTED)]


def named(name: str) -> list[Parameter]:
    return [Parameter(adoption.PARAMETER, 1, name)]


def test_what_a_table_lacks_is_shown_first_and_then_added(aws, capfd):
    name = table(aws)
    wanted = [*(f"no index {index}" for index in INDEXES),
              "items do not expire (time to live by expiresAt is off)",
              "point-in-time recovery is off", "deletion protection is off"]
    planned = adoption.plan(aws, None, named(name), force=False)
    # To plan changes nothing.
    assert lacking(aws, name) == wanted

    planned.carry_out(aws)

    assert lacking(aws, name) == []
    shown = capfd.readouterr().out.splitlines()
    assert shown == [f"The table {name} differs from the template:", *(f"  {text}" for text in wanted),
                     *(f"Mending: {text} …" for text in wanted)]
    found = aws.client("dynamodb").describe_table(TableName=name)["Table"]
    assert sorted(index["IndexName"] for index in found["GlobalSecondaryIndexes"]) == sorted(INDEXES)
    assert adoption.plan(aws, None, named(name), force=False).lacking == []


KEY = "arn:aws:kms:eu-west-1:000000000000:key/11111111-1111-2222-3333-444444444444"


def test_a_table_gets_the_key_that_the_parameters_name_and_keeps_its_own_if_they_name_none(aws):
    name, key = table(aws), Parameter(adoption.KEY, 2, KEY)
    adoption.plan(aws, None, named(name), force=False).carry_out(aws)
    with_key = adoption.plan(aws, None, [*named(name), key], force=False)
    assert [each.text for each in with_key.lacking] == ["another key encrypts it"]
    with_key.carry_out(aws)
    assert Table.read(aws.client("dynamodb"), name).key == KEY
    for parameters in ([*named(name), key], named(name)):
        assert adoption.plan(aws, None, parameters, force=False).lacking == []


def test_only_what_is_missing_is_added(aws):
    name = table(aws)
    database = aws.client("dynamodb")
    before = list(differences(Table.read(database, name), EXPECTED))
    before[0].mend(database)
    before[-1].mend(database)
    assert lacking(aws, name) == [each.text for each in before[1:-1]]


@pytest.mark.parametrize("other", [
    {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
     "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]},
    {"AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}]},
], ids=["no sort key", "numbers for sort keys"])
def test_a_table_with_other_keys_is_refused(aws, other):
    with pytest.raises(Problem, match=r"other keys than sessions have \(pk \(S\) and sk \(S\) are needed\)"):
        adoption.plan(aws, None, named(table(aws, **other)), force=True)


def test_an_index_of_another_form_is_refused(aws):
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "dueShard")]
    name = table(aws, AttributeDefinitions=attributes, GlobalSecondaryIndexes=[{
        "IndexName": "due", "KeySchema": [{"AttributeName": "dueShard", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"}}])
    with pytest.raises(Problem, match="an index due of another form"):
        adoption.plan(aws, None, named(name), force=True)


def test_items_that_expire_by_another_attribute_are_refused(aws):
    name = table(aws)
    aws.client("dynamodb").update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
    with pytest.raises(Problem, match="expire by ttl instead of expiresAt"):
        adoption.plan(aws, None, named(name), force=True)


def test_a_table_that_is_not_there_is_refused(aws):
    with pytest.raises(Problem, match="there is no table nowhere"):
        adoption.plan(aws, None, named("nowhere"), force=True)


# ---- A stack that has a table ----

@pytest.fixture(scope="module")
def deployed(endpoint):
    """A stack that adopted a table, and one that made its own."""
    aws = Aws.connect(endpoint)
    name = table(aws)
    with Deployed(endpoint, "adopter", **credentials("Wultra"), SessionsTableName=name), \
            Deployed(endpoint, "maker", **credentials("Wultra")):
        yield name, Stack.require(aws, "adopter"), Stack.require(aws, "maker")


@pytest.mark.parametrize("given, is_refused", [([], False), (named(""), True)], ids=["left out", "empty"])
def test_an_adopted_table_is_not_given_up_by_the_way(aws, deployed, given, is_refused):
    name, adopter, _ = deployed
    if not is_refused:
        assert adoption.plan(aws, adopter, given, force=False).table == name
        return
    with pytest.raises(Problem, match=f"uses the table {name}.*FORCE=1"):
        adoption.plan(aws, adopter, given, force=False)
    assert adoption.plan(aws, adopter, given, force=True) is None


def test_a_stack_with_a_table_of_its_own_goes_on_with_it(aws, deployed):
    _, _, maker = deployed
    for given in ([], named("")):
        assert adoption.plan(aws, maker, given, force=False) is None


def test_a_change_of_tables_is_said(aws, deployed, capfd):
    name, adopter, maker = deployed
    own = maker.outputs["SessionsTableName"]
    adoption.plan(aws, maker, named(name), force=False).carry_out(aws)
    assert f"from {own}, which stays, to {name}" in capfd.readouterr().out
    adoption.plan(aws, adopter, named(name), force=False).carry_out(aws)
    assert "changes its table" not in capfd.readouterr().out


def test_the_doctor_holds_an_adopted_table_against_the_template_too(aws, deployed):
    from verdict.doctor.finding import Finding
    from verdict.doctor.table import look

    name, adopter, _ = deployed
    database = aws.client("dynamodb")
    for each in differences(Table.read(database, name), EXPECTED):
        each.mend(database)
    assert not [found for found in look(adopter) if isinstance(found, Finding)]
    database.update_table(TableName=name, DeletionProtectionEnabled=False)
    [found] = look(adopter)
    assert isinstance(found, Finding) and "make deploy" in found.remedy
