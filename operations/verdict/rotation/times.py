"""The times that the steps of a rotation have to keep apart."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Mapping

from . import lists

#: For so long after it was sent, a provider may send a webhook again, proved as it was.
RETRIES = {
    "veriff": timedelta(days=7),
    "incode": timedelta(minutes=32),
    "treezor": timedelta(minutes=30),
    "wultra": timedelta(0),
}
#: What a function may need to fetch a version, and two clocks may differ by, beyond how old it may let one become.
SPREAD = timedelta(seconds=30)
#: How long a token of Verdict's is good for, if Incode's credentials don't say.
TOKEN_TTL_SECONDS = 3600


def usable_from(changed: datetime, ttl: timedelta) -> datetime:
    """When every function has what was changed."""
    return changed + ttl + SPREAD


def removable_from(
        changed: datetime, provider: str, name: str, keys: Mapping[str, Any], ttl: timedelta) -> datetime:
    """When nothing comes any more that was proved with an entry which stopped being the current one."""
    if name.startswith(f"{lists.EDGE}."):
        # The edge puts its header on a webhook that is sent again, too.
        return changed
    proved = changed + RETRIES[provider]
    if not name.startswith("oauth."):
        return proved
    # Until then, a function may have given a token that it wouldn't give now.
    lifetime = timedelta(seconds=keys["oauth"].get("tokenTtlSeconds", TOKEN_TTL_SECONDS))
    return max(proved, usable_from(changed, ttl) + lifetime)


def shown(at: datetime) -> str:
    """A time for an operator: here, and in UTC. Rounded up, since it says from when on something is allowed."""
    at = (at + timedelta(microseconds=999_999)).replace(microsecond=0)
    here, there = at.astimezone(), at.astimezone(timezone.utc)
    utc = f"{there:%Y-%m-%d %H:%M:%S} UTC"
    return utc if here.utcoffset() == timedelta(0) else f"{here:%Y-%m-%d %H:%M:%S %Z} ({utc})"
