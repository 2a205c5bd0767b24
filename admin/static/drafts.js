// What was begun and not sent, for each conversation: words, files, and whether it is a note. It outlives a reload and a sign-in
// anew in this tab, and ends with the sign-out. What is on its way is kept until it is answered, under the id it was offered with.

import { me } from "./html.js";

const KEY = `causerie:drafts:${me}`;
const EMPTY = { text: "", files: [], isNote: false };
const begun = new Map(); // conversation -> {text, files, isNote}
const leaving = new Map(); // conversation -> {draft, whole, id}
// What came back unsent may be said already: sent again as it is, it keeps its name, and is said once.
const returned = new Map(); // conversation -> {whole, id}

readKept();

export function of(conversation) {
  return begun.get(conversation) ?? EMPTY;
}

export function keep(conversation, draft) {
  if (draft.text || draft.files.length) begun.set(conversation, draft);
  else begun.delete(conversation);
  write();
}

// It is offered to the server now; returns the id to offer it with: the one before, if it is the same that came back.
export function leave(conversation, draft, whole) {
  const before = returned.get(conversation);
  const id = before?.whole === whole ? before.id : crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
  returned.delete(conversation);
  leaving.set(conversation, { draft, whole, id });
  begun.delete(conversation);
  write();
  return id;
}

// The server has it, or refused it for good.
export function settle(conversation, id) {
  if (leaving.get(conversation)?.id === id) leaving.delete(conversation);
  write();
}

// It came back, before what was begun since; `unproved`: nobody knows whether the server has it.
export function comeBack(conversation, { draft, whole, id }, unproved) {
  const since = of(conversation);
  const text = since.text ? `${draft.text}\n${since.text}` : draft.text;
  begun.set(conversation, { text, files: [...draft.files, ...since.files], isNote: draft.isNote || since.isNote });
  if (unproved) returned.set(conversation, { whole, id });
  settle(conversation, id);
}

export function forgetAll() {
  for (const kept of [begun, leaving, returned]) kept.clear();
  write();
}

function readKept() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY)) ?? { begun: [], leaving: [], returned: [] };
    for (const [conversation, draft] of kept.begun) begun.set(conversation, draft);
    for (const [conversation, one] of kept.returned) returned.set(conversation, one);
    for (const [conversation, one] of kept.leaving) comeBack(conversation, one, true);
  } catch { /* no storage: what is begun lives as long as the page */ }
}

function write() {
  try {
    const kept = { begun: [...begun], leaving: [...leaving], returned: [...returned] };
    if (begun.size + leaving.size + returned.size) sessionStorage.setItem(KEY, JSON.stringify(kept));
    else sessionStorage.removeItem(KEY);
  } catch { /* no storage */ }
}
