// The inbox as a list inside the panel: all messages, the newest first, each of which can be put away.

import { element } from "./element.js";
import { notice, putAwayButton } from "./notice.js";

export class News {
  constructor({ inbox, words, say }) {
    Object.assign(this, { inbox, words, say });
    this.empty = element("p", { class: "no-news" }, words("no_news"));
    this.list = element("ul", { class: "news-list" });
    this.node = element("div", { class: "news", role: "region", "aria-label": words("news"), tabindex: "0", hidden: true }, this.empty, this.list);
    this.drawn = new Map(); // id -> row
  }

  // Drawn while it is shown; what is shown is seen.
  draw() {
    if (this.node.hidden) return;
    const { messages, unseen } = this.inbox;
    const rows = messages.map((message) => this.row(message));
    this.drawn = new Map(rows.map((row) => [row.message.id, row]));
    if (rows.length !== this.list.children.length || rows.some((row, index) => row !== this.list.children[index])) this.list.replaceChildren(...rows);
    this.empty.hidden = rows.length > 0;
    if (unseen.length && document.visibilityState === "visible") this.inbox.seen(...unseen);
  }

  row(message) {
    const known = this.drawn.get(message.id);
    if (known) {
      known.message = message;
      return known;
    }
    const { inbox, words, say } = this;
    const row = element("li", { class: message.is_seen ? "notice" : "notice fresh" });
    const when = element("time", { class: "foot", datetime: message.at }, `${words.day(message.at)}, ${words.time(message.at)}`);
    row.message = message;
    row.append(...notice({ message, inbox, words, say }), when, putAwayButton({ message, words, onclick: () => this.putAway(row) }));
    return row;
  }

  putAway(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    this.inbox.putAway(row.message);
    (next?.querySelector(".put-away") ?? this.node).focus();
  }
}
