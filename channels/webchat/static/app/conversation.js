// The conversation as this page knows it: what was said, what waits to be sent, who we are. Nothing here touches the page.
// Events: "change" (look again), "typing" (detail: the name), "reset" (another conversation).

import { newId, Outbox } from "./outbox.js";

const TRIES = 3; // a message that breaks the connection so often is not sent again
const BREAKING = [1009, 1011, 4400]; // too large, an error of the server, not understood

export class Conversation extends EventTarget {
  constructor({ connection, kept, language }) {
    super();
    Object.assign(this, { connection, kept, language });
    this.outbox = new Outbox(kept);
    this.clear();
    this.locked = null;
    this.largestFile = 0; // bytes, once the server has said it
    this.apart = false; // from whom the tracker knows: a person who is not signed in here
    this.flying = null; // the entry that was sent and is not yet confirmed
    connection.addEventListener("open", () => this.hello());
    connection.addEventListener("frame", ({ detail }) => this.hear(detail));
    connection.addEventListener("closed", ({ detail }) => this.lost(detail));
    connection.addEventListener("state", () => this.changed());
    kept.heard("visitor", () => this.followOtherTab());
    kept.heard("identity", () => this.followOtherTab());
    kept.heard("read", () => this.changed());
  }

  // Connect if there is anything to hear; a visitor who never opened the chat costs nobody anything.
  begin() {
    if (this.visitor || this.identity) this.connection.start();
  }

  // The visitor opened the chat.
  wake() {
    if (!this.locked) this.connection.start();
  }

  identify(token) {
    if (token === this.identity && !this.locked) return;
    this.kept.set("identity", token);
    this.locked = null;
    this.connection.again();
  }

  // Sign out: this browser knows nobody any more.
  forget() {
    this.outbox.clear();
    for (const name of ["visitor", "identity", "read", "track"]) this.kept.remove(name);
    this.startOver();
  }

  // Leave the conversation of a person who is signed out, and begin another.
  beginAnew() {
    const before = this.visitor?.address;
    for (const name of ["visitor", "identity", "track"]) this.kept.remove(name);
    this.leaving = before;
    this.startOver();
    this.connection.start();
  }

  startOver() {
    this.locked = null;
    this.connection.stop();
    this.clear();
    this.tell("reset");
    this.changed();
  }

  clear() {
    this.said = new Map(); // seq -> message
    this.waiting = []; // entries, as in the outbox, with `state`: sending, sent, failed
    this.seen = 0;
    this.more = false;
    this.first = 0;
    this.askedEarlier = 0;
    this.name = "";
  }

  get visitor() {
    return this.kept.get("visitor");
  }

  get identity() {
    return this.kept.get("identity");
  }

  get address() {
    return this.visitor?.address ?? "new";
  }

  get read() {
    const read = this.kept.get("read");
    return read?.address === this.address ? read.seq : 0;
  }

  set read(seq) {
    this.kept.set("read", { address: this.address, seq });
  }

  get lastSeq() {
    return Math.max(0, ...this.said.keys());
  }

  // Everything to show, in order: what was said, then what waits.
  get items() {
    const said = [...this.said.values()].sort((one, other) => one.seq - other.seq);
    const known = new Set(said.map((message) => message.id).filter(Boolean));
    return [...said, ...this.waiting.filter((entry) => !known.has(entry.id))];
  }

  get unread() {
    return [...this.said.values()].filter((message) => message.author !== "customer" && message.seq > this.read).length;
  }

  // -- saying

  sayText(text) {
    const clean = text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "").trim();
    if (clean) this.say({ id: newId(), at: Date.now(), text: clean });
  }

  // A button's id is its place, so that pressing it twice, even in two tabs, says it once.
  press(message, index) {
    const button = message.buttons[index];
    this.say({ id: `button-${message.seq}-${index}`, at: Date.now(), text: button.title, payload: button.payload, seq: message.seq });
  }

  sayFile(file) {
    this.say({ id: newId(), at: Date.now(), file: file.file, files: [file] });
  }

  say(entry) {
    if (this.waiting.some((other) => other.id === entry.id)) return;
    this.outbox.add(this.address, entry);
    this.waiting.push({ ...entry, state: "sending" });
    this.changed();
    this.wake();
    this.flush();
  }

  tryAgain(entry) {
    entry.state = "sending";
    entry.tries = 0;
    const { state, tries, ...kept } = entry;
    this.outbox.add(this.address, kept);
    this.changed();
    this.flush();
  }

  // One at a time, so that the order in which things were said is kept whatever happens on the way.
  flush() {
    if (this.flying || !this.connection.ready) return;
    const entry = this.waiting.find((one) => one.state === "sending" && !one.local);
    if (!entry) return;
    const { id, text, payload, seq, file } = entry;
    const content = file ? { file } : payload === undefined ? { text } : { payload, seq };
    if (this.connection.send({ type: "say", id, ...content })) this.flying = entry;
  }

  settle(id, state, reason) {
    const entry = this.waiting.find((one) => one.id === id);
    if (this.flying?.id === id) this.flying = null;
    if (entry) {
      Object.assign(entry, { state, reason });
      this.outbox.done(this.address, entry);
    }
    this.flush();
  }

  markRead() {
    const seq = this.lastSeq;
    if (seq <= this.read) return;
    this.read = seq;
    this.connection.send({ type: "read", seq });
    this.changed();
  }

  askEarlier() {
    if (!this.more || !this.connection.ready || Date.now() - this.askedEarlier < 5_000) return;
    this.askedEarlier = Date.now();
    this.connection.send({ type: "earlier", before: this.first });
  }

  askAgain(seq) {
    this.connection.send({ type: "again", seq });
  }

  // -- hearing

  hello() {
    const seen = this.said.size ? { last_seq: this.lastSeq } : {};
    this.connection.send({
      type: "hello",
      token: this.visitor?.token ?? this.seenByTracker ?? "",
      identity: this.identity ?? "",
      language: this.language,
      page: location.href,
      ...seen,
    });
  }

  // Whom the tracker recognises on these pages, having been allowed to, is the same visitor here.
  get seenByTracker() {
    return this.visitor || this.apart ? null : this.kept.plain("track");
  }

  hear(frame) {
    this[`on_${frame.type}`]?.(frame);
    this.changed();
  }

  on_welcome(frame) {
    const before = this.visitor?.address ?? "new";
    if (before !== frame.address) {
      const waiting = this.waiting;
      if (this.said.size) this.tell("reset");
      this.clear();
      if (frame.brings) {
        for (const from of [before, "new", this.leaving]) if (from) this.outbox.move(from, frame.address);
        this.waiting = waiting;
      }
      this.leaving = null;
    }
    this.kept.set("visitor", { token: frame.token, address: frame.address });
    if (frame.problem) {
      console.warn(`Causerie: the identity token was refused (${frame.problem}).`);
      this.kept.remove("identity");
    }
    this.name = frame.identity?.name ?? "";
    this.seen = frame.seen;
    this.largestFile = frame.largest_file;
    if (frame.read > this.read) this.read = frame.read;
    for (const entry of this.outbox.all(frame.address)) {
      if (!this.waiting.some((other) => other.id === entry.id)) this.waiting.push({ ...entry, state: "sending" });
    }
    this.connection.welcomed();
    this.flush();
  }

  on_history(frame) {
    if (frame.reset) this.said.clear();
    for (const message of frame.messages) this.keepMessage(message);
    if (frame.reset || frame.first < this.first) {
      this.first = frame.first;
      this.more = frame.more;
    }
    this.askedEarlier = 0;
  }

  on_message(frame) {
    this.keepMessage(frame);
    if (frame.author !== "customer") this.tell("typing", null);
  }

  on_ack(frame) {
    this.settle(frame.id, "sent");
  }

  on_retry(frame) {
    setTimeout(() => {
      if (this.flying?.id === frame.id) this.flying = null;
      this.flush();
    }, frame.after * 1000);
  }

  on_refused(frame) {
    this.settle(frame.id, "failed", frame.reason);
  }

  on_seen(frame) {
    this.seen = frame.seq;
  }

  on_typing(frame) {
    this.tell("typing", frame.name ?? "");
  }

  on_expiring() {
    document.dispatchEvent(new CustomEvent("causerie:identity-expiring"));
  }

  on_locked(frame) {
    if (this.seenByTracker) {
      this.apart = true;
      this.connection.again();
      return;
    }
    this.locked = frame.reason ?? "identity";
    this.connection.stop();
    this.clear();
    this.tell("reset");
    document.dispatchEvent(new CustomEvent("causerie:identity-needed"));
  }

  keepMessage(message) {
    this.said.set(message.seq, message);
    if (!message.id) return;
    const index = this.waiting.findIndex((entry) => entry.id === message.id);
    if (index < 0) return;
    const [entry] = this.waiting.splice(index, 1);
    message.preview = entry.preview;
    this.outbox.done(this.address, entry);
    if (this.flying?.id === message.id) this.flying = null;
    this.flush();
  }

  lost(code) {
    const entry = this.flying;
    this.flying = null;
    if (code === 4401 && !this.locked) this.kept.remove("identity"); // its time is over
    if (!entry || !BREAKING.includes(code)) return;
    entry.tries = (entry.tries ?? 0) + 1;
    if (entry.tries >= TRIES) this.settle(entry.id, "failed", "broken");
  }

  // Another tab signed in or out, or began the conversation: this one goes along.
  followOtherTab() {
    if (!this.visitor) {
      this.startOver();
      this.begin();
    } else if (this.connection.wanted || this.visitor) {
      this.locked = null;
      this.connection.again();
    }
  }

  changed() {
    this.tell("change");
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
