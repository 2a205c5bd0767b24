// Writing: reply or note, canned replies after "/", colleagues after "@", files, and what the channel makes of it, said before sending.

import * as drafts from "./drafts.js";
import { conversationPath, element, post, say } from "./html.js";
import * as live from "./live.js";
import { measure } from "./segments.js";
import { pathOf, toast } from "./notices.js";
import * as timeline from "./timeline.js";

const get = (id) => document.getElementById(id);
const PATIENCE = 60_000; // ms in which an answer that never came is asked for again
let files = [];
let isNote = false;
let pick = -1;
let typedAt = 0;

export function begin() {
  const form = get("composer");
  if (!form) return;
  const text = get("text");
  text.addEventListener("input", changed);
  text.addEventListener("keydown", keys);
  text.addEventListener("paste", (event) => attach([...event.clipboardData.files]));
  text.addEventListener("blur", closeOffers);
  get("tabs").addEventListener("keydown", turnByArrow);
  get("file").addEventListener("change", (event) => attach([...event.target.files]));
  form.addEventListener("submit", (event) => (event.preventDefault(), send()));
  refreshHint();
  putBack();
}

// Writes a reply or a note from now on.
export function mode(note) {
  const form = get("composer");
  if (!form || (!note && form.dataset.blocked)) return;
  turn(note);
  get("text").focus();
}

// Puts what was begun into the field: a note comes back as a note, never as a reply.
function putBack() {
  const draft = drafts.of(id());
  files = [...draft.files];
  get("text").value = draft.text;
  turn(draft.isNote || Boolean(get("composer").dataset.blocked));
  showFiles();
}

function turn(note) {
  const form = get("composer");
  isNote = note;
  form.classList.toggle("is-note", note);
  for (const [tab, isChosen] of [["tab-reply", !note], ["tab-note", note]]) {
    get(tab).setAttribute("aria-selected", String(isChosen));
    get(tab).tabIndex = isChosen ? 0 : -1;
  }
  get("writing").setAttribute("aria-labelledby", note ? "tab-note" : "tab-reply");
  get("text").placeholder = note ? say("note_hint") : get("text").dataset.reply;
  const label = get("send").querySelector("[data-label]");
  label.textContent = note ? label.dataset.note : label.dataset.label;
  changed();
}

// Between two tabs each arrow is the way to the other one; the focus stays on the tabs (WAI-ARIA's pattern "tabs").
function turnByArrow(event) {
  const others = { ArrowLeft: !isNote, ArrowRight: !isNote, Home: false, End: true };
  if (!(event.key in others) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const note = others[event.key];
  if (note === isNote || (!note && get("composer").dataset.blocked)) return;
  turn(note);
  get(note ? "tab-note" : "tab-reply").focus();
}

export function offerCanned() {
  const text = get("text");
  text.setRangeText("/", text.selectionStart, text.selectionEnd, "end");
  text.focus();
  changed();
}

// A reply that the language model proposes: put where the agent writes, never sent by itself.
export async function suggest() {
  const button = get("suggest");
  const conversation = id();
  if (button.disabled) return;
  button.disabled = true;
  get("hint").textContent = say("drafting");
  const answer = await post(conversationPath(conversation, "draft"));
  button.disabled = false;
  if (conversation !== id()) return;
  get("hint").textContent = answer.ok ? say("drafted") : "";
  if (!answer.ok) return fail(answer.error ?? say("failed"));
  fail("");
  mode(false);
  const text = get("text");
  text.value = text.value.trim() ? `${text.value.trimEnd()}\n${answer.text}` : answer.text;
  text.setSelectionRange(text.value.length, text.value.length);
  changed();
}

// Says whose answer a reply takes over; asked again whenever the conversation changes hands.
export function refreshHint() {
  if (get("hint")) get("hint").textContent = get("head").dataset.hint;
}

async function send() {
  const text = get("text").value.trim();
  const conversation = id();
  if ((!text && !files.length) || (!isNote && get("composer").dataset.blocked)) return;
  const kind = isNote ? "note" : "out";
  const said = { text, ...(isNote ? {} : { files: files.map((file) => file.file) }) };
  const whole = JSON.stringify([kind, said]);
  const draft = { text: get("text").value, files, isNote };
  said.id = drafts.leave(conversation, draft, whole);
  const waiting = timeline.placeWaiting(text || files.map((file) => file.name).join(", "), kind);
  clear();
  // an answer that never came proves nothing: the same id is offered again, and is said once
  const until = Date.now() + PATIENCE;
  const path = conversationPath(conversation, kind === "note" ? "note" : "reply");
  let answer = await post(path, said);
  for (let wait = 700; isUnproved(answer) && Date.now() < until; wait = Math.min(2 * wait, 5_000)) {
    await new Promise((done) => setTimeout(done, wait));
    answer = await post(path, said);
  }
  waiting.remove();
  if (!answer.ok) return restore(conversation, { draft, whole, id: said.id }, answer);
  drafts.settle(conversation, said.id);
  if (conversation === id() && answer.said?.html) timeline.receive(answer.said.html);
}

function isUnproved(answer) {
  return !answer.ok && Boolean(answer.offline || answer.reason === "unavailable");
}

function clear() {
  get("text").value = "";
  files = [];
  showFiles();
  fail("");
  changed();
}

function restore(conversation, unsent, answer) {
  drafts.comeBack(conversation, unsent, isUnproved(answer));
  if (conversation !== id()) return toast(answer.error ?? say("failed"), unsent.draft.text, pathOf(conversation));
  putBack();
  fail(answer.error ?? say("failed"));
}

function changed() {
  const text = get("text");
  drafts.keep(id(), { text: text.value, files, isNote });
  if (!CSS.supports("field-sizing", "content")) fit(text);
  count(text.value);
  offer();
  if (text.value && !isNote && Date.now() - typedAt > 3000) {
    typedAt = Date.now();
    live.send({ typing: true });
  }
}

function fit(text) {
  text.rows = Math.min(12, Math.max(1, text.value.split("\n").length));
}

// Said before sending: how many SMS this will be, or that it will be split.
function count(value) {
  const { limit, segments } = get("composer").dataset;
  const counter = get("counter");
  const parts = segments ? measure(value) : Math.ceil(value.length / Number(limit));
  counter.classList.toggle("over", parts > 3);
  if (isNote || !value) counter.textContent = "";
  else if (segments) counter.textContent = say("segments", { n: parts });
  else counter.textContent = parts > 1 ? say("will_split", { n: parts }) : "";
}

async function attach(chosen) {
  const form = get("composer");
  const conversation = id();
  const complain = (why) => conversation === id() && fail(why);
  get("file").value = "";
  fail("");
  for (const file of chosen) {
    if (!form.dataset.kinds || isNote) return;
    if (Number(form.dataset.bytes) && file.size > Number(form.dataset.bytes)) return complain(say("too_large"));
    try {
      const answer = await fetch(conversationPath(conversation, "files"), {
        method: "POST",
        headers: { "X-CSRF": document.body.dataset.csrf, "X-File-Name": encodeURIComponent(file.name), "Content-Type": "application/octet-stream" },
        body: file,
      });
      const kept = await answer.json();
      if (!kept.ok) return complain(kept.error);
      const draft = drafts.of(conversation); // another may have been opened meanwhile: a file waits where it was chosen
      drafts.keep(conversation, { ...draft, files: [...draft.files, kept] });
    } catch {
      return complain(say("offline"));
    }
    if (conversation !== id()) continue;
    files = [...drafts.of(conversation).files];
    showFiles();
  }
}

function showFiles() {
  get("files").replaceChildren(...files.map((file) => {
    const item = element("li", "", file.name);
    const remove = element("button", "ghost", "×");
    remove.type = "button";
    remove.setAttribute("aria-label", `${say("remove")} ${file.name}`);
    remove.onclick = () => ((files = files.filter((other) => other !== file)), changed(), showFiles());
    item.append(remove);
    return item;
  }));
}

function fail(why) {
  get("composer-error").textContent = why;
  get("composer-error").hidden = !why;
}

// -- what is offered while typing: /shortcut in a reply or note, @name in a note

function offer() {
  const text = get("text");
  const before = text.value.slice(0, text.selectionStart);
  const canned = before.match(/(?:^|\s)\/([\p{L}\d_-]*)$/u);
  const mention = isNote && before.match(/(?:^|\s)@([\p{L} .'-]{0,40})$/u);
  if (canned) return showOffers(matching("canned", "shortcut", canned[1]), `/${canned[1]}`);
  if (mention) return showOffers(matching("colleagues", "name", mention[1]), `@${mention[1]}`);
  closeOffers();
}

function matching(source, key, start) {
  const all = [...get(source).content.querySelectorAll("li")];
  return all.filter((one) => plain(one.dataset[key]).startsWith(plain(start))).slice(0, 8);
}

// été is found by "ete": whoever types fast leaves the accents out.
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function showOffers(found, typed) {
  const offers = get("offers");
  offers.replaceChildren(...found.map((one, number) => {
    const item = element("li");
    item.id = `offer-${number}`;
    item.setAttribute("role", "option");
    if (one.dataset.shortcut) item.append(element("code", "", `/${one.dataset.shortcut}`), element("span", "", one.dataset.text));
    else item.append(element("b", "", one.dataset.name));
    item.onmousedown = (event) => (event.preventDefault(), choose(one, typed));
    item.choose = () => choose(one, typed);
    return item;
  }));
  offers.hidden = !found.length;
  select(found.length ? 0 : -1);
}

function choose(one, typed) {
  const text = get("text");
  const end = text.selectionStart;
  const filled = one.dataset.shortcut ? fill(one.dataset.text) : `@${one.dataset.name} `;
  text.setRangeText(filled, end - typed.length, end, "end");
  closeOffers();
  changed();
  closeOffers();
}

function fill(text) {
  const known = JSON.parse(get("composer").dataset.known);
  return text.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name) => known[name] ?? whole);
}

function closeOffers() {
  if (!get("offers")) return;
  get("offers").hidden = true;
  select(-1);
}

function select(number) {
  pick = number;
  [...get("offers").children].forEach((item, index) => item.setAttribute("aria-selected", String(index === number)));
  get("offers").children[number]?.scrollIntoView({ block: "nearest" });
  if (number >= 0) get("text").setAttribute("aria-activedescendant", `offer-${number}`);
  else get("text").removeAttribute("aria-activedescendant");
}

function keys(event) {
  const offered = get("offers").hidden ? 0 : get("offers").children.length;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return send();
  }
  if (!offered) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") select((pick + (event.key === "ArrowDown" ? 1 : offered - 1)) % offered);
  else if (event.key === "Enter" || event.key === "Tab") get("offers").children[pick].choose();
  else if (event.key === "Escape") closeOffers();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

const id = () => document.querySelector(".conversation").dataset.id;
