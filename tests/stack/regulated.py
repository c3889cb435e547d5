"""Values of the parameters that an account with rules of its own needs, as tests give them."""
from __future__ import annotations

from .trial import credentials

PROVIDERS = ("Incode", "Treezor", "Veriff", "Wultra")
ACCOUNT = "000000000000"


def key(digit: int) -> str:
    """The ARN of a key."""
    return f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{str(digit) * 8}-1111-2222-3333-444444444444"


BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
CONSUMERS = ("arn:aws:iam::123456789012:role/consumer", "arn:aws:iam::210987654321:root")
DOMAIN = "verdict.example.com"

#: The parameters that are given together, by what they are for.
EACH: dict[str, dict[str, str]] = {
    "memory": {"MemorySize": "256"},
    "boundary": {"PermissionsBoundaryArn": BOUNDARY},
    "path": {"RolePath": "/teams/identity/"},
    "network": {"SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
                "SecurityGroupIds": "sg-0123456789abcdef0"},
    "the table's key": {"TableKeyArn": key(1)},
    "the queues' key": {"QueuesKeyArn": key(2)},
    "the secrets' key": {"SecretsKeyArn": key(3)},
    "the logs' key": {"LogsKeyArn": key(4)},
    "domain": {"DomainName": DOMAIN,
               "CertificateArn": f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"},
    "consumers": {"ConsumerArns": ",".join(CONSUMERS)},
}
ONLY_DOMAIN = {**EACH["domain"], "DefaultEndpoint": "false"}
ALL = {name: value for some in EACH.values() for name, value in some.items()} | ONLY_DOMAIN


def regulated(*names: str) -> dict[str, str]:
    """The parameters of a stack with all providers, and of these."""
    return {**credentials(*PROVIDERS), **{name: value for each in names for name, value in EACH[each].items()}}
