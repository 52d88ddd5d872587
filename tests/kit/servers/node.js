// Node's own HTTP server: plain, chunked, bodiless and large replies, and a count of requests.
'use strict';
const http = require('node:http');

let requests = 0;
const large = Buffer.alloc(256 * 1024, 'x');

const routes = {
  '/': (reply) => reply.end('a reply of node'),
  '/chunked': (reply) => { reply.write('one, '); reply.write('two, '); reply.end('three'); },
  '/empty': (reply) => { reply.statusCode = 204; reply.end(); },
  '/large': (reply) => reply.end(large),
  '/missing': (reply) => { reply.statusCode = 404; reply.end('nothing here'); },
};

const server = http.createServer((request, reply) => {
  if (request.url === '/count') {
    reply.end(String(requests));
    return;
  }
  requests += 1;
  routes[request.url](reply);
});

server.listen(0, '127.0.0.1', 4096, () => console.log(`port ${server.address().port}`));
