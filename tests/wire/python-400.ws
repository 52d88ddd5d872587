HTTP/1.1 400 Bad Request
Date: Fri, 20 Nov 2026 18:53:07 GMT
Connection: close
Content-Length: 60
Content-Type: text/plain; charset=utf-8

Failed to open a WebSocket connection: missing subprotocol.
