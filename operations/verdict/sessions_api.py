"""A client of a stack's sessions API: the only way by which the command line and the console read records, so that each
look is in the log of `sessions-api` or `session-payloads`, with the operator's ARN.

    api = SessionsApi.of(stack)                  # signs as the operator; threads may share it
    answer = api.record("veriff/f04bdb47")       # also events, notifications, payload, by_reference and by_status
    answer.status, answer.body                   # as the API answered; lists take `next`
    answer.problem                               # one line for the operator, or None if there is none
    answer.found("sessions")                     # a list's entries; ends the command with that line if there is a problem

Sessions are asked for by `?session=`, whatever their ids hold, and payloads at their own route. So a role needs
`execute-api:Invoke` on `GET/sessions`, and on `GET/sessions/payload` to see payloads. Whatever keeps the API from
answering is a `Problem`. No message repeats a reference, an id or anything of an answer's body, except the API's own
messages, which repeat no value.
"""
from __future__ import annotations

import json
import re
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any, Callable, Optional

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import (
    BotoCoreError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ProxyConnectionError,
    ReadTimeoutError, SSLError,
)
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from .aws import CONNECTIONS, Aws, is_loopback
from .problem import NO_CREDENTIALS, NotThere, Problem, one_line
from .stack import Stack

SERVICE = "execute-api"
#: To connect; and longer than API Gateway, which gives up after 30 s, waits for a function.
TIMEOUTS = (5, 35)
#: API Gateway takes no more requests just now, or the function or the table didn't answer in time.
TRANSIENT = (429, 500, 502, 503, 504)
#: The pauses before it is asked again.
PAUSES = (0.3, 1.0)
#: What API Gateway says of credentials that it doesn't take, whatever they may do.
UNACCEPTED = re.compile("security token|signature", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    #: The JSON document; None if it isn't one.
    body: Any
    #: The route that was asked, as policies name it.
    route: str

    @property
    def code(self) -> Optional[str]:
        """The code of one of the API's own errors."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error.get("code") if isinstance(error, dict) else None

    @property
    def is_missing(self) -> bool:
        """Whether the session, event or payload that was asked for isn't there, which is an answer, too."""
        return self.code in ("session_not_found", "event_not_found", "payload_expired")

    @property
    def problem(self) -> Optional[str]:
        """What an operator is told if it isn't what was asked for."""
        if self.status == 200 and isinstance(self.body, dict):
            return None
        if self.code:
            return f"the sessions API says {self.code}: {self.body['error'].get('message')}"
        if self.status == 403:
            return refusal(self.body, self.route)
        if self.status == 404:
            return "API Gateway doesn't know this route (404): is the stack's API deployed? `make doctor` compares it"
        if self.status in TRANSIENT:
            return f"the sessions API doesn't answer ({self.status}): try again after a pause"
        return f"what answered isn't the sessions API ({self.status}): see the stack's output ApiUrl"

    def required(self) -> Any:
        """The document. Ends the command if it isn't what was asked for."""
        if self.is_missing:
            raise NotThere(self.body["error"]["message"])
        if self.problem:
            raise Problem(self.problem)
        return self.body

    def found(self, name: str) -> list[Any]:
        """The entries of a list. Ends the command likewise."""
        return self.required()[name]

    @property
    def next(self) -> Optional[str]:
        """The cursor of the next page of a list."""
        return self.body.get("next") if isinstance(self.body, dict) else None


class SessionsApi:
    """The sessions API of one stack. The caller is asked for with each request, since keys may be renewed."""

    def __init__(self, url: str, caller: Callable[[], Aws]):
        self._url, self._caller = url.rstrip("/"), caller
        self._http = URLLib3Session(timeout=TIMEOUTS, max_pool_connections=CONNECTIONS, **of_network(self._url))

    @classmethod
    def of(cls, stack: Stack) -> SessionsApi:
        """That of a deployed stack, asked by its operator."""
        return cls(stack.api_url, stack.operator)

    # ---- What can be asked; a session is `{provider}/{sessionId}` ----

    def record(self, session: str) -> Answer:
        return self._search(session=session)

    def events(self, session: str, next: Optional[str] = None) -> Answer:
        return self._search(session=session, part="events", next=next)

    def notifications(self, session: str, next: Optional[str] = None) -> Answer:
        """What was told of a session."""
        return self._search(session=session, part="notifications", next=next)

    def payload(self, session: str, event: str) -> Answer:
        """The minimised payload of an event: personal data."""
        return self._get("/sessions/payload", session=session, event=event)

    def by_reference(self, reference: str, next: Optional[str] = None) -> Answer:
        """The sessions of one of your own references."""
        return self._search(reference=reference, next=next)

    def by_status(self, status: str, *, provider: Optional[str] = None, outcome: Optional[str] = None,
                  since: Optional[str] = None, until: Optional[str] = None, next: Optional[str] = None) -> Answer:
        """The sessions of one status; the times are RFC 3339."""
        return self._search(status=status, provider=provider, outcome=outcome, since=since, until=until, next=next)

    # ---- How ----

    def _search(self, **parameters: Optional[str]) -> Answer:
        return self._get("/sessions", **parameters)

    def _get(self, path: str, **parameters: Optional[str]) -> Answer:
        url = f"{self._url}{path}?{query(parameters)}"
        for pause in PAUSES:
            answer = self._asked(url, path)
            if answer.status not in TRANSIENT:
                return answer
            time.sleep(pause)
        return self._asked(url, path)

    def _asked(self, url: str, path: str) -> Answer:
        request = self._signed(url)
        try:
            answer = self._http.send(request)
        except BotoCoreError as error:
            raise Problem(f"the sessions API can't be asked: {cause(error)}") from None
        return Answer(answer.status_code, document(answer.content), f"GET{path}")

    def _signed(self, url: str) -> AWSPreparedRequest:
        try:
            caller = self._caller()
            keys = caller.own_keys()
        except NoCredentialsError:
            raise Problem(NO_CREDENTIALS) from None
        except BotoCoreError as error:
            raise Problem(f"there are no AWS credentials to sign with: {one_line(error)}") from None
        request = AWSRequest("GET", url)
        SigV4Auth(Credentials(keys.access_key, keys.secret_key, keys.token), SERVICE, caller.region).add_auth(request)
        return request.prepare()


def of_network(url: str) -> dict[str, Any]:
    """The proxy and the certificates that every AWS tool would use; nothing is between here and this machine."""
    if is_loopback(url):
        return {"proxies": {}}
    own = botocore.session.get_session().get_config_variable("ca_bundle")
    return {"proxies": get_environ_proxies(url), "verify": own or True}


def query(parameters: dict[str, Optional[str]]) -> str:
    """The query of those parameters that are given, each value percent-encoded as it is signed."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return urllib.parse.urlencode(given, quote_via=urllib.parse.quote, safe="-_.~", errors="surrogatepass")


def document(content: bytes) -> Any:
    """An answer's JSON; None if it isn't JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def refusal(body: Any, route: str) -> str:
    """What an operator is told of API Gateway's 403."""
    said = body.get("message") if isinstance(body, dict) else None
    if isinstance(said, str) and UNACCEPTED.search(said):
        return ("API Gateway does not accept the credentials (403): sign in again (`aws sso login`), and see whether this "
                "machine's clock is right")
    return (f"API Gateway turned the request away (403): the role lacks execute-api:Invoke on {route}, which the policy in "
            "the stack's output OperatorPolicyArn has")


def cause(error: BotoCoreError) -> str:
    """Why there is no answer. The SDK's own words would repeat the URL, and with it whose record was asked for."""
    if isinstance(error, EndpointConnectionError):
        return "no connection. Is this machine online, and the stack's API where its output ApiUrl says?"
    if isinstance(error, ProxyConnectionError):
        return "the proxy doesn't answer. See HTTPS_PROXY and NO_PROXY"
    if isinstance(error, SSLError):
        return "its certificate isn't trusted here. Behind a proxy of your own, see AWS_CA_BUNDLE"
    if isinstance(error, (ConnectTimeoutError, ReadTimeoutError)):
        return "no answer in time. Try again after a pause"
    return f"the connection broke ({type(error).__name__}). Try again"
