HTTP/1.1 101 Switching Protocols
Date: Fri, 20 Nov 2026 18:53:07 GMT
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
Sec-WebSocket-Protocol: chat

ˆ"ïinvalid start byte at position 0