"""The wire: it carries many callers at once over connections that it keeps, and cuts all of them off when it is down."""
from __future__ import annotations

import http.client
import http.server
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from . import wire as settings
from .emulator import HOST
from .wire import Fate, Wire

OPERATION = "DynamoDB_20120810.GetItem"


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


class Service:
    """Answers with what it is sent, after a while, and counts the connections that it is sent it by."""

    def __init__(self):
        self.connections, self.requests, self.pause, self.keeps = 0, 0, 0.0, True
        lock, service = threading.Lock(), self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def setup(self):
                super().setup()
                with lock:
                    service.connections += 1

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with lock:
                    service.requests += 1
                time.sleep(service.pause)
                self.close_connection = not service.keeps
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = Server((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service():
    service = Service()
    yield service
    service.close()


@pytest.fixture
def wire(service):
    with Wire(service.url, lambda operation: Fate.PASSED_ON) as wire:
        yield wire


def connected(wire):
    return http.client.HTTPConnection(urllib.parse.urlsplit(wire.url).netloc, timeout=5)


def asked(connection, body):
    connection.request("POST", "/", body, {"X-Amz-Target": OPERATION})
    return connection.getresponse().read()


def test_a_callers_requests_share_one_connection_to_the_service(wire, service):
    caller = connected(wire)
    assert [asked(caller, str(number).encode()) for number in range(10)] == [str(number).encode() for number in range(10)]
    assert (service.requests, service.connections) == (10, 1)


def test_a_connection_that_was_idle_for_long_is_not_used_again(wire, service, monkeypatch):
    monkeypatch.setattr(settings, "IDLE_SECONDS", 0.0)
    caller = connected(wire)
    asked(caller, b"1")
    time.sleep(0.01)
    asked(caller, b"2")
    assert (service.requests, service.connections) == (2, 2)


def test_a_request_whose_answer_is_lost_between_service_and_wire_is_not_sent_again(wire, service):
    service.keeps = False
    caller = connected(wire)
    assert asked(caller, b"1") == b"1"
    with pytest.raises((OSError, http.client.HTTPException)):
        asked(caller, b"2")
    assert service.requests == 1


def test_many_callers_are_answered_at_the_same_time(wire, service):
    service.pause = 0.3
    begun = time.monotonic()
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda number: asked(connected(wire), b"%d" % number), range(40)))
    assert answers == [b"%d" % number for number in range(40)]
    assert time.monotonic() - begun < 3


def test_while_it_is_down_connections_end_and_are_refused_and_afterwards_it_carries_again(wire, service):
    caller, idle = connected(wire), connected(wire)
    assert asked(caller, b"before") == asked(idle, b"before") == b"before"
    with wire.down():
        for cut_off in (caller, idle):
            with pytest.raises(OSError):
                asked(cut_off, b"meanwhile")
        with pytest.raises(ConnectionRefusedError):
            asked(connected(wire), b"meanwhile")
    assert asked(connected(wire), b"after") == b"after"
    assert service.requests == 3
