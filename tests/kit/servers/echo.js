// npm's `ws`: every message comes back, pings are answered. GET /count tells what was seen.
'use strict';
const http = require('node:http');
const { WebSocketServer } = require('ws');

const count = { opened: 0, messages: 0, pings: 0, closed: {} };

const server = http.createServer((request, reply) => {
  reply.statusCode = request.url === '/count' ? 200 : 404;
  reply.end(JSON.stringify(count));
});

new WebSocketServer({ server }).on('connection', (socket) => {
  count.opened += 1;
  socket.on('error', () => {}); // its close follows
  socket.on('ping', () => { count.pings += 1; });
  socket.on('message', (data, binary) => {
    count.messages += 1;
    socket.send(data, { binary });
  });
  socket.on('close', (code) => { count.closed[code] = (count.closed[code] ?? 0) + 1; });
});

server.listen(0, '127.0.0.1', 4096, () => console.log(`port ${server.address().port}`));
