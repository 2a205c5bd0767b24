// Where the visitor writes: Enter sends, Shift+Enter breaks the line, a pasted picture goes as a file.

import { element, icon } from "./element.js";
import { ACCEPTED } from "./uploads.js";

const LONGEST = 4000; // characters; the server refuses more

export class Composer {
  constructor({ conversation, uploads, words }) {
    Object.assign(this, { conversation, uploads, words });
    this.text = element("textarea", {
      rows: "1", maxlength: String(LONGEST), placeholder: words("write"), "aria-label": words("write"), enterkeyhint: "send",
    });
    this.files = element("input", { type: "file", multiple: true, accept: ACCEPTED.join(","), tabindex: "-1", "aria-hidden": "true" });
    const attach = element("button", { type: "button", class: "tool", "aria-label": words("attach"), title: words("attach"), onclick: () => this.files.click() }, icon("attach"));
    this.button = element("button", { type: "submit", class: "send", "aria-label": words("send"), title: words("send") }, icon("send"));
    this.node = element("form", { class: "composer" }, attach, this.files, this.text, this.button);

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
    this.text.value = "";
    this.changed();
    this.conversation.sayText(text);
    this.focus();
  }

  // As tall as what is written, up to the CSS's max-height; the draft survives a reload.
  changed() {
    this.button.disabled = !this.text.value.trim();
    this.text.style.height = "auto";
    if (this.text.scrollHeight) this.text.style.height = `${this.text.scrollHeight}px`;
    draft(this.text.value);
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }
}

function draft(text) {
  try {
    if (text === undefined) return sessionStorage.getItem("causerie:draft");
    sessionStorage.setItem("causerie:draft", text);
  } catch { /* no storage: no draft */ }
  return null;
}
