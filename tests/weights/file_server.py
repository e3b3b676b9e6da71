"""A real HTTP server on this machine that can misbehave on purpose."""

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    files: dict[str, bytes]
    """Path → content."""
    has_ranges: bool = True
    """Whether it knows the header Range."""
    says_total: bool = True
    """Whether a part comes with the length of the whole."""
    cut_after: int | None = None
    """Close the connection when so many bytes of all answers have been sent."""
    ranges: list[str | None] = field(default_factory=list)
    """The header Range of every request."""
    n_sent: int = 0
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    state: FileServer

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.state.ranges.append(wanted)
        content = self.state.files.get(self.path)
        if content is None:
            self.send_error(404)
        elif not self.state.has_ranges:
            self.answer(200, content, None)
        else:
            first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", wanted).groups())
            total = len(content) if self.state.says_total else "*"
            if first >= len(content):
                self.answer(416, b"", f"bytes */{len(content)}")
            else:
                part = content[first : last + 1]
                end = first + len(part) - 1
                self.answer(206, part, f"bytes {first}-{end}/{total}")

    def answer(self, status, content, content_range):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if content_range is not None:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        left = len(content)
        if self.state.cut_after is not None:
            left = min(left, max(0, self.state.cut_after - self.state.n_sent))
        self.wfile.write(content[:left])
        self.state.n_sent += left

    def log_message(self, *_):
        pass


@contextmanager
def serving(files):
    """Run a server of these files in a thread."""
    state = FileServer({f"/{path}": content for path, content in files.items()})
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
