"""What the template says of the sessions table, held against a table; and what is missing, added to it.

For a table that CloudFormation doesn't manage: one that an earlier stack left behind, or one that was restored.
"""
from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, Optional

from botocore.exceptions import ClientError

from .problem import Problem

TABLE = "SessionsTable"
#: An index of a large table takes hours.
WAIT_SECONDS = 24 * 60 * 60
POLL_SECONDS = 1.0
MISSING = "ResourceNotFoundException"
#: What DynamoDB says of a table that is too new to be backed up.
NOT_YET = "ContinuousBackupsUnavailableException"


@dataclass(frozen=True)
class Difference:
    """A setting in which a table differs from the template."""

    #: As an operator reads it, such as `no index due`.
    text: str
    #: Brings the table to what the template says, and returns once it is.
    mend: Callable[[Any], None]


@dataclass(frozen=True)
class Table:
    """A table as DynamoDB describes it, in several calls."""

    name: str
    description: Mapping[str, Any]
    expires_by: Optional[str]
    is_recoverable: bool

    @classmethod
    def read(cls, database: Any, name: str) -> Table:
        try:
            description = database.describe_table(TableName=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] != MISSING:
                raise
            raise Problem(f"there is no table {name} in this account and region") from None
        expiry = database.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        backups = database.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        enabled = expiry["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
        return cls(name, description, expiry.get("AttributeName") if enabled else None, recovery == "ENABLED")

    @property
    def key(self) -> Optional[str]:
        """The ARN of the key that encrypts the table, unless it is DynamoDB's own."""
        return self.description.get("SSEDescription", {}).get("KMSMasterKeyArn")

    @property
    def indexes(self) -> dict[str, Any]:
        return {index["IndexName"]: index for index in self.description.get("GlobalSecondaryIndexes", [])}


def refuse_other_keys(table: Table, expected: Mapping[str, Any]) -> None:
    """Ends the command if the table can't hold sessions: a table's own keys never change."""
    if keys(table.description, "KeySchema") != keys(expected, "KeySchema"):
        raise Problem(f"the table {table.name} has other keys than sessions have "
                      f"({described(expected)} are needed): it isn't a sessions table")
    for name, index in wanted_indexes(expected).items():
        found = table.indexes.get(name)
        if found and shape(found) != shape(index):
            raise Problem(f"the table {table.name} has an index {name} of another form: delete that index, and deploy again")


def keys(of: Mapping[str, Any], member: str) -> list[tuple[str, str, str]]:
    """The key attributes with their types."""
    types = {each["AttributeName"]: each["AttributeType"] for each in of["AttributeDefinitions"]}
    return sorted((key["KeyType"], key["AttributeName"], types.get(key["AttributeName"], "")) for key in of[member])


def described(expected: Mapping[str, Any]) -> str:
    return " and ".join(f"{name} ({kind})" for _, name, kind in keys(expected, "KeySchema"))


def shape(index: Mapping[str, Any]) -> tuple[Any, ...]:
    """What an index is made of."""
    return (sorted((key["KeyType"], key["AttributeName"]) for key in index["KeySchema"]),
            index["Projection"]["ProjectionType"], sorted(index["Projection"].get("NonKeyAttributes", [])))


def wanted_indexes(expected: Mapping[str, Any]) -> dict[str, Any]:
    return {index["IndexName"]: index for index in expected.get("GlobalSecondaryIndexes", [])}


def differences(table: Table, expected: Mapping[str, Any]) -> Iterator[Difference]:
    """What the table lacks, in the order to add it."""
    for name, index in wanted_indexes(expected).items():
        if name not in table.indexes:
            yield Difference(f"no index {name}", index_adder(table.name, expected, index))
        elif table.indexes[name].get("IndexStatus", "ACTIVE") != "ACTIVE":
            yield Difference(f"the index {name} is not ready", index_awaiter(table.name, name))
    yield from lifetimes(table, expected)
    yield from keys_that_encrypt(table, expected)
    if expected.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") and not table.is_recoverable:
        yield Difference("point-in-time recovery is off", lambda database: recover(database, table.name))
    if expected.get("DeletionProtectionEnabled") and not table.description.get("DeletionProtectionEnabled"):
        yield Difference("deletion protection is off", lambda database: protect(database, table.name))


def lifetimes(table: Table, expected: Mapping[str, Any]) -> Iterator[Difference]:
    """Whether items expire by the attribute that the template names."""
    attribute = expected.get("TimeToLiveSpecification", {}).get("AttributeName")
    if table.expires_by == attribute:
        return
    if table.expires_by is None:
        yield Difference(f"items do not expire (time to live by {attribute} is off)",
                         lambda database: expire(database, table.name, attribute))
        return
    raise Problem(f"the items of the table {table.name} expire by {table.expires_by} instead of {attribute}: "
                  "turn that time to live off, wait an hour, and deploy again")


def keys_that_encrypt(table: Table, expected: Mapping[str, Any]) -> Iterator[Difference]:
    """Whether the key that the template names encrypts the table. If it names none, or isn't evaluated, any is right."""
    key = expected.get("SSESpecification", {}).get("KMSMasterKeyId")
    if isinstance(key, str) and key not in ("", table.key):
        yield Difference("another key encrypts it", lambda database: encrypt(database, table.name, key))


# ---- Adding what is missing ----

def index_adder(table: str, expected: Mapping[str, Any], index: Mapping[str, Any]) -> Callable[[Any], None]:
    """Adds one index; DynamoDB makes one at a time."""
    names = {key["AttributeName"] for key in index["KeySchema"]}
    definitions = [each for each in expected["AttributeDefinitions"] if each["AttributeName"] in names]

    def add(database: Any) -> None:
        await_active(database, table)
        database.update_table(TableName=table, AttributeDefinitions=definitions, GlobalSecondaryIndexUpdates=[
            {"Create": {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}}])
        await_index(database, table, index["IndexName"])

    return add


def index_awaiter(table: str, name: str) -> Callable[[Any], None]:
    """Waits until an index that is being made is ready."""
    return lambda database: await_index(database, table, name)


def await_index(database: Any, table: str, name: str) -> None:
    def is_ready() -> bool:
        indexes = database.describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", [])
        return any(index["IndexName"] == name and index.get("IndexStatus", "ACTIVE") == "ACTIVE" for index in indexes)

    wait(f"the index {name} of {table}", is_ready)
    await_active(database, table)


def await_active(database: Any, table: str) -> None:
    wait(f"the table {table}", lambda: database.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE")


def wait(what: str, is_done: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not is_done():
        if time.monotonic() > end:
            raise Problem(f"{what} is not ready after {WAIT_SECONDS // 3600} hours: look at it in DynamoDB's console")
        time.sleep(POLL_SECONDS)


def expire(database: Any, table: str, attribute: str) -> None:
    database.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute})


def recover(database: Any, table: str) -> None:
    def is_on() -> bool:
        try:
            database.update_continuous_backups(
                TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        except ClientError as error:
            if error.response["Error"]["Code"] != NOT_YET:
                raise
            return False
        return True

    wait(f"the recovery of {table}", is_on)


def protect(database: Any, table: str) -> None:
    await_active(database, table)
    database.update_table(TableName=table, DeletionProtectionEnabled=True)


def encrypt(database: Any, table: str, key: str) -> None:
    await_active(database, table)
    database.update_table(
        TableName=table, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    await_active(database, table)
