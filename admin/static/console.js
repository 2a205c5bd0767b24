// The console's entry: starts what the page has, and knows every button (data-act) and every key.

import * as composer from "./composer.js";
import * as conversation from "./conversation.js";
import * as drafts from "./drafts.js";
import { fragment, say } from "./html.js";
import * as inbox from "./inbox.js";
import * as live from "./live.js";
import * as notices from "./notices.js";
import * as panel from "./panel.js";
import * as timeline from "./timeline.js";
import { show } from "./times.js";

const get = (id) => document.getElementById(id);

const acts = {
  ...panel.acts,
  ...notices.acts,
  take: () => conversation.act("take"),
  resolve: () => conversation.act("resolve"),
  reopen: () => conversation.act("reopen"),
  "give-back": () => conversation.act("give-back"),
  assign: ({ to }) => conversation.act("assign", { to }),
  snooze: ({ until }) => conversation.act("snooze", { until: seconds(moment(until)) }),
  "reply-tab": () => composer.mode(false),
  "note-tab": () => composer.mode(true),
  canned: () => composer.offerCanned(),
  suggest: () => composer.suggest(),
  jump: () => (timeline.toEnd(), (get("jump").hidden = true)),
  back: () => goBack(),
  help: () => get("help").showModal(),
  "open-rail": () => (get("rail").classList.add("is-open"), get("rail").querySelector("a").focus()),
  "close-rail": () => get("rail").classList.remove("is-open"),
  copy: ({ from }) => copy(get(from)),
};

const keys = {
  j: () => openNext(1),
  k: () => openNext(-1),
  r: () => composer.mode(false),
  n: () => composer.mode(true),
  t: () => press("take"),
  e: () => conversation.currentId() && conversation.act("resolve"),
  a: () => openMenu("assign"),
  s: () => openMenu("snooze"),
  "/": () => get("find")?.focus(),
  "?": () => get("help").showModal(),
};

show();
panel.start();
notices.start(conversation.currentId);
conversation.start();
inbox.start(open);
live.connect();
watchLists();

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (button && menu.contains(document.activeElement)) menu.querySelector("summary").focus(); // what was chosen is hidden now
    if (!menu.contains(event.target) || (button && menu.contains(button))) menu.open = false;
  }
  if (button) acts[button.dataset.act]?.(button.dataset);
  const thread = event.target.closest("[data-open]");
  if (thread && get("inbox") && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    open(thread.dataset.open);
  }
});

document.addEventListener("submit", (event) => {
  if (event.target.id === "sign-out") drafts.forgetAll();
  if ("once" in event.target.dataset) once(event);
  if (event.target.id !== "snooze-until") return;
  event.preventDefault(); // sent when it is whole: a field for times changes at the first digit of the minutes
  get("snooze").querySelector("summary").focus();
  get("snooze").open = false;
  conversation.act("snooze", { until: seconds(new Date(event.target.elements.until.value)) });
});

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return escape(event);
  if (event.target.closest("input, textarea, select, dialog[open]")) return;
  const key = keys[event.key];
  if (!key) return;
  event.preventDefault();
  key();
});

addEventListener("pagehide", () => {
  for (const form of document.querySelectorAll("[data-once]")) form.dataset.once = "";
  for (const field of document.querySelectorAll("[data-shown-once]")) field.value = ""; // the way back shows no secret again
});

addEventListener("popstate", () => location.reload());

async function open(id) {
  if (!(await conversation.open(id))) return;
  const path = inbox.pathOf(id);
  if (path !== location.pathname + location.search) history.pushState(null, "", path); // a second click is no second step back
  notices.entitle(conversation.current().dataset.name);
  inbox.mark(id);
}

function openNext(step) {
  if (!get("inbox")) return;
  const id = inbox.next(step);
  if (id && id !== conversation.currentId() && matchMedia("(min-width: 720px)").matches) open(id);
}

function goBack() {
  conversation.close();
  history.pushState(null, "", inbox.pathOf(null));
  notices.entitle(null);
  get("rows")?.querySelector("a[aria-current], a")?.focus();
}

function escape(event) {
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    return menu.querySelector("summary").focus();
  }
  get("rail").classList.remove("is-open");
  get("panel")?.classList.remove("is-open");
  if (event.target.closest("input, textarea, select")) return event.target.blur();
  get("rows")?.querySelector("a[aria-current], a")?.focus();
}

// Of a form whose answer is shown once, the answer to a double click would hide that to the first.
function once(event) {
  if (event.target.dataset.once === "sent") event.preventDefault();
  event.target.dataset.once = "sent";
}

// Without TLS there is no clipboard but the old one.
async function copy(field) {
  field.select();
  const isDone = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
  notices.toast(say(isDone || document.execCommand("copy") ? "copied" : "selected"));
}

function press(act) {
  document.querySelector(`.head [data-act="${act}"]`)?.click();
}

function openMenu(id) {
  const menu = get(id);
  if (!menu) return;
  menu.open = true;
  menu.querySelector("button").focus();
}

function seconds(date) {
  return Math.floor(date.getTime() / 1000);
}

function moment(word) {
  const at = new Date();
  if (word === "hour") return new Date(at.getTime() + 3_600_000);
  if (word === "evening") {
    at.setHours(18, 0, 0, 0);
    if (at <= new Date()) at.setDate(at.getDate() + 1);
    return at;
  }
  at.setDate(at.getDate() + (word === "monday" ? ((8 - at.getDay()) % 7 || 7) : 1));
  at.setHours(9, 0, 0, 0);
  return at;
}

// Long lists load on as their end comes into sight.
function watchLists() {
  for (const list of document.querySelectorAll(".more-list")) {
    const watcher = new IntersectionObserver(async ([seen]) => {
      const path = list.dataset.more;
      if (!seen.isIntersecting || !path) return;
      list.dataset.more = "";
      const more = await fragment(path);
      show(more);
      list.dataset.more = more.lastElementChild?.dataset.more ?? "";
      list.append(...more.children);
      watch();
    });
    const watch = () => {
      watcher.disconnect();
      if (list.lastElementChild && list.dataset.more) watcher.observe(list.lastElementChild);
    };
    watch();
  }
}
