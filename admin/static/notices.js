// What reaches an agent who looks elsewhere: toasts, the browser's notifications, the counts beside the views and in the title.

import { element, me, post, prefix, say } from "./html.js";
import * as live from "./live.js";

const TOAST_FOR = 7000;
let title = document.title;
let waiting = 0;
const unreadBefore = new Map();

export function start(currentId) {
  live.on("counts", showCounts);
  live.on("mentions", (frame) => {
    const more = showCount("mentions", frame.count, true);
    if (more) announce(say("mentioned"), "", `${prefix}/inbox/mentions`);
  });
  live.on("handover", (frame) => frame.id !== currentId() && announce(say("handed_over", { name: frame.name }), frame.summary, pathOf(frame.id)));
  live.on("row", (frame) => {
    const before = unreadBefore.get(frame.id);
    unreadBefore.set(frame.id, { unread: frame.unread, assignee: frame.assignee });
    if (frame.owner !== "agent" || frame.assignee !== me || frame.id === currentId()) return;
    const isNews = frame.author === "customer" && frame.unread > (before?.unread ?? 0);
    const byHand = frame.given_by && frame.given_by !== `agent:${me}`; // whatever this page knew of it before, and though all was read
    if (byHand || (before ? before.assignee !== me : isNews && !frame.fresh)) announce(say("assigned", { name: frame.name }), frame.text, pathOf(frame.id));
    else if (isNews) announce(say("wrote", { name: frame.name }), frame.text, pathOf(frame.id));
  });
  live.on("presence", showPresent);
  const state = document.getElementById("notify-state");
  if (state && "Notification" in window) state.textContent = Notification.permission === "granted" ? "✓" : "";
}

export function toast(head, body = "", href = null) {
  const made = element(href ? "a" : "div", "toast");
  if (href) made.href = href;
  made.append(element("b", "", head));
  if (body) made.append(element("span", "", body));
  if (href) dismiss(href); // what is newer about the same conversation says it all
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), TOAST_FOR);
}

export function dismiss(href) {
  for (const old of document.querySelectorAll("a.toast")) if (old.getAttribute("href") === href) old.remove();
}

export const fail = (why) => toast(why);

export const acts = {
  notify: async () => {
    const answer = "Notification" in window ? await Notification.requestPermission() : "denied";
    document.getElementById("notify-state").textContent = answer === "granted" ? "✓" : answer;
  },
  away: async ({ away }) => {
    const isAway = away === "yes";
    const answer = await post(`${prefix}/settings/away`, { away: isAway });
    if (!answer.ok) return fail(answer.error);
    document.getElementById("standing").textContent = say(isAway ? "away" : "available");
    const button = document.querySelector("[data-act=away]");
    button.dataset.away = isAway ? "no" : "yes";
    button.lastChild.textContent = say(isAway ? "come_back" : "go_away");
  },
};

function announce(head, body, href) {
  toast(head, body, href);
  if (document.hidden && "Notification" in window && Notification.permission === "granted") {
    const notice = new Notification(head, { body, tag: href });
    notice.onclick = () => (window.focus(), location.assign(href));
  }
}

function showCounts(frame) {
  showCount("mine", frame.mine, frame.unread > 0);
  showCount("unassigned", frame.unassigned, false);
  waiting = frame.unread + frame.unassigned;
  showTitle();
}

// The title says whose conversation is open, in the browser's history too; null: none is.
export function entitle(name) {
  const list = document.querySelector(".list h1");
  if (list) title = [name, list.textContent, "Causerie"].filter(Boolean).join(" · ");
  showTitle();
}

function showTitle() {
  document.title = waiting ? `(${waiting}) ${title}` : title;
}

function showCount(key, count, fresh) {
  const place = document.querySelector(`[data-count="${key}"]`);
  if (!place) return false;
  const more = count > Number(place.textContent);
  place.textContent = count;
  place.hidden = !count;
  place.classList.toggle("fresh", fresh && count > 0);
  return more;
}

function showPresent(frame) {
  document.getElementById("present").replaceChildren(...frame.here.filter((agent) => agent.id !== me).slice(0, 12).map((agent) => {
    const hue = [...new TextEncoder().encode(agent.id)].reduce((sum, byte) => sum + byte, 0) % 6;
    const made = element("span", `avatar hue-${hue}${agent.away ? " away" : ""}`, agent.initials);
    made.title = made.ariaLabel = agent.away ? `${agent.name}, ${say("away")}` : agent.name;
    made.role = "img";
    return made;
  }));
}

export const pathOf = (id) => `${prefix}/inbox/all/${encodeURIComponent(id)}`;
