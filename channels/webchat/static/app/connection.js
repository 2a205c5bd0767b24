// One socket to the server that comes back by itself: after a restart, a lost network, a laptop's sleep.
// Events: "open" (say hello now), "frame" (detail: the frame), "closed" (detail: the code), "state".

const FIRST_WAIT = 400; // ms; doubles up to LONGEST_WAIT
const LONGEST_WAIT = 30_000;
const QUIET_FOR = 25_000; // after so long without a frame we ask whether anybody is there
const ANSWER_WITHIN = 5_000;
const TICK = 5_000;
const SLEPT = 20_000; // a tick this late means that the machine slept

export class Connection extends EventTarget {
  constructor(address) {
    super();
    this.address = address;
    this.socket = null;
    this.ready = false; // the server said welcome
    this.wanted = false;
    this.wait = FIRST_WAIT;
    this.timer = 0;
    this.probing = 0;
    this.heardAt = 0;
    this.tickedAt = Date.now();
    setInterval(() => this.tick(), TICK);
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.drop(0));
    addEventListener("pageshow", (event) => event.persisted && this.hurry());
    addEventListener("pagehide", () => this.drop(0)); // an open socket would keep the page out of the back-forward cache
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
  }

  // Be connected from now on.
  start() {
    this.wanted = true;
    if (!this.socket && !this.timer) this.connect();
  }

  // Stay away until the next start.
  stop() {
    this.wanted = false;
    this.drop(0);
  }

  // Connect afresh: who we are has changed.
  again() {
    this.wait = FIRST_WAIT;
    this.drop(0);
    this.start();
  }

  // The server said welcome: what is said now arrives.
  welcomed() {
    this.ready = true;
    this.wait = FIRST_WAIT;
    this.tell("state");
  }

  send(frame) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  connect() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.wanted || this.socket) return;
    const socket = new WebSocket(this.address);
    this.socket = socket;
    const mine = (act) => (event) => this.socket === socket && act(event);
    socket.onopen = mine(() => {
      this.heardAt = Date.now();
      this.tell("open");
    });
    socket.onmessage = mine((event) => this.hear(event.data));
    socket.onclose = mine((event) => this.lost(event.code));
  }

  hear(text) {
    this.heardAt = Date.now();
    clearTimeout(this.probing);
    this.probing = 0;
    const frame = JSON.parse(text);
    if (frame.type !== "pong") this.tell("frame", frame);
  }

  lost(code) {
    this.forgetSocket();
    this.tell("closed", code);
    this.tell("state");
    if (!this.wanted || this.timer) return;
    const wait = code === 1012 ? 200 + Math.random() * 1_000 : this.wait * (0.5 + Math.random());
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    if (code === 4429) this.wait = LONGEST_WAIT;
    this.timer = setTimeout(() => this.connect(), wait);
  }

  drop(code) {
    clearTimeout(this.timer);
    this.timer = 0;
    const socket = this.socket;
    if (!socket) return;
    this.forgetSocket();
    socket.close();
    this.tell("closed", code);
    this.tell("state");
  }

  forgetSocket() {
    clearTimeout(this.probing);
    this.probing = 0;
    this.socket = null;
    this.ready = false;
  }

  // Something happened that may mean we can be reached again, or no longer are.
  hurry() {
    if (!this.wanted || !navigator.onLine) return;
    if (this.socket) this.probe();
    else this.connect();
  }

  probe() {
    if (this.probing || this.socket?.readyState !== WebSocket.OPEN) return;
    this.send({ type: "ping" });
    this.probing = setTimeout(() => {
      this.drop(0);
      this.connect();
    }, ANSWER_WITHIN);
  }

  tick() {
    const now = Date.now();
    const slept = now - this.tickedAt > SLEPT;
    this.tickedAt = now;
    if (slept) this.hurry();
    else if (this.ready && now - this.heardAt > QUIET_FOR) this.probe();
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
