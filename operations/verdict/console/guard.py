"""Who is let in: the page of this very server, with this process's token, and no one else.

Any page that a browser shows may send requests to 127.0.0.1, under any name that leads there. So each request is held to
our own Host, and, if the browser says where it comes from, to our own Origin. A request for data needs the token in a
header, which another origin's page can't send without our leave: no answer has a CORS header.
"""
from __future__ import annotations

import hmac
from typing import Optional

from werkzeug import Request

TOKEN_HEADER = "x-verdict-token"
#: The first part of the path of everything that needs the token.
API = "/api/"
#: The largest body of a request, in bytes.
BODY_LIMIT = 64 * 1024
JSON = "application/json"


def hosts(port: int) -> tuple[str, str]:
    """The names that the server answers to."""
    return f"127.0.0.1:{port}", f"localhost:{port}"


def is_let_in(request: Request, port: int, token: str) -> bool:
    """Whether a request comes from our own page, and, if it asks for data, brings the token."""
    host = request.headers.get("Host")
    if host not in hosts(port) or request.headers.get("Origin") not in (None, f"http://{host}"):
        return False
    is_for_data = request.path.startswith(API)
    # A browser says `none` of what a person has asked for himself: by the address bar, a bookmark, or another program.
    if request.headers.get("Sec-Fetch-Site") not in (None, "same-origin", *([] if is_for_data else ["none"])):
        return False
    return not is_for_data or is_token(request.headers.get(TOKEN_HEADER), token)


def is_token(given: Optional[str], token: str) -> bool:
    """Whether it is the token; how long that takes doesn't depend on how much of it is right."""
    return given is not None and hmac.compare_digest(given.encode(), token.encode())
