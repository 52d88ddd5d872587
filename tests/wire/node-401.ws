HTTP/1.1 401 Unauthorized
Connection: close
Content-Type: text/html
Content-Length: 12

Unauthorized