#!/usr/bin/env python3
"""Writes times.jsonl: times as providers spell them, each as JSON text, and what each means: a time in UTC, `blank` or `unreadable`."""
from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
INSTANTS = [
    datetime(2026, 6, 12, 23, 0, 0, tzinfo=timezone.utc),
    datetime(2026, 6, 13, 0, 38, 30, 861285, tzinfo=timezone.utc),
    datetime(2024, 2, 29, 23, 59, 59, 999000, tzinfo=timezone.utc),
    datetime(2020, 12, 31, 23, 30, 0, 1, tzinfo=timezone.utc),
    datetime(2001, 9, 9, 1, 46, 40, 500000, tzinfo=timezone.utc),
]
OFFSETS = [timedelta(0), timedelta(hours=2), timedelta(hours=-5), timedelta(hours=5, minutes=30), timedelta(hours=-9, minutes=-30)]

CASES: list[dict[str, str]] = []


def add(text: str, means: str) -> None:
    add_json(json.dumps(text), means)


def add_json(spelled: str, means: str) -> None:
    CASES.append({"spelled": spelled, "means": means})


def meant(at: datetime, nanos: str | None = None) -> str:
    """As the record writes it: as many digits as the fraction needs."""
    fraction = (nanos if nanos is not None else f"{at.microsecond:06}").rstrip("0")
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + "Z"


def unix(at: datetime) -> tuple[int, int]:
    """Whole seconds, and microseconds."""
    micros = (at - EPOCH) // timedelta(microseconds=1)
    return micros // 1_000_000, micros % 1_000_000


def civil(at: datetime) -> None:
    for offset in OFFSETS:
        local = at.astimezone(timezone(offset))
        date, clock = local.strftime("%Y-%m-%d"), local.strftime("%H:%M:%S")
        colon = local.isoformat()[-6:]
        for zone in [colon, colon.replace(":", "")] + ([colon[:3]] if colon.endswith("00") else []):
            for separator in "T ":
                for point in ".,":
                    add(f"{date}{separator}{clock}{point}{local.microsecond:06}{zone}", meant(at))
            add(f"{date} {clock}.{local.microsecond:06} {zone}", meant(at))
    utc_date, utc_clock = at.strftime("%Y-%m-%d"), at.strftime("%H:%M:%S")
    for zone in ["", "Z", "z", " UTC", "UTC", " GMT"]:
        for separator in ["T", "t", " "]:
            add(f"{utc_date}{separator}{utc_clock}.{at.microsecond:06}{zone}", meant(at))
    for digits in [f"{at.microsecond:06}", f"{at.microsecond:06}123", f"{at.microsecond:06}1234567"]:
        add(f"  {utc_date}T{utc_clock}.{digits}Z ", meant(at, digits[:9]))
        add(f"{utc_date} {utc_clock},{digits}", meant(at, digits[:9]))
    whole = at.replace(microsecond=0)
    for zone in ["", "Z", "+0000", "+00:00", "-00:00", "+00"]:
        add(f"{utc_date} {utc_clock}{zone}", meant(whole))
        add(f"{utc_date}T{utc_clock}{zone}", meant(whole))
    add(f"{utc_date}T{utc_clock[:5]}Z", meant(whole.replace(second=0)))
    add(f"{utc_date} {utc_clock[:5]}", meant(whole.replace(second=0)))


def epoch(at: datetime) -> None:
    seconds, micros = unix(at)
    whole, to_millis = at.replace(microsecond=0), at.replace(microsecond=micros // 1000 * 1000)
    millis = seconds * 1000 + micros // 1000
    for spelled, means in [
        (f"{seconds}", meant(whole)),
        (f"{seconds}.{micros:06}", meant(at)),
        (f"{seconds}.{micros:06}789", meant(at, f"{micros:06}789")),
        (f"{millis}", meant(to_millis)),
        (f"{millis}.{micros % 1000:03}", meant(at)),
    ]:
        add_json(spelled, means)
        add_json(json.dumps(spelled), means)
    add_json(json.dumps(f"{seconds},{micros:06}"), meant(at))
    digits = f"{seconds}"
    # Java's way with a large double.
    add_json(f"{digits[0]}.{digits[1:]}{micros:06}E9", meant(at))
    add_json(f"{digits[0]}.{f'{millis}'[1:]}e+12", meant(to_millis))


for instant in INSTANTS:
    civil(instant)
    epoch(instant)

# A leap second: the last moment before the next second, which is what any clock without one shows.
for spelled in ["2016-12-31T23:59:60Z", "2016-12-31 23:59:60", "2017-01-01T01:59:60.5+0200", "2016-12-31T23:59:60,25Z"]:
    add(spelled, "2016-12-31T23:59:59.999999999Z")
# A clock that inserts it at another minute.
add("2016-12-31T12:00:60Z", "2016-12-31T12:00:59.999999999Z")

for blank in ["", " ", "\t\n", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00Z", "0000-00-00 00:00:00.000000",
              "0000-00-00T00:00:00+00:00", "0"]:
    add(blank, "blank")
for blank in ["null", "0", "0.0"]:
    add_json(blank, "blank")

for text in ["1989-00-00", "1989-00-00 00:00:00", "2026-02-30 10:00:00", "2026-13-01T00:00:00Z", "2026-06-13T24:00:01Z",
             "2026-06-13T00:61:00Z", "2026-06-13T00:00:61Z", "2026-06-13", "13/06/2026 10:00:00", "06-13-2026 10:00:00",
             "10:00:00", "yesterday", "2026-06-13T00:38:30 CET", "2026-06-13T00:38:30+2", "2026-06-13T00:38:30+25:00",
             "2026-06-13T00:38:30.Z", "2026-06-13T00:38:30.5.5Z", "2026-06-13T00:38.5Z", "2026-06-13  00:38:30",
             "20260613003830", "178131000", "17813100000", "178131000000", "17813100000000", "1781310000000000",
             "-1781310000", "+1781310000", "1781310000.", ".1781310000", "1781310000.5.5", "1e9", "١٧٨١٣١٠٠٠٠",
             "２０２６-06-13T00:38:30Z", "2026-06-1é00:38:30", "é", "x" * 5000, "9999-12-31T23:59:59-23:00",
             "0001-01-01T00:00:00+01:00"]:
    add(text, "unreadable")
for spelled in ["true", "false", "[]", "{}", '["2026-06-13T00:38:30Z"]', '{"value":"2026-06-13T00:38:30Z"}', "1", "-1", "178131000",
                "17813100000", "17813100000000", "1781310000000000", "-1781310000", "1e9999", "1.78131E-9", "1E8", "1e-400",
                "123456789012345678901234567890"]:
    add_json(spelled, "unreadable")

spellings = [case["spelled"] for case in CASES]
CASES[:] = [case for index, case in enumerate(CASES) if case["spelled"] not in spellings[:index]]
lines = "".join(json.dumps(case) + "\n" for case in CASES)
Path(__file__).with_name("times.jsonl").write_text(lines)
