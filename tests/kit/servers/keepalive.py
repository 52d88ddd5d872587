"""Python's threading HTTP server, speaking HTTP/1.1 with connections kept, and counting."""

import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers each GET with a few bytes of known length."""

    protocol_version = "HTTP/1.1"
    counting = threading.Lock()
    requests = 0

    def do_GET(self):
        if self.path == "/count":
            body = str(Handler.requests).encode()
        else:
            with Handler.counting:
                Handler.requests += 1
            body = b"a reply of python"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Says nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Takes as many connections at once as a load test opens."""

    request_queue_size = 4096


server = Server(("127.0.0.1", 0), Handler)
print("port", server.server_address[1], flush=True)
server.serve_forever()
