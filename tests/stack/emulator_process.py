"""The emulator's own process: MiniStack, for as long as whoever started it holds our standard input open.

The input closes when its holder closes it or dies, however that comes about. Then the whole process group goes:
MiniStack by itself leaves the functions that it runs behind.
"""
import os
import signal
import sys
import threading
import time

GOODBYE_SECONDS = 2


def end_with_the_input() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGTERM)
    await_children()
    os.killpg(0, signal.SIGKILL)


def await_children() -> None:
    """Collects the functions, so that not even their entries in the process table stay."""
    end = time.monotonic() + GOODBYE_SECONDS
    try:
        while time.monotonic() < end:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
    except ChildProcessError:
        pass


if __name__ == "__main__":
    threading.Thread(target=end_with_the_input, daemon=True).start()
    from ministack.app import main

    sys.argv = ["ministack"]
    main()
