// The list of messages: each is drawn once and stays; only its surroundings change.

import { element, icon } from "./element.js";
import { anchor, linked, safeTarget } from "./links.js";

const FINAL = ["too_long", "gone", "too_large", "kind"]; // trying again would come to the same
const TOGETHER = 5 * 60_000; // messages of one author within this time stand as one group

export class Messages {
  constructor({ conversation, words, greeting }) {
    Object.assign(this, { conversation, words, greeting });
    this.drawn = new Map(); // key -> row
    this.node = element("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": words("messages"), tabindex: "0" });
    this.dots = element("div", { class: "row theirs dots", hidden: true }, element("p", { class: "bubble" }, dot(), dot(), dot()));
    this.typingName = element("span", { class: "unseen" });
    this.dots.append(this.typingName);
    this.node.addEventListener("scroll", () => this.node.scrollTop < 80 && conversation.askEarlier());
    conversation.addEventListener("typing", ({ detail }) => this.typing(detail));
  }

  draw() {
    const atEnd = this.isAtEnd();
    const before = this.node.scrollHeight - this.node.scrollTop;
    const { items } = this.conversation;
    const firstKey = this.firstKey;
    const rows = this.rows(items);
    this.node.setAttribute("aria-busy", String(this.conversation.askedEarlier > 0)); // old messages are not read aloud
    arrange(this.node, [...rows, this.dots]);
    this.firstKey = items.length ? keyOf(items[0]) : "";
    if (atEnd) this.toEnd();
    else if (firstKey && firstKey !== this.firstKey) this.node.scrollTop = this.node.scrollHeight - before;
  }

  isAtEnd() {
    return this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < 60;
  }

  toEnd() {
    this.node.scrollTop = this.node.scrollHeight;
  }

  typing(name) {
    clearTimeout(this.dotsTimer);
    const shown = name !== null;
    const atEnd = this.isAtEnd();
    this.dots.hidden = !shown;
    this.typingName.textContent = shown ? this.words(name ? "typing_name" : "typing", { name }) : "";
    if (shown) this.dotsTimer = setTimeout(() => this.typing(null), 6_000);
    if (atEnd) this.toEnd();
  }

  rows(items) {
    const rows = [this.hello()];
    const drawn = new Map();
    const lastMine = items.findLastIndex(isMine);
    let before = null;
    items.forEach((item, index) => {
      if (!before || dayOf(before) !== dayOf(item)) rows.push(this.day(item, drawn));
      const row = this.row(item, drawn);
      const after = items[index + 1];
      row.classList.toggle("first", !together(before, item));
      row.classList.toggle("last", !together(item, after));
      row.classList.toggle("pending", item.state === "sending");
      row.classList.toggle("failed", item.state === "failed");
      this.foot(row, item, index === lastMine, !together(item, after), items.slice(index + 1));
      this.buttons(row, item, index > lastMine);
      rows.push(row);
      before = item;
    });
    this.drawn = drawn;
    return rows;
  }

  hello() {
    this.helloRow ??= element("div", { class: "row theirs first last" }, element("p", { class: "bubble" }, this.greeting));
    this.helloRow.hidden = this.conversation.more;
    return this.helloRow;
  }

  day(item, drawn) {
    const key = `day ${dayOf(item)}`;
    const row = this.drawn.get(key) ?? element("p", { class: "day" });
    const text = this.words.day(item.at);
    if (row.textContent !== text) row.textContent = text;
    drawn.set(key, row);
    return row;
  }

  row(item, drawn) {
    const key = keyOf(item);
    const known = this.drawn.get(key);
    const stale = known && known.source !== item && known.shape !== shapeOf(item);
    const row = known && !stale ? known : this.make(item);
    row.source = item;
    row.shape = shapeOf(item);
    drawn.set(key, row);
    return row;
  }

  make(item) {
    const mine = isMine(item);
    const row = element("div", { class: `row ${mine ? "mine" : "theirs"} ${item.author ?? ""}` });
    const who = mine ? this.words("you") : item.name || this.words(item.author === "agent" ? "agent" : "bot");
    row.append(element("span", { class: item.name ? "who" : "unseen" }, item.name ? item.name : `${who}\u00a0:`));
    for (const file of item.files ?? []) row.append(this.file(item, file));
    if (item.text) row.append(element("p", { class: "bubble" }, ...linked(item.text)));
    if (item.place) row.append(element("p", { class: "bubble" }, this.place(item.place)));
    if (item.card) row.append(element("p", { class: "bubble" }, [item.card.name, item.card.phone].filter(Boolean).join(" · ")));
    row.choices = element("div", { class: "choices", role: "group", "aria-label": this.words("choices") });
    row.footer = element("p", { class: "foot" });
    row.append(row.choices, row.footer);
    return row;
  }

  file(item, file) {
    const source = item.preview || file.url;
    const picture = file.kind === "image" && source;
    const inside = picture ? this.picture(item, file, source) : [icon("file"), element("span", {}, file.name), element("small", {}, this.words.size(file.size))];
    if (!file.url) return element("div", { class: picture ? "picture" : "file" }, ...[inside].flat());
    const link = element("a", { class: picture ? "picture" : "file", href: file.url, target: "_blank", rel: "noopener noreferrer" }, ...[inside].flat());
    link.addEventListener("click", (event) => {
      const until = Number(new URL(file.url).searchParams.get("until"));
      if (until * 1000 > Date.now()) return;
      event.preventDefault(); // the link is over: ask for a new one, the next click opens it
      this.conversation.askAgain(item.seq);
    });
    return link;
  }

  picture(item, file, source) {
    const image = element("img", { src: source, alt: file.name, loading: "lazy" });
    image.addEventListener("load", () => this.pinned && this.toEnd());
    image.addEventListener("error", () => item.seq && !item.asked && (item.asked = true) && this.conversation.askAgain(item.seq), { once: true });
    this.pinned = this.isAtEnd();
    return image;
  }

  place([latitude, longitude]) {
    const query = new URLSearchParams({ mlat: latitude, mlon: longitude });
    return anchor(`https://www.openstreetmap.org/?${query}`, this.words("place", { latitude: latitude.toFixed(4), longitude: longitude.toFixed(4) }));
  }

  // Choices stay open until the visitor says something; then they are over.
  buttons(row, item, open) {
    const shape = open ? JSON.stringify(item.buttons ?? []) : "";
    if (row.choicesShape === shape) return;
    row.choicesShape = shape;
    const offered = open ? (item.buttons ?? []) : (item.buttons ?? []).filter((button) => button.url);
    row.choices.replaceChildren(...offered.map((button) => this.button(item, button)).filter(Boolean));
  }

  button(item, button) {
    if (button.url !== undefined) {
      const target = safeTarget(button.url);
      const link = target && anchor(target, button.title);
      link?.classList?.add("choice");
      return link;
    }
    return element("button", {
      class: "choice", type: "button",
      onclick: () => this.conversation.press(item, item.buttons.indexOf(button)),
    }, button.title);
  }

  foot(row, item, isLastMine, endsGroup, after) {
    const text = this.footText(item, isLastMine, endsGroup, after);
    if (row.footShape === text + item.state) return;
    row.footShape = text + item.state;
    row.footer.replaceChildren(text);
    if (item.state === "failed" && !FINAL.includes(item.reason)) {
      const again = () => (item.again ? item.again() : this.conversation.tryAgain(item));
      row.footer.append(" ", element("button", { type: "button", class: "again", onclick: again }, this.words("try_again")));
    }
  }

  footText(item, isLastMine, endsGroup, after) {
    const { words } = this;
    if (item.state === "failed") {
      const largest = words.size(this.conversation.largestFile);
      return words.has(`failed_${item.reason}`) ? words(`failed_${item.reason}`, { largest }) : words("failed");
    }
    const next = after[0];
    const time = endsGroup && (!next || !near(item, next)) ? words.time(item.at) : "";
    if (!isLastMine || next) return time; // an answer says better than any mark that it was read
    if (item.state === "sending") return words(navigator.onLine ? "sending" : "waiting");
    return `${time} · ${words(item.seq <= this.conversation.seen ? "seen" : "sent")}`;
  }
}

function isMine(item) {
  return item.author === undefined || item.author === "customer";
}

function keyOf(item) {
  return item.id ? `mine ${item.id}` : `seq ${item.seq}`;
}

// What would make a row look different inside: the links of its files.
function shapeOf(item) {
  return (item.files ?? []).map((file) => file.url ?? "").join(" ");
}

function dayOf(item) {
  return new Date(item.at).toDateString();
}

function together(one, other) {
  if (!one || !other || dayOf(one) !== dayOf(other)) return false;
  const same = isMine(one) === isMine(other) && (one.name ?? "") === (other.name ?? "") && (one.author ?? "customer") === (other.author ?? "customer");
  return same && near(one, other);
}

function near(one, other) {
  return Math.abs(new Date(other.at) - new Date(one.at)) < TOGETHER;
}

function dot() {
  return element("i", {});
}

// Put these children into the parent in this order, moving as little as possible: a live region reads what is added.
function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}
