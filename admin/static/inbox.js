// The list: which rows belong in this view, in which order, more of them when its end comes near, and moving with j and k.

import { fragment, me, parse, prefix, surely } from "./html.js";
import * as live from "./live.js";
import { show } from "./times.js";

const inbox = document.getElementById("inbox");
const rows = document.getElementById("rows");
const { view, status, channel } = inbox?.dataset ?? {};

export function start(open) {
  if (!inbox) return;
  live.looking({ view });
  live.on("row", receive);
  live.on("hello", () => surely(reload));
  live.on("reload", () => setTimeout(() => surely(reload), Math.random() * 2000)); // all pages at once would be a storm
  rows.addEventListener("scroll", () => rows.scrollHeight - rows.scrollTop - rows.clientHeight < 600 && loadMore());
  rows.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    open(row.dataset.id);
  });
}

export function pathOf(id) {
  const query = new URLSearchParams();
  if (status !== "open") query.set("status", status);
  if (channel) query.set("channel", channel);
  const path = `${prefix}/inbox/${view}${id ? `/${encodeURIComponent(id)}` : ""}`;
  return query.size ? `${path}?${query}` : path;
}

export function mark(id) {
  for (const link of rows.querySelectorAll("a[aria-current]")) link.removeAttribute("aria-current");
  const row = rowOf(id);
  row?.querySelector("a").setAttribute("aria-current", "true");
  row?.scrollIntoView({ block: "nearest" });
}

// Returns the id of the row `step` further than the one that is open or has the focus.
export function next(step) {
  const all = [...rows.querySelectorAll(".row")];
  const from = all.findIndex((row) => row.contains(document.activeElement) || row.querySelector("[aria-current]"));
  const to = all[Math.min(all.length - 1, Math.max(0, from < 0 ? 0 : from + step))];
  to?.querySelector("a").focus();
  return to?.dataset.id;
}

function receive(frame) {
  const row = parse(frame.html).querySelector("li");
  row.querySelector("a").href = pathOf(frame.id);
  const known = rowOf(frame.id);
  const current = known?.querySelector("a[aria-current]");
  const focused = known?.contains(document.activeElement);
  if (!belongs(row)) {
    // what is being read stays in sight until the reader goes elsewhere
    if (known && current) known.replaceWith(dressed(row, true));
    else known?.remove();
  } else {
    if (known && known.dataset.at === row.dataset.at) known.replaceWith(row);
    else {
      known?.remove();
      insert(row);
    }
    dressed(row, Boolean(current));
    if (focused) row.querySelector("a").focus();
  }
  document.getElementById("empty").hidden = Boolean(rows.children.length);
}

function dressed(row, isCurrent) {
  show(row);
  if (isCurrent) row.querySelector("a").setAttribute("aria-current", "true");
  return row;
}

function belongs(row) {
  const facts = row.dataset;
  if (facts.status !== status || (channel && facts.channel !== channel)) return false;
  if (view === "mine") return facts.owner === "agent" && facts.assignee === me;
  if (view === "unassigned") return facts.owner === "queue";
  if (view === "bot") return facts.owner === "bot";
  return view === "all" || Boolean(rowOf(facts.id)); // mentions: only the server knows who joins them
}

function insert(row) {
  const at = Date.parse(row.dataset.at);
  for (const other of rows.children) {
    if (Date.parse(other.dataset.at) <= at) return other.before(row);
  }
  if (!rows.dataset.next) rows.append(row); // else it belongs to a page that is not loaded yet
}

async function reload() {
  const fresh = (await fragment(rowsPath())).querySelector("ul");
  const current = rows.querySelector("a[aria-current]")?.closest(".row").dataset.id;
  show(fresh);
  rows.replaceChildren(...fresh.children);
  rows.dataset.next = fresh.dataset.next;
  if (current) mark(current);
  document.getElementById("empty").hidden = Boolean(rows.children.length);
}

async function loadMore() {
  const after = rows.dataset.next;
  if (!after || rows.dataset.loading) return;
  rows.dataset.loading = "1";
  try {
    const more = (await fragment(rowsPath({ after }))).querySelector("ul");
    show(more);
    rows.append(...[...more.children].filter((row) => !rowOf(row.dataset.id)));
    rows.dataset.next = more.dataset.next;
  } finally {
    delete rows.dataset.loading;
  }
}

function rowsPath(more = {}) {
  return `${prefix}/rows/${view}?${new URLSearchParams({ status, channel, ...more })}`;
}

function rowOf(id) {
  return id ? rows.querySelector(`.row[data-id="${CSS.escape(id)}"]`) : null;
}

