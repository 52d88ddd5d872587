// Holds a server of this folder to its contract, with a client that is not ours: npm's `ws` and
// Node's own fetch. Ends with 0 when all is as it should be.
//
// Usage: node prove.js PORT gateway|echo      (the gateway with TOKEN_TTL=2 and REFRESH_FAILS=4)
'use strict';
const assert = require('node:assert');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const WebSocket = require('ws');

const [port, kind] = process.argv.slice(2);

async function ask(method, path, { json, token } = {}) {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  const body = json && JSON.stringify(json);
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body });
  const text = await reply.text();
  const isJson = (reply.headers.get('content-type') ?? '').includes('json');
  return { status: reply.status, text, json: isJson ? JSON.parse(text) : undefined };
}

async function counts() {
  return JSON.parse((await ask('GET', '/count')).text);
}

function connect(path) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  socket.heard = [];
  socket.pongs = 0;
  socket.on('message', (data, binary) => socket.heard.push([String(data), binary]));
  socket.on('pong', () => { socket.pongs += 1; });
  return socket;
}

async function expect(what, status, answer) {
  const reply = await answer;
  assert.strictEqual(reply.status, status, what);
  return reply.json;
}

// ---- the gateway

async function accounts() {
  const [one, two] = ['a@example.com', 'b@example.com'].map((email) => ({ email, password: 'p' }));
  for (const [user, status] of [[one, 201], [two, 201], [one, 409]]) {
    await expect('register', status, ask('POST', '/auth/register', { json: user }));
  }
  const wrong = { ...one, password: 'q' };
  await expect('a wrong password', 401, ask('POST', '/auth/login', { json: wrong }));
  const login = (json) => expect('login', 200, ask('POST', '/auth/login', { json }));
  return [await login(one), await login(two)];
}

async function tasks(mine, other) {
  const create = (token) => ask('POST', '/tasks', { json: { type: 'resize-image' }, token });
  const { taskId } = await expect('create', 201, create(mine));
  await expect('a bad token', 401, create('bad'));
  await expect('no token', 401, create());
  const read = (id, token) => ask('GET', `/tasks/${id}`, { token });
  await expect('my task', 200, read(taskId, mine));
  await expect('a foreign task', 403, read(taskId, other));
  await expect('no task', 404, read('none', mine));
  return taskId;
}

async function updates(taskId, token) {
  const [refused] = await once(connect('/ws?token=bad'), 'error');
  assert.match(refused.message, /401/);
  const socket = connect(`/ws?token=${token}`);
  await once(socket, 'open');
  for (const id of [taskId, 'none']) {
    socket.send(JSON.stringify({ type: 'subscribe', taskId: id }));
  }
  await sleep(1300);
  socket.close(1000);
  await once(socket, 'close');
  const said = socket.heard.map(([text]) => JSON.parse(text));
  const of = (id) => said.filter((each) => each.taskId === id).map((each) => each.status);
  assert.deepStrictEqual(of(taskId), ['pending', 'processing', 'completed']);
  assert.deepStrictEqual(of('none'), ['unknown']);
}

// A refresh token is good once, and every fourth refresh is refused.
async function renewals({ refreshToken }) {
  const refresh = (token) => ask('POST', '/auth/refresh', { json: { refreshToken: token } });
  const next = await expect('refresh', 200, refresh(refreshToken));
  await expect('the same again', 401, refresh(refreshToken));
  const last = await expect('the next', 200, refresh(next.refreshToken));
  await expect('the fourth', 401, refresh(last.refreshToken));
  return last.accessToken;
}

async function gateway() {
  const [one, two] = await accounts();
  const taskId = await tasks(one.accessToken, two.accessToken);
  await updates(taskId, one.accessToken);
  const newest = await renewals(one);
  await sleep(2000); // 3 s at most since the login, and `exp` is whole seconds
  const old = { token: one.accessToken };
  await expect('an expired token', 401, ask('GET', `/tasks/${taskId}`, old));
  await expect('logout', 204, ask('POST', '/auth/logout', { token: newest }));
  for (const [path, status] of [['/health', 200], ['/metrics', 200], ['/nowhere', 404]]) {
    await expect(path, status, ask('GET', path));
  }
  const { paths, ws_opened_by_user: byUser, ...rest } = await counts();
  assert.deepStrictEqual(rest, {
    users_created: 2, users_existing: 1, logins: 2, login_failures: 1,
    refreshes: 2, refresh_failures: 2, logouts: 1, unauthorized: 3, expired_tokens_seen: 1,
    tasks_created: 1, subscriptions: 2, ws_attempts: 2, ws_opened: 1, ws_refused: 1,
    ws_closed_clean: 1, ws_messages_in: 2, ws_messages_out: 4, ws_pings: 0,
    ws_close_codes: { 1000: 1 },
  });
  assert.deepStrictEqual(byUser, { 'a@example.com': 1 });
  assert.deepStrictEqual(paths['/tasks'], { 201: 1, 401: 2 });
  assert.deepStrictEqual(paths['/tasks/:id'], { 200: 1, 401: 1, 403: 1, 404: 1 });
  const secrets = (await ask('GET', '/tokens')).json;
  assert.deepStrictEqual([secrets.access.length, secrets.refresh.length], [4, 4]);
}

// ---- an echo

async function echo() {
  const socket = connect('/');
  await once(socket, 'open');
  socket.send('text');
  socket.send(Buffer.from('bytes'));
  socket.ping('ping');
  await sleep(200);
  socket.close(1000);
  await once(socket, 'close');
  const rude = connect('/');
  await once(rude, 'open');
  rude.terminate();
  await sleep(200);
  assert.deepStrictEqual(socket.heard, [['text', false], ['bytes', true]]);
  assert.strictEqual(socket.pongs, 1);
  const closed = { 1000: 1, 1006: 1 };
  assert.deepStrictEqual(await counts(), { opened: 2, messages: 2, pings: 1, closed });
}

({ gateway, echo })[kind]();
