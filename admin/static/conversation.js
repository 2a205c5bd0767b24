// The open conversation: its timeline and head kept fresh, what was seen marked as seen, and the acts of its buttons.

import { conversationPath, fragment, post, prefix, say, surely } from "./html.js";
import * as composer from "./composer.js";
import * as live from "./live.js";
import * as panel from "./panel.js";
import * as timeline from "./timeline.js";
import { show } from "./times.js";
import { dismiss, fail, pathOf, toast } from "./notices.js";

export const current = () => document.querySelector(".conversation");
export const currentId = () => current()?.dataset.id || null;

let wanted = null;
let seen = 0;
let readByThem = 0;

export function start() {
  live.on("item", receive);
  live.on("row", refreshHead);
  live.on("person", () => current() && panel.refresh());
  live.on("presence", showLooking);
  live.on("hello", () => surely(catchUp));
  live.on("reload", () => surely(catchUp));
  live.on("gone", leave);
  document.addEventListener("visibilitychange", markRead);
  if (current()) begin();
}

// Shows another conversation in the pane, without leaving the page; returns whether: the last one chosen wins on a slow line.
export async function open(id) {
  wanted = id;
  const fresh = await fragment(conversationPath(id)).catch(() => null);
  if (wanted !== id) return false;
  if (!fresh) {
    fail(say("offline"));
    return false;
  }
  document.getElementById("opened").replaceChildren(fresh);
  document.getElementById("inbox").classList.add("has-opened");
  dismiss(pathOf(id));
  begin();
  // on a phone the list is gone, and the row with it that had the focus
  if (!document.activeElement?.checkVisibility() || document.activeElement === document.body) current().querySelector("h1").focus();
  return true;
}

export function close() {
  wanted = null;
  document.getElementById("inbox")?.classList.remove("has-opened");
  live.looking({ looks_at: null, profiles: [] });
}

export async function act(name, body = {}) {
  const id = currentId();
  if (!id) return;
  const answer = await post(conversationPath(id, name), body);
  if (!answer.ok) return fail(answer.error);
  if (name === "resolve" || name === "snooze") toast(say(name === "resolve" ? "resolved" : "snoozed"), current().dataset.name);
  await loadHead();
}

function begin() {
  seen = readByThem = 0;
  show(document.getElementById("opened") ?? document);
  timeline.divide();
  timeline.isWhole();
  timeline.toEnd();
  const box = timeline.scroller();
  box.addEventListener("scroll", () => {
    if (box.scrollTop < 400) timeline.loadBefore();
    if (timeline.isAtEnd()) document.getElementById("jump")?.setAttribute("hidden", "");
  });
  for (const picture of box.querySelectorAll("img")) picture.addEventListener("load", timeline.toEnd, { once: true });
  composer.begin();
  live.looking({ looks_at: currentId(), profiles: JSON.parse(current().dataset.profiles) });
  revealFound();
  markRead();
}

function receive(frame) {
  if (!current()) return;
  const { isNew, wasAtEnd } = timeline.receive(frame.html);
  timeline.isWhole();
  showRead(readByThem);
  if (isNew && frame.by_customer && !wasAtEnd) document.getElementById("jump")?.removeAttribute("hidden");
  if (frame.conversation === currentId() && frame.by_customer) markRead();
}

// Told once for each message shown while the page is really looked at.
async function markRead() {
  const id = currentId();
  if (!id || document.hidden) return;
  const seqs = [...timeline.list().querySelectorAll(`[data-conversation="${CSS.escape(id)}"][data-seq]`)];
  const seq = Math.max(Number(current().dataset.seq), ...seqs.map((item) => Number(item.dataset.seq)));
  if (seq <= seen) return;
  seen = seq;
  const answer = await post(conversationPath(id, "read"), { seq });
  if (!answer.ok) seen = 0;
}

function refreshHead(frame) {
  const head = document.getElementById("head");
  if (frame.id !== currentId() || !head) return;
  const { owner, assignee, status } = head.dataset;
  if (owner !== frame.owner || assignee !== (frame.assignee ?? "") || status !== frame.status) loadHead();
  if (frame.read) showRead(frame.read);
}

async function loadHead() {
  const id = currentId();
  const fresh = await fragment(conversationPath(id, "head"));
  if (id !== currentId()) return;
  show(fresh);
  const head = document.getElementById("head");
  const next = fresh.querySelector("#head");
  const isSame = ["owner", "assignee", "status"].every((fact) => head.dataset[fact] === next.dataset[fact]);
  if (isSame && head.querySelector("details[open]")) return; // an open menu stays under the hand
  const held = head.contains(document.activeElement) ? document.activeElement : null;
  head.replaceWith(next);
  if (held) holdAgain(held.dataset.act);
  composer.refreshHint();
}

// Who pressed a button of the head with the keyboard goes on from there, even if another stands in its place now.
function holdAgain(act) {
  const stops = [...document.querySelectorAll("#head .actions :is(button, summary)")].filter((stop) => stop.checkVisibility());
  (stops.find((stop) => act && stop.dataset.act === act) ?? stops[0])?.focus();
}

function showRead(seq) {
  readByThem = Math.max(readByThem, seq);
  const said = `[data-conversation="${CSS.escape(currentId() ?? "")}"]`;
  for (const state of timeline.list().querySelectorAll(`${said} .state.sent, ${said} .state.delivered`)) {
    if (Number(state.closest("[data-seq]").dataset.seq) <= readByThem) state.classList.add("read");
  }
}

function showLooking(frame) {
  const place = document.getElementById("looking");
  if (!place) return;
  const typing = frame.looking.filter((agent) => agent.typing);
  const names = (agents) => agents.map((agent) => agent.name).join(", ");
  if (typing.length) place.textContent = say("types", { name: names(typing) });
  else place.textContent = frame.looking.length ? say("looks", { name: names(frame.looking) }) : "";
}

let leaving = false;

// The person was erased: there is nothing to catch up with any more.
function leave() {
  leaving = true;
  location.assign(currentId() ? `${prefix}/inbox/all` : `${prefix}/people`);
}

async function catchUp() {
  if (!current() || leaving) return;
  try {
    await timeline.loadMissed();
    if (currentId()) await loadHead();
    markRead();
  } catch (error) {
    if (error.message !== "404") throw error;
    leave(); // it was erased before this page was told so
  }
}

function revealFound() {
  if (!location.hash.startsWith("#i-")) return;
  const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  found?.classList.add("found");
  found?.scrollIntoView({ block: "center" });
}

