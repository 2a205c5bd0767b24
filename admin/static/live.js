// The page's ear: one WebSocket. It comes back by itself after a restart, a sleep or a lost network. Whenever the server says
// "hello" it knows what this page shows and tells it what happens from there on: whoever shows something loads what came before.

import { prefix, say } from "./html.js";

const listeners = new Map();
const shown = {};
let socket = null;
let failures = 0;
let timer = null;
let notice = null;

export function on(kind, listener) {
  if (!listeners.has(kind)) listeners.set(kind, []);
  listeners.get(kind).push(listener);
}

// What the page shows now; said again after each reconnect.
export function looking(facts) {
  Object.assign(shown, facts);
  send(facts);
}

export function send(frame) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

export function connect() {
  clearTimeout(timer);
  if (socket && socket.readyState <= WebSocket.OPEN) return;
  const made = new WebSocket(`${location.origin.replace(/^http/, "ws")}${prefix}/live`);
  socket = made;
  made.onopen = () => {
    failures = 0;
    calm();
    send({ ...shown, begins: true });
  };
  made.onmessage = (message) => tell(JSON.parse(message.data));
  made.onclose = () => {
    if (socket !== made) return;
    notice ??= setTimeout(() => (document.getElementById("offline").hidden = false), 2000);
    failures += 1;
    if (failures > 1) checkSession();
    timer = setTimeout(connect, Math.min(10_000, 300 * 2 ** failures) * (0.5 + Math.random() / 2));
  };
}

function tell(frame) {
  for (const listener of listeners.get(frame.kind) ?? []) listener(frame);
}

function calm() {
  clearTimeout(notice);
  notice = null;
  document.getElementById("offline").hidden = true;
}

async function checkSession() {
  try {
    const answer = await fetch(`${prefix}/`, { headers: { "X-Fragment": "1" }, redirect: "manual" });
    if (answer.status === 401) location.reload();
  } catch {
    document.getElementById("offline").textContent ||= say("offline");
  }
}

addEventListener("online", connect);
document.addEventListener("visibilitychange", () => document.hidden || connect());
