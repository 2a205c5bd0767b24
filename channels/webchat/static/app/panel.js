// The bubble and the panel: opening, closing, focus, the unread badge, and what the connection is worth saying.

import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { element, icon } from "./element.js";
import { Messages } from "./messages.js";
import { News } from "./news.js";
import { paint } from "./paint.js";

const PATIENCE = 2_000; // ms before a lost connection is mentioned: most come back sooner

export class Panel {
  constructor({ conversation, inbox, uploads, words, style, kept, title, greeting, accent, theme }) {
    Object.assign(this, { conversation, inbox, words, kept });
    this.messages = new Messages({ conversation, words, greeting });
    this.composer = new Composer({ conversation, uploads, words });
    const say = (text) => this.say(text);
    this.news = new News({ inbox, words, say });
    this.banner = new Banner({ inbox, words, say, focusBack: () => this.bubble.focus() });
    this.host = element("causerie-chat");
    const root = this.host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    this.frame = element("div", { class: "frame", "data-theme": theme, lang: words.language });
    paint(this.frame, accent);
    root.append(this.frame);
    this.build(title);
    document.body.append(this.host);

    conversation.addEventListener("change", () => this.later());
    inbox.addEventListener("change", () => this.later());
    conversation.addEventListener("reset", () => this.messages.typing(null));
    document.addEventListener("visibilitychange", () => this.later());
    if (remembered()) this.open({ focus: false });
    this.draw();
  }

  build(title) {
    const { words } = this;
    this.badge = element("span", { class: "badge", hidden: true });
    this.bubble = element("button", { class: "bubble-button", type: "button", "aria-expanded": "false", "aria-controls": "panel", onclick: () => this.toggle() }, icon("chat"), icon("down"), this.badge);
    this.state = element("p", { class: "state", role: "status" });
    this.closer = element("button", { class: "tool", type: "button", "aria-label": words("close"), title: words("close"), onclick: () => this.close() }, icon("close"));
    this.heading = element("h2", { id: "title" }, title);
    this.title = title;
    this.bellDot = element("span", { class: "bell-dot", hidden: true });
    this.bell = element("button", { class: "tool bell", type: "button", "aria-pressed": "false", hidden: true, onclick: () => this.turnTo(!this.showsNews) }, icon("bell"), this.bellDot);
    const head = element("div", { class: "head" }, element("div", { class: "heading" }, this.heading, this.state), this.bell, this.closer);
    this.newer = element("button", { class: "newer", type: "button", hidden: true, onclick: () => this.messages.toEnd() }, icon("down"), words("newer"));
    this.lock = this.buildLock();
    this.panel = element("section", { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", hidden: true }, head, this.messages.node, this.news.node, this.newer, this.lock, this.composer.node);
    this.frame.append(this.banner.aloud, this.banner.node, this.panel, this.bubble);
    this.panel.addEventListener("keydown", (event) => this.key(event));
    this.messages.node.addEventListener("scroll", () => this.later());
  }

  buildLock() {
    const anew = element("button", { class: "choice", type: "button", onclick: () => this.conversation.beginAnew() }, this.words("begin_anew"));
    return element("div", { class: "lock", hidden: true }, icon("lock"), element("p", {}, this.words("locked")), anew);
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  open({ focus = true } = {}) {
    if (this.isOpen) return;
    this.isOpen = true;
    remembered(true);
    this.panel.hidden = false;
    this.frame.classList.add("open");
    this.panel.setAttribute("aria-modal", String(this.isFull));
    this.bubble.setAttribute("aria-expanded", "true");
    this.conversation.wake();
    this.draw();
    this.messages.toEnd();
    this.composer.changed();
    if (focus) this.composer.focus();
    else if (this.isFull) this.closer.focus(); // what it covers is not walked through; the field would bring up the keyboard
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    remembered(false);
    const hadFocus = this.host.shadowRoot.activeElement;
    this.panel.hidden = true;
    this.frame.classList.remove("open");
    this.bubble.setAttribute("aria-expanded", "false");
    this.draw();
    if (hadFocus) this.bubble.focus();
  }

  // Show the news, or the conversation again.
  turnTo(news) {
    this.showsNews = news;
    this.draw();
    if (!news) this.messages.toEnd();
  }

  // A choice of the news says something: the visitor goes on in the conversation.
  say(text) {
    this.turnTo(false);
    this.open();
    this.conversation.sayText(text);
  }

  // Whether the panel covers the whole window, as on a phone.
  get isFull() {
    return matchMedia("(max-width: 480px)").matches;
  }

  key(event) {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      this.close();
    } else if (event.key === "Tab" && this.isFull) {
      this.turn(event);
    }
  }

  // A panel that covers the page keeps the focus inside.
  turn(event) {
    const stops = [...this.panel.querySelectorAll("button, a[href], textarea, [tabindex='0']")].filter((node) => !node.disabled && node.checkVisibility());
    const end = event.shiftKey ? stops[0] : stops.at(-1);
    if (this.host.shadowRoot.activeElement !== end) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  }

  // Many changes of one moment are drawn once.
  later() {
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      this.draw();
    });
  }

  draw() {
    const { conversation, inbox, words } = this;
    const reads = Boolean(this.showsNews && inbox.exists && !conversation.locked);
    this.lock.hidden = !conversation.locked;
    this.messages.node.hidden = this.composer.node.hidden = Boolean(conversation.locked) || reads;
    this.messages.draw();
    this.drawBell(reads);
    if (this.isOpen && !reads && document.visibilityState === "visible" && this.messages.isAtEnd()) conversation.markRead();
    const unread = conversation.unread + inbox.unread;
    this.badge.hidden = this.isOpen || !unread;
    this.badge.textContent = unread > 9 ? "9+" : String(unread);
    this.bubble.setAttribute("aria-label", this.isOpen ? words("close") : unread ? words("open_unread", { count: unread }) : words("open"));
    this.newer.hidden = Boolean(conversation.locked) || reads || this.messages.isAtEnd() || !conversation.unread;
    this.sayState();
  }

  drawBell(reads) {
    const { inbox, words } = this;
    const { unread } = inbox;
    this.bell.hidden = !inbox.exists || Boolean(this.conversation.locked) || !(inbox.messages.length || reads);
    this.bell.setAttribute("aria-pressed", String(reads));
    this.bellDot.hidden = reads || !unread;
    const label = unread ? words("news_unread", { count: unread }) : words("news");
    this.bell.setAttribute("aria-label", label);
    this.bell.title = label;
    this.heading.textContent = reads ? words("news") : this.title;
    this.news.node.hidden = !reads || !this.isOpen;
    this.news.draw();
    this.banner.watch();
  }

  sayState() {
    const { connection, locked } = this.conversation;
    if (connection.ready || !connection.wanted || locked) {
      clearTimeout(this.patience);
      this.patience = 0;
      this.state.textContent = "";
    } else if (this.patience) {
      if (this.state.textContent) this.state.textContent = this.stateText();
    } else {
      this.patience = setTimeout(() => (this.state.textContent = this.stateText()), PATIENCE);
    }
  }

  stateText() {
    return this.words(navigator.onLine ? "reconnecting" : "offline");
  }
}

function remembered(isOpen) {
  try {
    if (isOpen === undefined) return sessionStorage.getItem("causerie:open") === "yes";
    sessionStorage.setItem("causerie:open", isOpen ? "yes" : "no");
  } catch { /* no storage: the panel starts closed */ }
  return false;
}
