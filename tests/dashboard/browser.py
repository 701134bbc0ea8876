"""The pages in a real browser: one Streamlit server, one Chromium, and a home that can be changed.

The server is started on a link to a folder; the app looks anew at every run where it leads, so
one server and one loaded page show any number of homes, one after the other.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

APP: Final = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
ELSEWHERE: Final = re.compile(r"^(?!(http|ws)://127\.0\.0\.1:\d+/|data:|blob:)")
STARTING: Final = 120.0  # seconds
SHOWING: Final = 60_000  # milliseconds
# Streamlit says of itself when a run has ended; the frame and the title say which run it was.
SHOWN: Final = """
([title, home]) => {
    const app = document.querySelector('[data-testid=stApp]');
    const heading = document.querySelector('h1');
    const frame = document.querySelector('[data-testid=stSidebar]');
    return app && app.dataset.testScriptState === 'notRunning'
        && heading && heading.textContent === title
        && frame && frame.textContent.includes(home)
        && !document.querySelector('[data-stale=true]');
}
"""


@dataclass
class Pages:
    """The app in a browser."""

    page: "Page"
    home: Path
    outside: list[str]
    faults: list[str]

    def open(self, home: Path, title: str) -> str:
        """Show a page of a home; returns the text that it shows."""
        link = self.home.with_name("next")
        link.symlink_to(home, target_is_directory=True)
        link.replace(self.home)
        self.page.get_by_role("link", name=title, exact=True).click()
        self.page.wait_for_function(SHOWN, arg=[title, str(home)], timeout=SHOWING)
        return self.page.locator("[data-testid=stMain]").inner_text()

    def count(self, selector: str) -> int:
        """Return how many elements there are."""
        return self.page.locator(selector).count()


def chromium() -> str:
    """Return the path of a browser, or skip the test."""
    for name in PROGRAMS:
        if (found := shutil.which(name)) is not None:
            return found
    pytest.skip(f"no {', '.join(PROGRAMS)} on the PATH: `apt-get install chromium`")


@contextmanager
def opened(folder: Path) -> Iterator[Pages]:
    """Start the server and the browser, and stop both."""
    from playwright.sync_api import sync_playwright

    program, home = chromium(), folder / "home"
    (folder / "none").mkdir()
    home.symlink_to(folder / "none", target_is_directory=True)
    with _server(folder, home) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        outside: list[str] = []
        faults: list[str] = []
        page.route(ELSEWHERE, lambda route: (outside.append(route.request.url), route.abort()))
        page.on("websocket", lambda ws: ELSEWHERE.match(ws.url) and outside.append(ws.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        page.wait_for_selector("h1", timeout=SHOWING)
        yield Pages(page, home, outside, faults)
        browser.close()


@contextmanager
def _server(folder: Path, home: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # `~` of its own: nobody's settings, and nothing left in them.
    environment = {**os.environ, "HOME": str(folder)}
    command = [
        sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port),
        "--", "--home", str(home),
    ]  # fmt: skip
    log = folder / "server.log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            command, env=environment, cwd=APP.parents[1], stdout=file, stderr=subprocess.STDOUT
        )
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health", server, log)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(30)


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTING
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - loopback
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
