// The timeline's order and its dividers: days, changes of channel, runs of one author. The server sends bare items; they
// may come in any order and more than once, and always end up once and in place.

import { element, fragment, parse, prefix, say } from "./html.js";
import { dayName, sameDay, show } from "./times.js";

const RUN = 5 * 60_000;

export const list = () => document.getElementById("timeline");
export const scroller = () => document.getElementById("scroll");

export function isAtEnd() {
  const box = scroller();
  return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
}

export function toEnd() {
  const box = scroller();
  box.scrollTop = box.scrollHeight;
}

// Puts one item in its place, or in that of its earlier self; returns whether it is new.
export function place(item) {
  const timeline = list();
  const known = timeline.querySelector(`[data-id="${CSS.escape(item.dataset.id)}"]`);
  if (known) {
    known.replaceWith(item);
  } else {
    const items = timeline.querySelectorAll("[data-at]");
    let after = items.length - 1;
    while (after >= 0 && isLater(items[after], item)) after -= 1;
    if (after < 0) timeline.prepend(item);
    else items[after].after(item);
  }
  show(item.parentNode);
  divide();
  return !known;
}

// A message that is on its way: it is shown at once, and replaced by the server's own form.
export function placeWaiting(text, kind) {
  const item = element("li", `said waiting ${kind}`);
  item.dataset.at = new Date().toISOString();
  item.dataset.kind = kind;
  item.dataset.id = `waiting-${Math.random()}`;
  const bubble = element("div", "bubble");
  bubble.append(element("p", "words", text));
  item.append(bubble, element("p", "meta", say("sending")));
  list().append(item);
  divide();
  toEnd();
  return item;
}

export function receive(html) {
  const wasAtEnd = isAtEnd();
  const item = parse(html).querySelector("li");
  const isNew = place(item);
  if (wasAtEnd) toEnd();
  return { isNew, wasAtEnd, item };
}

export async function loadBefore() {
  const timeline = list();
  const before = timeline.dataset.before;
  if (!before || timeline.dataset.loading) return;
  timeline.dataset.loading = "1";
  scroller().setAttribute("aria-busy", "true"); // old messages are no news to a screen reader
  try {
    const stretch = (await fragment(path({ before }))).querySelector("ol");
    const box = scroller();
    const fromEnd = box.scrollHeight - box.scrollTop;
    show(stretch);
    timeline.prepend(...stretch.children);
    timeline.dataset.before = stretch.dataset.before;
    divide();
    box.scrollTop = box.scrollHeight - fromEnd;
  } finally {
    delete timeline.dataset.loading;
    scroller().removeAttribute("aria-busy");
  }
}

// All up to the last item is shown: as drawn, as told, as caught up with. What this page itself sends proves nothing of what others
// said before it, for its answer may come while the ear is still deaf.
export function isWhole() {
  const timeline = list();
  if (timeline.dataset.missed !== undefined) return;
  const items = timeline.querySelectorAll("[data-at]:not(.waiting)");
  const last = items[items.length - 1];
  timeline.dataset.whole = last ? `${Date.parse(last.dataset.at)}~0~-` : "";
}

// What came while the page was away: from the last item on up to which all is shown; it comes again and meets itself. Where that was
// is kept until it is loaded: what is told meanwhile is later, and would hide the gap.
export async function loadMissed() {
  const timeline = list();
  timeline.dataset.missed ??= timeline.dataset.whole ?? "";
  const after = timeline.dataset.missed;
  const stretch = await fragment(path(after ? { after } : {}));
  if (list() !== timeline) return; // another conversation was opened meanwhile
  delete timeline.dataset.missed;
  const wasAtEnd = isAtEnd();
  for (const item of [...stretch.querySelectorAll("li")]) place(item);
  isWhole();
  if (wasAtEnd) toEnd();
}

export function divide() {
  const timeline = list();
  for (const divider of timeline.querySelectorAll(".divider")) divider.remove();
  let before = null;
  let channel = null;
  for (const item of timeline.querySelectorAll("[data-at]")) {
    const at = new Date(item.dataset.at);
    const isNewDay = !before || !sameDay(new Date(before.dataset.at), at);
    const isMessage = item.dataset.channel && item.dataset.kind !== "note";
    const isElsewhere = isMessage && channel && item.dataset.conversation !== channel;
    if (isNewDay) item.before(divider(isElsewhere ? `${dayName(at)} · ${item.dataset.channelName}` : dayName(at)));
    else if (isElsewhere) item.before(divider(say("continued_on", { channel: item.dataset.channelName }), "channel"));
    if (isMessage) channel = item.dataset.conversation;
    const follows = Boolean(before && item.previousElementSibling === before && before.dataset.author &&
      before.dataset.author === item.dataset.author && before.dataset.kind === item.dataset.kind &&
      at - new Date(before.dataset.at) < RUN);
    item.classList.toggle("follows", follows);
    before?.classList.toggle("followed", follows);
    item.classList.remove("followed");
    before = item;
  }
}

function divider(text, className = "") {
  return element("li", `divider ${className}`, text);
}

function isLater(a, b) {
  const first = Date.parse(a.dataset.at), second = Date.parse(b.dataset.at);
  if (first !== second) return first > second;
  return Number(a.dataset.seq ?? Infinity) > Number(b.dataset.seq ?? Infinity);
}

function path(query) {
  const profile = document.querySelector(".conversation").dataset.profile;
  return `${prefix}/people/${encodeURIComponent(profile)}/timeline?${new URLSearchParams(query)}`;
}
