// The editor of the rule book: what is wrong is underlined while somebody writes, and told in words; saving never overwrites
// what another wrote meanwhile without asking.

import { element, parse, post } from "./html.js";
import { show } from "./times.js";

const get = (id) => document.getElementById(id);
const editor = get("editor");
const field = get("text");
const told = editor.dataset;
const marks = editor.querySelector(".editor-marks");
const numbers = editor.querySelector(".editor-numbers");
const AFTER = 350; // ms without a key, then the text is checked

let seen = told.seen;
let clean = field.value;
let theirs = null;
let asked = 0;
let waiting = 0;

field.addEventListener("input", () => {
  changed();
  clearTimeout(waiting);
  waiting = setTimeout(check, AFTER);
});
field.addEventListener("scroll", follow);
field.addEventListener("keydown", indent);
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key !== "s") return;
  event.preventDefault();
  save();
});
addEventListener("beforeunload", (event) => {
  if (field.value !== clean) event.preventDefault();
});
get("save")?.addEventListener("click", () => save());
get("save-over")?.addEventListener("click", () => save(true));
get("take-theirs")?.addEventListener("click", takeTheirs);
get("trial")?.addEventListener("click", trial);
get("preview-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  preview(event.target.elements.contact.value);
});

draw([]);
check();
if (told.line) goTo(Number(told.line), 1);

async function check() {
  const mine = ++asked;
  const answer = await post(`${told.path}/check`, { text: field.value });
  if (mine !== asked) return; // an older text's answer
  if (!answer.ok) return (get("verdict").textContent = answer.error);
  showMistakes(answer.mistakes);
  get("warnings").replaceChildren(...answer.warnings.map((text) => element("li", "", text)));
  showSentences(answer.sentences);
}

async function save(over = false) {
  const text = field.value;
  const answer = await post(told.path, { text, seen: over ? theirs.seen : seen, over });
  get("conflict").hidden = answer.reason !== "changed";
  if (answer.reason === "changed") {
    theirs = answer;
    get("conflict-text").textContent = answer.error;
    return get("take-theirs").focus();
  }
  if (!answer.ok) {
    if (answer.mistakes) showMistakes(answer.mistakes);
    else get("verdict").textContent = answer.error;
    return goToFirst();
  }
  seen = answer.seen;
  clean = text;
  changed();
  if (field.value === clean) get("saved-state").textContent = told.saved;
}

function takeTheirs() {
  field.value = clean = theirs.theirs;
  seen = theirs.seen;
  get("conflict").hidden = true;
  changed();
  check();
  field.focus();
}

async function preview(contact = "") {
  get("preview-state").textContent = told.checking;
  const answer = await post(`${told.path}/preview`, { text: field.value, contact });
  get("preview-state").textContent = answer.ok ? "" : answer.error;
  if (!answer.ok) return goToFirst();
  const fresh = parse(answer.html);
  show(fresh);
  get("preview").replaceChildren(fresh);
  for (const mail of get("preview").querySelectorAll("form.into-frame")) mail.submit(); // its page, under a policy of its own
}

async function trial() {
  get("preview-state").textContent = told.checking;
  const answer = await post(`${told.path}/trial`, { text: field.value });
  get("preview-state").textContent = answer.ok ? answer.told : answer.error;
}

function changed() {
  const isDirty = field.value !== clean;
  if (get("save")) {
    get("save").disabled = !isDirty;
    get("saved-state").textContent = isDirty ? told.dirty : "";
  }
  draw([]);
}

function showMistakes(mistakes) {
  const count = mistakes.length;
  get("verdict").textContent = count === 0 ? told.fine : count === 1 ? told.one : told.some.replace("{n}", count);
  get("verdict").className = count ? "bad" : "good";
  get("mistakes").replaceChildren(...mistakes.map(mistakeItem));
  draw(mistakes);
}

function mistakeItem(mistake) {
  const item = element("li");
  const place = element("button", "link", told.at.replace("{line}", mistake.line).replace("{column}", mistake.column));
  place.type = "button";
  place.addEventListener("click", () => goTo(mistake.line, mistake.column));
  item.append(place, element("span", "", mistake.text));
  if (mistake.hint) item.append(element("span", "soft", mistake.hint));
  return item;
}

function showSentences(lines) {
  if (!get("sentences") || !lines.length) return;
  get("sentences").replaceChildren(...lines.map((line) => {
    const depth = (line.length - line.trimStart().length) / 2;
    return element("li", `in-${Math.floor(depth)}`, line.trim());
  }));
}

// The same text behind the field, with marks where something is wrong: a mistake ends with its word, or with its line.
function draw(mistakes) {
  const lines = field.value.split("\n");
  const wrong = new Map();
  for (const one of mistakes) wrong.set(one.line, [...(wrong.get(one.line) ?? []), one.column]);
  numbers.textContent = lines.map((_, number) => number + 1).join("\n");
  marks.replaceChildren(...lines.flatMap((line, number) => [...drawn(line, wrong.get(number + 1) ?? []), "\n"]));
  follow();
}

function drawn(line, columns) {
  const pieces = [];
  let done = 0;
  for (const column of columns.sort((a, b) => a - b)) {
    const from = Math.max(done, Math.min(column - 1, Math.max(0, line.length - 1)));
    const length = line.slice(from).match(/^\w[\w ]*(?=:)|^[^\s,{}\[\]]+/)?.[0].length ?? 1;
    pieces.push(line.slice(done, from), element("mark", "", line.slice(from, from + length) || " "));
    done = from + length;
  }
  return [...pieces, line.slice(done)];
}

function follow() {
  marks.scrollTop = numbers.scrollTop = field.scrollTop;
  marks.scrollLeft = field.scrollLeft;
}

function goToFirst() {
  get("mistakes").querySelector("button")?.focus();
}

function goTo(line, column) {
  const lines = field.value.split("\n");
  const at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  field.focus();
  field.setSelectionRange(at, at);
  field.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(field).lineHeight));
  follow();
}

// Enter keeps the indentation, as YAML asks. Tab stays the way out for those who use the keyboard alone.
function indent(event) {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
  const before = field.value.slice(0, field.selectionStart);
  const margin = before.slice(before.lastIndexOf("\n") + 1).match(/^ */)[0];
  event.preventDefault();
  field.setRangeText(`\n${margin}`, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input"));
}
