// The person beside the conversation: learning and correcting attributes, merging two contacts, undoing it.

import { conversationPath, fragment, post, prefix, say } from "./html.js";
import { fail, toast } from "./notices.js";
import { show } from "./times.js";

const get = (id) => document.getElementById(id);
const profile = () => document.querySelector(".panel-inner").dataset.profile;
const personPath = (...rest) => [prefix, "people", encodeURIComponent(profile()), ...rest].join("/");

let conflict = "";

export async function refresh() {
  const panel = get("panel");
  const id = document.querySelector(".conversation").dataset.id;
  const editing = panel.contains(document.activeElement) && document.activeElement.closest("form, dialog");
  if (editing) return; // nobody's typing is taken away; the next news or visit brings it up to date
  if (!id) return location.reload();
  const fresh = await fragment(conversationPath(id, "panel"));
  show(fresh);
  panel.replaceChildren(fresh);
}

export const acts = {
  panel: () => get("panel").classList.toggle("is-open"),
  "close-panel": () => get("panel").classList.remove("is-open"),
  add: () => edit("", ""),
  edit: ({ name, value }) => edit(name, value),
  "no-edit": () => (get("attribute").hidden = true),
  forget: () => save(get("attribute").elements.name.value, null),
  merge: ({ other, conflict: about }) => lookAt(other, about),
  "do-merge": ({ other }) => merge(other),
  "undo-merge": ({ merge: id }) => undo(id),
  settle: ({ conflict: id }) => settle(id),
  consent: () => ((get("consent").hidden = false), get("consent").elements.given.focus()),
  "no-consent": () => (get("consent").hidden = true),
  withdraw: ({ topic, channel }) => withdraw(topic, channel),
  "settle-request": ({ request: id }) => settleRequest(id),
  erase: () => get("erase").showModal(),
  "no-erase": () => get("erase").close(),
};

export function start() {
  document.addEventListener("submit", (event) => {
    if (event.target.id === "attribute") {
      event.preventDefault();
      const { name, value } = event.target.elements;
      save(name.value, value.value.trim() || null);
    } else if (event.target.id === "consent") {
      event.preventDefault();
      record(event.target);
    } else if (event.target.id === "erase-form") {
      event.preventDefault();
      erase(event.target);
    } else if (event.target.id === "merge-find") event.preventDefault();
  });
  document.addEventListener("input", (event) => {
    if (event.target.closest("#merge-find")) find(event.target.value);
  });
}

function edit(name, value) {
  const form = get("attribute");
  form.hidden = false;
  form.elements.name.value = name;
  form.elements.name.readOnly = Boolean(name);
  form.elements.value.value = value;
  form.querySelector("[data-act=forget]").hidden = !name;
  form.querySelector(".error").hidden = true;
  (name ? form.elements.value : form.elements.name).focus();
}

async function save(name, value) {
  const answer = await post(personPath("attributes"), { name, value });
  if (!answer.ok) return complain(get("attribute"), answer.error);
  get("attribute").hidden = true;
  await goOn("add");
}

async function lookAt(other, about) {
  conflict = about ?? conflict;
  const dialog = get("merge");
  const fresh = await fragment(personPath("merge") + (other ? `?other=${encodeURIComponent(other)}` : ""));
  show(fresh);
  dialog.replaceChildren(fresh);
  if (dialog.open) dialog.querySelector("input, [data-act]").focus(); // what had the focus is gone
  else dialog.showModal();
}

async function record(form) {
  const { given, topic, channel, evidence } = form.elements;
  const said = { given: given.value === "yes", topic: topic.value, channel: channel.value, evidence: evidence.value };
  const button = form.querySelector(".primary");
  button.disabled = true; // a no waits until nothing is under way against it
  const answer = await post(personPath("consents"), said);
  button.disabled = false;
  if (!answer.ok) return complain(form, answer.error);
  form.hidden = true;
  await goOn("consent");
}

async function withdraw(topic, channel) {
  const answer = await post(personPath("consents"), { given: false, topic, channel });
  if (!answer.ok) return fail(answer.error);
  await goOn("consent");
}

async function settleRequest(id) {
  const answer = await post(`${prefix}/requests/${encodeURIComponent(id)}/settle`);
  if (!answer.ok) return fail(answer.error);
  await refresh();
}

async function erase(form) {
  const button = form.querySelector(".danger");
  button.disabled = true;
  const answer = await post(personPath("erase"), { sure: form.elements.sure.checked });
  button.disabled = false;
  if (answer.ok) return location.assign(`${prefix}/people`);
  complain(form, answer.error);
}

// Says in the form why it was refused, and goes there.
function complain(form, why) {
  const error = form.querySelector(".error");
  error.textContent = why;
  error.hidden = false;
  error.tabIndex = -1;
  error.focus();
}

// Shows the person as they are now; the keyboard goes on at the button that opened what was saved.
async function goOn(act) {
  document.activeElement.blur();
  await refresh();
  get("panel").querySelector(`[data-act="${act}"]`)?.focus();
}

let searching = 0;

async function find(asked) {
  const mine = ++searching;
  const fresh = await fragment(`${personPath("merge")}?q=${encodeURIComponent(asked)}`);
  if (mine === searching) document.querySelector("#merge .candidates")?.replaceWith(fresh.querySelector(".candidates"));
}

async function merge(other) {
  const answer = await post(personPath("merge"), conflict ? { other, conflict } : { other });
  if (!answer.ok) return fail(answer.error);
  get("merge").close();
  toast(say("merge_done"));
  location.reload();
}

async function undo(id) {
  const answer = await post(`${prefix}/merges/${encodeURIComponent(id)}/undo`);
  if (!answer.ok) return fail(answer.error);
  location.reload();
}

async function settle(id) {
  const answer = await post(`${prefix}/conflicts/${encodeURIComponent(id)}/settle`);
  if (!answer.ok) return fail(answer.error);
  await refresh();
}
