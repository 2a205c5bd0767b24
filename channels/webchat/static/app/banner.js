// A banner: one message of the inbox that shows itself, quietly, above the bubble. It takes no focus, and Escape puts it away.

import { element } from "./element.js";
import { notice, putAwayButton } from "./notice.js";

const SEEN_AFTER = 2_000; // ms on the screen: a page that is left at once has shown nothing

export class Banner {
  constructor({ inbox, words, say, focusBack }) {
    Object.assign(this, { inbox, words, say, focusBack });
    this.message = null;
    this.node = element("aside", { class: "banner", "aria-label": words("news"), hidden: true });
    this.aloud = element("div", { class: "unseen", "aria-live": "polite" }); // there before it speaks, or nothing is read
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.putAway(event));
    inbox.addEventListener("change", () => this.draw());
    document.addEventListener("visibilitychange", () => this.watch());
  }

  // What is shown stays until it is put away, also once it counts as seen.
  draw() {
    const { inbox } = this;
    if (this.message) {
      const known = inbox.messages.find((message) => message.id === this.message.id);
      if (!known) return this.show(inbox.banner);
      this.message = known;
    } else if (inbox.banner) {
      this.show(inbox.banner);
    }
  }

  show(message) {
    this.message = message;
    this.node.hidden = !message;
    this.node.replaceChildren();
    if (message) {
      const { inbox, words } = this;
      const away = putAwayButton({ message, words, onclick: (event) => this.putAway(event) });
      this.node.append(...notice({ message, inbox, words, say: this.say }), away);
      this.aloud.textContent = [message.title, message.text].filter(Boolean).join(". ");
    }
    this.watch();
  }

  putAway(event) {
    event.stopPropagation();
    const { message } = this;
    const hadFocus = this.node.contains(this.node.getRootNode().activeElement);
    this.inbox.putAway(message); // draws what comes next
    if (hadFocus && this.node.hidden) this.focusBack();
    else if (hadFocus) this.node.querySelector(".put-away").focus();
  }

  watch() {
    clearTimeout(this.timer);
    const { message } = this;
    if (!message || message.is_seen || document.visibilityState !== "visible" || !this.node.checkVisibility()) return;
    this.timer = setTimeout(() => this.inbox.seen(message), SEEN_AFTER);
  }
}
