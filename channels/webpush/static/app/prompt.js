// The soft prompt: what we would write about, in whose words, before the browser asks its own question. The same card shows
// later what was agreed to, and ends it.

import { element, icon } from "./element.js";
import { paint } from "./paint.js";

export class Prompt {
  #subscription; #words; #title; #host = null; #dialog; #settings = null; #under = false;
  #style; #accent; #theme;

  constructor({ subscription, words, style, title, accent, theme }) {
    this.#subscription = subscription;
    this.#words = words;
    this.#title = title;
    this.#style = style;
    this.#accent = accent;
    this.#theme = theme;
  }

  // Shows the card; returns once it is there.
  async open() {
    if (this.#dialog?.open || this.#under) return;
    this.#under = true;
    this.#mount();
    try {
      const state = await this.#subscription.state();
      if (state === "unsupported" || state === "blocked") this.#say(state);
      else this.#offer(await this.#subscription.settings());
    } catch {
      this.#say("away");
    } finally {
      this.#under = false;
    }
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #mount() {
    if (this.#host) return;
    this.#host = element("div", { lang: this.#words.language });
    const root = this.#host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [this.#style];
    this.#dialog = element("dialog", { class: "card", "aria-labelledby": "title", "data-theme": this.#theme });
    paint(this.#dialog, this.#accent);
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close(); // beside the card
    });
    root.append(this.#dialog);
    document.body.append(this.#host);
  }

  // One sentence and a way out.
  #say(name) {
    const close = element("button", { class: "main", type: "button", onclick: () => this.#dialog.close() }, this.#words("close"));
    this.#show(this.#words(`${name}_title`), element("p", {}, this.#words(name)), element("div", { class: "acts" }, close));
    close.focus();
  }

  #offer(settings) {
    this.#settings = settings;
    const words = this.#words, { topics, isOn } = settings;
    const parts = [element("p", {}, words(isOn ? "intro_on" : "intro"))];
    if (topics.length === 1 && !isOn) parts.push(element("p", { class: "wording" }, topics[0].wording));
    else if (topics.length) parts.push(this.#choices(topics, settings.on));
    const yes = element("button", { class: "main", type: "submit" }, words(isOn ? "save" : "yes"));
    const no = isOn
      ? element("button", { type: "button", onclick: () => this.#act(() => this.#end()) }, words("stop"))
      : element("button", { type: "button", onclick: () => this.#dialog.close() }, words("not_now"));
    const note = element("p", { class: "note", role: "status" });
    const form = element("form", { onsubmit: (event) => { event.preventDefault(); this.#act(() => this.#agree()); } },
      ...parts, note, element("div", { class: "acts" }, no, yes));
    this.#show(this.#title && !isOn ? this.#title : words(isOn ? "title_on" : "title"), form);
    form.addEventListener("change", () => this.#note(""));
  }

  #choices(topics, on) {
    const rows = topics.map((topic) => element("label", {},
      element("input", { type: "checkbox", name: topic.id, checked: on.includes(topic.id) }), // never ticked by us
      element("span", {}, element("strong", {}, topic.title), element("span", { class: "wording" }, topic.wording))));
    return element("fieldset", {}, element("legend", { class: "unseen" }, this.#words("topics")), ...rows);
  }

  async #agree() {
    const { topics, key, on } = this.#settings;
    const boxes = [...this.#dialog.querySelectorAll("input[type=checkbox]")];
    const chosen = topics.filter((topic) => !boxes.length || boxes.some((box) => box.name === topic.id && box.checked));
    if (topics.length && !chosen.length) return this.#note(this.#words("choose"));
    const yes = chosen.map(({ id, version }) => ({ topic: id, version }));
    const no = topics.filter((topic) => on.includes(topic.id) && !chosen.includes(topic)).map(({ id }) => id);
    this.#note(this.#words("asking"));
    const state = await this.#subscription.begin({ key, yes, no });
    if (state === "blocked") this.#say("blocked");
    else if (state === "on") this.#say("done");
    else this.#note(this.#words("undecided"));
  }

  async #end() {
    await this.#subscription.end();
    this.#say("ended");
  }

  async #act(what) {
    const buttons = [...this.#dialog.querySelectorAll(".acts button")];
    for (const button of buttons) button.disabled = true;
    try {
      await what();
    } catch (error) {
      if (error.message === "changed") this.#offer(await this.#subscription.settings()); // other words stand there now
      this.#note(this.#words(error.name === "AbortError" || error.name === "NotAllowedError" ? "browser_refuses" : "failed"));
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  #note(text) {
    const note = this.#dialog.querySelector(".note");
    if (note) note.textContent = text;
  }

  #show(title, ...parts) {
    const close = element("button", { class: "close", type: "button", "aria-label": this.#words("close"), onclick: () => this.#dialog.close() }, icon("close"));
    this.#dialog.replaceChildren(element("div", { class: "inside" }, element("h2", { id: "title" }, title), ...parts, close));
  }
}
