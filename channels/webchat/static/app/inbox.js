// What the shop put into this visitor's inbox: messages, some of them banners. Nothing here touches the page.
// Events: "change" (look again).

const TOGETHER = 150; // ms: several hints of one moment are one look
const STALE = 60_000; // ms after which a page that is shown again looks by itself: a hint may have been lost
const MOST = 50;

export class Inbox extends EventTarget {
  constructor({ address, conversation }) {
    super();
    Object.assign(this, { address, conversation });
    this.exists = false; // the server said that there is one
    this.lookedAt = 0;
    this.clear();
    conversation.connection.addEventListener("frame", ({ detail }) => this.hear(detail));
    conversation.addEventListener("reset", () => this.clear());
    document.addEventListener("visibilitychange", () => this.again());
  }

  hear({ type }) {
    if (type === "inapp") this.look();
    if (type === "ack" && this.exists && !this.isKnown) this.look(); // who has just written is known now, and gets an inbox
    if (type === "ack") this.isKnown = true;
  }

  // There may be something new.
  look() {
    this.exists = true;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.load();
    }, TOGETHER);
  }

  again() {
    if (this.exists && document.visibilityState === "visible" && Date.now() - this.lookedAt > STALE) this.look();
  }

  clear() {
    this.done = new Map(); // id -> what was done here: an answer that is on its way does not know it yet
    this.messages = [];
    this.unread = 0;
    this.changed();
  }

  // What is shown by itself: once, the urgent first, then the newest.
  get banner() {
    const waiting = this.messages.filter((message) => message.is_banner && !message.is_seen);
    return waiting.find((message) => message.urgency === "high") ?? waiting[0] ?? null;
  }

  get unseen() {
    return this.messages.filter((message) => !message.is_seen);
  }

  seen(...messages) {
    const fresh = messages.filter((message) => !message.is_seen);
    for (const message of fresh) message.is_seen = true;
    this.report("seen", fresh);
  }

  clicked(message) {
    message.is_seen = true;
    this.report("clicked", [message]);
  }

  putAway(message) {
    this.messages = this.messages.filter((other) => other !== message);
    this.report("dismissed", [message]);
  }

  async load() {
    const visitor = this.conversation.visitor;
    this.lookedAt = Date.now();
    const answer = await this.ask(`messages?limit=${MOST}`);
    if (visitor?.address !== this.conversation.visitor?.address) return; // somebody else by now
    if (answer?.status === 401) this.clear();
    if (!answer?.ok) return;
    const { messages, unread } = await answer.json();
    this.messages = messages.filter((message) => !message.is_silent && this.done.get(message.id) !== "dismissed");
    for (const message of this.messages) message.is_seen ||= this.done.has(message.id);
    this.unread = unread;
    this.changed();
  }

  async report(did, messages) {
    if (!messages.length) return;
    for (const message of messages) this.done.set(message.id, did);
    this.changed();
    const body = JSON.stringify({ did, messages: messages.map((message) => message.id) });
    const answer = await this.ask("receipts", { method: "POST", body, keepalive: true });
    if (!answer?.ok) return; // the next look says what holds
    this.unread = (await answer.json()).unread;
    this.changed();
  }

  async ask(path, more = {}) {
    const { visitor, identity } = this.conversation;
    if (!visitor?.token) return null;
    const headers = { Authorization: `Bearer ${visitor.token}`, ...(identity ? { "X-Identity": identity } : {}) };
    try {
      return await fetch(new URL(path, this.address), { ...more, headers });
    } catch {
      return null; // offline: it looks again when it is told to
    }
  }

  changed() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}
