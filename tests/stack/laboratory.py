"""The laboratory of the local stack: what the console's buttons do there, and only there. It sends samples, plays
scenarios, forges webhooks, and takes DynamoDB away from the functions for a while.
"""
from __future__ import annotations

import collections
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterable, Iterator, Optional

from verdict.problem import Problem

from .deployment import Stack, webhooks

#: For each provider, a sample that approves a person, and the proof by which it is a stranger's.
FORGERIES = {
    "veriff": ("veriff/decision-approved", "forged"),
    "incode": ("incode/session-succeeded", "wrong-header"),
    "treezor": ("treezor/user-kycreview-validated", "forged"),
    "wultra": ("wultra/process-finished", "wrong-password"),
}
#: How often one click may send a sample. All are on their way at the same time.
MOST_TIMES = 50
#: How long an outage may last, in seconds. `replay`'s first pause is 15 s, so that a longer one costs patience alone.
SHORTEST, LONGEST = 5, 60
#: A session id that every click makes anew.
NEW = "new"


@contextlib.contextmanager
def in_plain_words() -> Iterator[None]:
    """Has the console tell what the sending tool can't do."""
    try:
        yield
    except webhooks.Problem as problem:
        raise Problem(str(problem)) from None


class Laboratory:
    """What can be tried on a local stack. Ends with `close`, or as a context manager; DynamoDB is there again then."""

    def __init__(self, stack: Stack):
        self._stack = stack
        self._outage = Outage(stack)

    def describe(self) -> dict[str, Any]:
        """What there is to send and to play, and how long DynamoDB stays away."""
        return {
            "samples": [described(sample) for sample in webhooks.catalogue()],
            "scenarios": [described(scenario) for scenario in webhooks.scenarios()],
            "outage": {"remainingSeconds": self._outage.remaining_seconds},
        }

    @in_plain_words()
    def send(self, sample: str, session: Optional[str] = None, reference: Optional[str] = None,
             times: int = 1) -> dict[str, Any]:
        """Sends one webhook so many times at once. It is about the sample's own session, a given one or a new one."""
        if not 1 <= times <= MOST_TIMES:
            raise Problem(f"a sample is sent 1 to {MOST_TIMES} times")
        found = webhooks.find(sample)
        keys = local_credentials(found.provider)
        about = found.fresh_session() if session == NEW else session
        event = webhooks.make(found, keys, session=about, reference=reference)
        event = webhooks.with_fetched_token(event, found, keys, self._stack.api_url)
        return {"answers": counted(self._post(event, times))}

    @in_plain_words()
    def play(self, scenario: str) -> dict[str, Any]:
        """Plays a session of its own, webhook by webhook."""
        found = webhooks.find_scenario(scenario)
        ids = found.fresh_ids()
        if found.score:
            self._stack.incode_api.script(
                found.session_keys(ids)["session"], status=["ONBOARDING_FINISHED"], score=[found.score])
        played = webhooks.play(found, local_credentials(found.provider), self._stack.api_url, ids)
        return {"steps": [{"sample": step.sample.name, **told(answer)} for step, answer in played]}

    @in_plain_words()
    def forge(self, provider: str) -> dict[str, Any]:
        """Sends an approval of a new session that a stranger has proved."""
        if provider not in FORGERIES:
            raise Problem(f"no provider {provider!r}; there are {', '.join(FORGERIES)}")
        name, proof = FORGERIES[provider]
        sample, keys = webhooks.find(name), local_credentials(provider)
        genuine = webhooks.make(sample, keys, session=sample.fresh_session())
        forged = webhooks.prove(genuine, provider, keys, proof)
        # Nothing else is wrong with it.
        forged = webhooks.with_fetched_token(forged, sample, keys, self._stack.api_url)
        return {"answers": counted(self._post(forged, 1))}

    def outage(self, seconds: int = 30) -> dict[str, Any]:
        """Takes DynamoDB away from the functions for so long."""
        self._outage.begin(seconds)
        return {"remainingSeconds": self._outage.remaining_seconds}

    def close(self) -> None:
        self._outage.end()

    def _post(self, event: dict[str, Any], times: int) -> list[webhooks.Answer]:
        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(lambda _: webhooks.send(event, self._stack.api_url), range(times)))

    def __enter__(self) -> Laboratory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Outage:
    """Time without DynamoDB: the functions' connections end, and new ones are refused, until it is over."""

    def __init__(self, stack: Stack):
        self._wire = stack.dynamodb
        self._lock = threading.Lock()
        self._is_to_end = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._end = 0.0

    @property
    def remaining_seconds(self) -> int:
        """Whole seconds until DynamoDB is there again, from 1 as long as it isn't."""
        if self._thread is None or not self._thread.is_alive():
            return 0
        return max(1, round(self._end - time.monotonic()))

    def begin(self, seconds: int) -> None:
        """Takes DynamoDB away; returns once it is gone."""
        if not SHORTEST <= seconds <= LONGEST:
            raise Problem(f"DynamoDB is taken away for {SHORTEST} to {LONGEST} seconds")
        with self._lock:
            if left := self.remaining_seconds:
                raise Problem(f"DynamoDB is away already, for {left} s more")
            with contextlib.ExitStack() as away:
                away.enter_context(self._wire.down())
                self._end = time.monotonic() + seconds
                self._thread = threading.Thread(target=self._last, args=(away.pop_all(),), daemon=True)
                self._thread.start()

    def end(self) -> None:
        """Gives DynamoDB back before its time, if it is away; no other outage begins."""
        with self._lock:
            self._is_to_end.set()
            if self._thread:
                self._thread.join()

    def _last(self, away: contextlib.ExitStack) -> None:
        with away:
            self._is_to_end.wait(self._end - time.monotonic())


def local_credentials(provider: str) -> dict[str, Any]:
    return webhooks.credentials(provider, webhooks.LOCAL_CREDENTIALS)


def described(one: webhooks.Sample | webhooks.Scenario) -> dict[str, str]:
    return {"name": one.name, "provider": one.provider, "description": one.description}


def told(answer: webhooks.Answer) -> dict[str, Any]:
    return {"status": answer.status, "outcome": answer.outcome, "session": answer.session}


def counted(answers: Iterable[webhooks.Answer]) -> list[dict[str, Any]]:
    """The different answers, and how often each came; the most frequent one first."""
    counts = collections.Counter(tuple(told(answer).items()) for answer in answers)
    return [{**dict(answer), "count": count} for answer, count in counts.most_common()]
