// The gateway of the TaskForge system: accounts with short-lived tokens, tasks that take a second,
// status updates over a WebSocket. It counts exactly what it did, and misbehaves when asked to.
//
// PORT is of its own choice and printed. Switches in the environment:
//   TOKEN_TTL=2        a token's life in seconds; `exp` is rounded up to whole seconds [900]
//   TASK_MS=1000       how long a task takes
//   REFRESH_FAILS=K    every K-th refresh is refused
//   NO_AUTH=1          there are no paths below /auth
//   ALWAYS_401=1       no token is good enough for /tasks
//   SILENT_WS=1        an upgrade is never answered
//   MUTE_WS=1          a WebSocket opens, and nothing is ever said there, no pong either
//   GARBAGE_WS=open    bytes that are no WebSocket's, as soon as it is open
//   GARBAGE_WS=answer  the same instead of an answer
'use strict';
const http = require('node:http');
const { randomUUID } = require('node:crypto');
const express = require('express');
const jwt = require('jsonwebtoken');
const { WebSocketServer } = require('ws');

const env = process.env;
const ttl = Number(env.TOKEN_TTL ?? 900);
const taskMs = Number(env.TASK_MS ?? 1000);
const refreshFails = Number(env.REFRESH_FAILS ?? 0);
const secret = randomUUID();

const count = {
  users_created: 0, users_existing: 0,
  logins: 0, login_failures: 0, refreshes: 0, refresh_failures: 0, logouts: 0,
  unauthorized: 0, expired_tokens_seen: 0,
  tasks_created: 0, subscriptions: 0,
  ws_attempts: 0, ws_opened: 0, ws_refused: 0, ws_closed_clean: 0,
  ws_messages_in: 0, ws_messages_out: 0, ws_pings: 0,
  ws_close_codes: {}, ws_opened_by_user: {}, paths: {},
};
// What must stay between the client and this server; the newest of each.
const secrets = { access: [], refresh: [], api_keys: [] };
const SECRETS_MAX = 10000;

const users = new Map(); // email -> password
const sessions = new Map(); // refresh token -> email
const tasks = new Map(); // id -> { owner, type, created }
let refreshCalls = 0;

function add(counts, key) {
  counts[key] = (counts[key] ?? 0) + 1;
}

function keep(list, value) {
  list.push(value);
  if (list.length > SECRETS_MAX) list.shift();
}

// ---- tokens

function issue(email) {
  const exp = Math.ceil(Date.now() / 1000 + ttl);
  const accessToken = jwt.sign({ sub: email, exp, jti: randomUUID() }, secret);
  const refreshToken = randomUUID();
  sessions.set(refreshToken, email);
  keep(secrets.access, accessToken);
  keep(secrets.refresh, refreshToken);
  return { accessToken, refreshToken };
}

// Whose token it is; nobody's when it is none or has expired.
function owner(token, options) {
  try {
    return jwt.verify(token ?? '', secret, options).sub;
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError) count.expired_tokens_seen += 1;
    return undefined;
  }
}

function bearer(request) {
  const [scheme, token] = (request.get('authorization') ?? '').split(' ');
  return scheme === 'Bearer' ? token : undefined;
}

function authorized(request, reply, next) {
  request.user = env.ALWAYS_401 ? undefined : owner(bearer(request));
  if (request.user !== undefined) return next();
  count.unauthorized += 1;
  reply.status(401).json({ error: 'unauthorized' });
}

// ---- tasks

function status(task) {
  const age = Date.now() - task.created;
  if (age >= taskMs) return { status: 'completed', progress: 100 };
  return age >= taskMs / 2
    ? { status: 'processing', progress: 50 }
    : { status: 'pending', progress: 0 };
}

// ---- HTTP

const app = express();
app.disable('x-powered-by');
app.set('etag', false);
app.get('/count', (request, reply) => reply.json(count));
app.get('/tokens', (request, reply) => reply.json(secrets));

app.use((request, reply, next) => {
  const { path } = request;
  reply.on('finish', () => {
    const key = path.startsWith('/tasks/') ? '/tasks/:id' : path;
    count.paths[key] ??= {};
    add(count.paths[key], reply.statusCode);
  });
  const key = request.get('x-api-key');
  if (key !== undefined) keep(secrets.api_keys, key);
  next();
});
app.use(express.json());

const auth = express.Router();
auth.post('/register', (request, reply) => {
  const { email, password } = request.body ?? {};
  if (!email || !password) return reply.status(400).json({ error: 'email and password' });
  if (users.has(email)) {
    count.users_existing += 1;
    return reply.status(409).json({ error: 'exists' });
  }
  users.set(email, password);
  count.users_created += 1;
  reply.status(201).json({ email });
});
auth.post('/login', (request, reply) => {
  const { email, password } = request.body ?? {};
  if (!users.has(email) || users.get(email) !== password) {
    count.login_failures += 1;
    return reply.status(401).json({ error: 'wrong email or password' });
  }
  count.logins += 1;
  reply.json(issue(email));
});
auth.post('/refresh', (request, reply) => {
  const { refreshToken } = request.body ?? {};
  const email = sessions.get(refreshToken);
  // It is good for one use, whatever comes of it.
  sessions.delete(refreshToken);
  refreshCalls += 1;
  const fails = refreshFails > 0 && refreshCalls % refreshFails === 0;
  if (email === undefined || fails) {
    count.refresh_failures += 1;
    return reply.status(401).json({ error: 'log in again' });
  }
  count.refreshes += 1;
  reply.json(issue(email));
});
auth.post('/logout', (request, reply) => {
  const email = owner(bearer(request), { ignoreExpiration: true });
  if (email === undefined) return reply.status(401).json({ error: 'unauthorized' });
  for (const [token, whose] of sessions) if (whose === email) sessions.delete(token);
  count.logouts += 1;
  reply.status(204).end();
});
if (!env.NO_AUTH) app.use('/auth', auth);

app.get('/health', (request, reply) => reply.json({ status: 'ok' }));
app.get('/metrics', (request, reply) => {
  const numbers = Object.entries(count).filter(([, value]) => typeof value === 'number');
  reply.type('text/plain').send(numbers.map(([name, value]) => `${name} ${value}\n`).join(''));
});
app.post('/tasks', authorized, (request, reply) => {
  const taskId = randomUUID();
  const type = request.body?.type ?? null;
  tasks.set(taskId, { owner: request.user, type, created: Date.now() });
  count.tasks_created += 1;
  reply.status(201).json({ taskId });
});
app.get('/tasks/:id', authorized, (request, reply) => {
  const task = tasks.get(request.params.id);
  if (task === undefined) return reply.status(404).json({ error: 'unknown' });
  if (task.owner !== request.user) return reply.status(403).json({ error: 'forbidden' });
  reply.json({ taskId: request.params.id, type: task.type, owner: task.owner, ...status(task) });
});
app.use((request, reply) => reply.status(404).json({ error: 'not found' }));

// ---- WebSocket

const sockets = new WebSocketServer({ noServer: true, autoPong: !env.MUTE_WS });

function say(socket, taskId, update) {
  if (env.MUTE_WS || socket.readyState !== socket.OPEN) return;
  count.ws_messages_out += 1;
  socket.send(JSON.stringify({ type: 'status', taskId, ...update }));
}

// The state at once, then every change until the task is done.
function follow(socket, taskId, before) {
  const task = tasks.get(taskId);
  if (task === undefined) return say(socket, taskId, { status: 'unknown', progress: 0 });
  const now = status(task);
  // A timer may be early by a millisecond: no change, no message.
  if (now.status !== before) say(socket, taskId, now);
  if (now.status === 'completed') return;
  const change = now.status === 'pending' ? taskMs / 2 : taskMs;
  const later = setTimeout(() => {
    socket.timers.delete(later);
    follow(socket, taskId, now.status);
  }, Math.max(1, task.created + change - Date.now()));
  socket.timers.add(later);
}

function hear(socket, data) {
  count.ws_messages_in += 1;
  if (env.GARBAGE_WS === 'answer') return socket._socket.write('GARBAGE, not a frame at all');
  let message;
  try {
    message = JSON.parse(data);
  } catch {
    return say(socket, null, { status: 'error', progress: 0 });
  }
  if (message.type !== 'subscribe') return;
  count.subscriptions += 1;
  follow(socket, message.taskId);
}

function welcome(socket, user) {
  count.ws_opened += 1;
  add(count.ws_opened_by_user, user);
  socket.timers = new Set();
  socket.on('error', () => {}); // its close follows
  socket.on('ping', () => { count.ws_pings += 1; });
  socket.on('message', (data) => hear(socket, data));
  socket.on('close', (code) => {
    socket.timers.forEach(clearTimeout);
    add(count.ws_close_codes, code);
    if (code === 1000) count.ws_closed_clean += 1;
  });
  // Behind the 101, in a segment of its own.
  if (env.GARBAGE_WS === 'open') {
    setTimeout(() => socket._socket?.write('GARBAGE, not a frame at all'), 20);
  }
}

const server = http.createServer(app);
server.keepAliveTimeout = 120000;
server.on('upgrade', (request, socket, head) => {
  count.ws_attempts += 1;
  socket.on('error', () => {});
  if (env.SILENT_WS) return;
  const url = new URL(request.url, 'http://gateway');
  const user = url.pathname === '/ws' ? owner(url.searchParams.get('token')) : undefined;
  if (user === undefined) {
    count.ws_refused += 1;
    const line = url.pathname === '/ws' ? '401 Unauthorized' : '404 Not Found';
    socket.end(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    return;
  }
  sockets.handleUpgrade(request, socket, head, (opened) => welcome(opened, user));
});
server.listen(0, '127.0.0.1', 4096, () => console.log(`port ${server.address().port}`));
