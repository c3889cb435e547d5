"""Live: what came in, from the functions' own log lines. One thread reads them for all tabs, while any tab asks."""
from __future__ import annotations

import threading
import time
from typing import Any, Mapping, Optional, Sequence

from ..log_lines import Feed, Lines
from .routes import Question, Refusal, Route, Shared

#: The thread ends if no tab has asked for so long.
IDLE_SECONDS = 30.0
#: How long the first question waits for the first lines.
FIRST_SECONDS = 8.0
FAILED_SECONDS = 5.0


class Follower:
    """A feed, with the thread that turns it."""

    def __init__(self, shared: Shared):
        self._shared = shared
        self._feed = Feed.of(shared.stack)
        self._state = threading.Condition()
        self._thread: Optional[threading.Thread] = None
        self._asked_at = 0.0
        self._error: Optional[Exception] = None

    def ask(self, cursor: Optional[str]) -> Lines:
        """What is new after a cursor. Fails as the last call has if that one did."""
        with self._state:
            self._asked_at = time.monotonic()
            if self._thread is None:
                self._feed.resume()
                self._error = None
                self._thread = threading.Thread(target=self._follow, name="log lines", daemon=True)
                self._thread.start()
            self._state.wait_for(lambda: self._feed.is_up or self._error is not None, FIRST_SECONDS)
            if self._error is not None:
                raise self._error
        return self._feed.after(cursor)

    def _follow(self) -> None:
        while self._is_wanted():
            try:
                pause, error = self._feed.turn(self._shared.operator().client("logs")), None
            except Exception as failed:
                pause, error = FAILED_SECONDS, failed
            with self._state:
                self._error = error
                self._state.notify_all()
            time.sleep(pause or self._feed.pause(self._shared.stack.aws.is_local))

    def _is_wanted(self) -> bool:
        with self._state:
            if time.monotonic() - self._asked_at < IDLE_SECONDS:
                return True
            self._thread = None
            return False


def live(shared: Shared, question: Question) -> Mapping[str, Any]:
    """What came in after a cursor; without one, in the last quarter of an hour."""
    follower = shared.once("log lines", float("inf"), lambda: Follower(shared))
    try:
        found = follower.ask(question.query.get("after"))
    except ValueError:
        raise Refusal(400, "bad_request", "`after` isn't a cursor: leave it out to begin anew") from None
    return {"lines": found.lines, "cursor": found.cursor, "behind": found.behind}


ROUTES: Sequence[Route] = (
    Route("GET", "/api/live", live),
)
