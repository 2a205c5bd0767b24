// Apple's push service for the tests, on Node's own HTTP/2: strict about what Apple is strict about.
// It prints what happens and takes orders, one JSON object a line; tests/peers/apns.py speaks to it.
// usage: node apns.js PORT SERVER_PEM SERVER_KEY [PUBLIC_KEY_PEM [CLIENT_CA_PEM]]
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const http2 = require('http2');
const readline = require('readline');

const [port, certificate, key, publicKey, clientCa] = process.argv.slice(2);
const known = ['apns-topic', 'apns-push-type', 'apns-priority', 'apns-expiration', 'apns-collapse-id', 'apns-id', 'authorization',
  'content-length', 'content-type', 'user-agent'];
const types = ['alert', 'background', 'location', 'voip', 'complication', 'fileprovider', 'mdm', 'liveactivity', 'pushtotalk'];
const sessions = new Set();
const sockets = new Set();
const behaviours = {}; // device token -> list of {status, reason, timestamp, retry, hang, reset, refuse, session}, the last one stays
let topics = null;
let delay = 0;
let open = 0;
let most = 0;

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const base64url = (text) => Buffer.from(text, 'base64url');

function tokenProblem(header) {
  if (!header) return 'MissingProviderToken';
  const parts = header.replace(/^bearer /, '').split('.');
  if (!header.startsWith('bearer ') || parts.length !== 3) return 'InvalidProviderToken';
  const head = JSON.parse(base64url(parts[0]));
  const claims = JSON.parse(base64url(parts[1]));
  const key = { key: fs.readFileSync(publicKey), dsaEncoding: 'ieee-p1363' };
  const isTrue = crypto.verify('sha256', Buffer.from(parts[0] + '.' + parts[1]), key, base64url(parts[2]));
  const isFull = head.alg === 'ES256' && head.kid === 'KEY1234567' && claims.iss === 'TEAM123456';
  return isTrue && isFull && Number.isInteger(claims.iat) ? '' : 'InvalidProviderToken';
}

function problem(stream, headers, body) {
  const device = (headers[':path'].match(/^\/3\/device\/([0-9a-f]+)$/) || [])[1];
  const odd = Object.keys(headers).find((name) => !name.startsWith(':') && !known.includes(name));
  if (odd) return [400, 'UnknownHeader:' + odd];
  if (headers[':method'] !== 'POST') return [405, 'MethodNotAllowed'];
  if (!device) return [400, 'BadDeviceToken'];
  if (publicKey && publicKey !== '-') {
    const wrong = tokenProblem(headers.authorization);
    if (wrong) return [403, wrong];
  } else if (headers.authorization) return [403, 'InvalidProviderToken'];
  if (clientCa && !stream.session.socket.authorized) return [403, 'BadCertificate'];
  if (!headers['apns-topic']) return [400, 'MissingTopic'];
  if (topics && !topics.includes(headers['apns-topic'])) return [400, 'BadTopic'];
  const type = headers['apns-push-type'];
  if (type !== undefined && !types.includes(type)) return [400, 'InvalidPushType'];
  const priority = headers['apns-priority'];
  if (priority !== undefined && !['1', '5', '10'].includes(priority)) return [400, 'BadPriority'];
  if (type === 'background' && priority !== '5') return [400, 'BadPriority'];
  if (headers['apns-expiration'] !== undefined && !/^\d+$/.test(headers['apns-expiration'])) return [400, 'BadExpirationDate'];
  const collapse = headers['apns-collapse-id'];
  if (collapse !== undefined && Buffer.byteLength(collapse) > 64) return [400, 'BadCollapseId'];
  const id = headers['apns-id'];
  if (id !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return [400, 'BadMessageId'];
  if (!body.length) return [400, 'PayloadEmpty'];
  if (body.length > 4096) return [413, 'PayloadTooLarge'];
  try { JSON.parse(body); } catch (error) { return [400, 'PayloadEmpty']; }
  return null;
}

function behaviourOf(device) {
  const list = behaviours[device] || [];
  return (list.length > 1 ? list.shift() : list[0]) || {};
}

function answer(stream, headers, body) {
  const device = headers[':path'].slice('/3/device/'.length);
  const wrong = problem(stream, headers, body);
  const behaviour = wrong ? { status: wrong[0], reason: wrong[1] } : behaviourOf(device);
  say({ event: 'push', device, headers: plain(headers), body: body.toString(), connection: stream.session.number });
  if (behaviour.hang) return;
  if (behaviour.refuse) return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  if (behaviour.reset) return cut();
  if (behaviour.leave) stream.session.goaway(0, behaviour.leave === 'before' ? stream.id - 2 : stream.id);
  if (behaviour.leave === 'before') return;
  const id = headers['apns-id'] || crypto.randomUUID();
  const status = behaviour.status || 200;
  const fields = { ':status': status, 'apns-id': id };
  if (behaviour.retry) fields['retry-after'] = String(behaviour.retry);
  stream.respond(fields);
  if (behaviour.raw !== undefined) return stream.end(behaviour.raw);
  if (status === 200) return stream.end(Buffer.alloc(0)); // an empty DATA frame is legal
  const said = { reason: behaviour.reason };
  if (behaviour.timestamp) said.timestamp = behaviour.timestamp;
  stream.end(JSON.stringify(said));
}

const cut = () => { for (const socket of sockets) socket.destroy(); };
const plain = (headers) => Object.fromEntries(Object.keys(headers).map((name) => [name, headers[name]]));

const server = http2.createSecureServer({
  cert: fs.readFileSync(certificate), key: fs.readFileSync(key),
  ...(clientCa ? { ca: fs.readFileSync(clientCa), requestCert: true, rejectUnauthorized: false } : {}),
  settings: { maxConcurrentStreams: Number(process.env.STREAMS || 100), initialWindowSize: Number(process.env.WINDOW || 65535) },
});
server.on('secureConnection', (socket) => { sockets.add(socket); socket.on('close', () => sockets.delete(socket)); });
let connections = 0;
server.on('session', (session) => {
  session.number = ++connections;
  sessions.add(session);
  say({ event: 'session', number: session.number, authorized: !!session.socket.authorized });
  session.on('close', () => { sessions.delete(session); say({ event: 'closed', number: session.number }); });
  session.on('ping', () => say({ event: 'ping', number: session.number }));
  session.on('error', (error) => say({ event: 'error', text: String(error.code) }));
});
server.on('stream', (stream, headers) => {
  open += 1;
  most = Math.max(most, open);
  stream.on('close', () => { open -= 1; });
  stream.on('error', () => {});
  const parts = [];
  stream.on('data', (part) => parts.push(part));
  stream.on('end', () => setTimeout(() => { if (!stream.destroyed) answer(stream, headers, Buffer.concat(parts)); }, delay));
});
server.on('sessionError', () => {});
server.listen(Number(port), '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));

const orders = {
  behave: (order) => { behaviours[order.device] = order.list; },
  topics: (order) => { topics = order.list; },
  delay: (order) => { delay = order.milliseconds; },
  goaway: () => { for (const session of sessions) session.goaway(0, 2 ** 31 - 1); },
  cut,
  streams: (order) => { for (const session of sessions) session.settings({ maxConcurrentStreams: order.count }); },
  most: () => { say({ event: 'most', count: most }); },
};
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  orders[order.do](order);
  say({ event: 'done', number: order.number });
}).on('close', () => process.exit(0));
