// Where the visitor writes: Enter sends, Shift+Enter breaks the line, a pasted picture goes as a file.

import { element, icon } from "./element.js";
import { ACCEPTED } from "./uploads.js";

const LONGEST = 4000; // characters; the server refuses more

export class Composer {
  constructor({ conversation, uploads, words }) {
    Object.assign(this, { conversation, uploads, words });
    this.text = element("textarea", {
      rows: "1", placeholder: words("write"), "aria-label": words("write"), "aria-describedby": "over", enterkeyhint: "send",
    });
    this.files = element("input", { type: "file", multiple: true, accept: ACCEPTED.join(","), tabindex: "-1", "aria-hidden": "true" });
    const attach = element("button", { type: "button", class: "tool", "aria-label": words("attach"), title: words("attach"), onclick: () => this.files.click() }, icon("attach"));
    this.button = element("button", { type: "submit", class: "send", "aria-label": words("send"), title: words("send") }, icon("send"));
    this.over = element("p", { class: "over", id: "over", "aria-live": "polite" });
    this.node = element("form", { class: "composer" }, this.over, attach, this.files, this.text, this.button);

    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.send();
    });
    this.text.addEventListener("input", () => this.changed());
    this.text.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      this.uploads.send(files);
    });
    this.files.addEventListener("change", () => {
      this.uploads.send([...this.files.files]);
      this.files.value = "";
      this.focus();
    });
    this.text.value = draft() ?? "";
    this.changed();
  }

  send() {
    const text = this.text.value;
    if (tooMany(text)) return; // it stays, to be cut by whoever wrote it
    this.text.value = "";
    this.changed();
    this.conversation.sayText(text);
    this.focus();
  }

  // As tall as what is written, up to the CSS's max-height; the draft survives a reload.
  changed() {
    const count = tooMany(this.text.value);
    this.button.disabled = !this.text.value.trim() || count > 0;
    this.over.textContent = count ? this.words("too_long", { count, most: LONGEST }) : "";
    this.text.setAttribute("aria-invalid", String(count > 0));
    this.text.style.height = "auto";
    if (this.text.scrollHeight) this.text.style.height = `${this.text.scrollHeight}px`;
    draft(this.text.value);
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }
}

// How many characters are more than the server takes; it counts an emoji of two halves as one, and so do we.
function tooMany(text) {
  const clean = text.trim();
  return clean.length > LONGEST ? Math.max(0, [...clean].length - LONGEST) : 0;
}

function draft(text) {
  try {
    if (text === undefined) return sessionStorage.getItem("causerie:draft");
    sessionStorage.setItem("causerie:draft", text);
  } catch { /* no storage: no draft */ }
  return null;
}
