// This browser's subscription: at the browser's push service, at our server, and what is remembered of it here.

const TOKEN_CACHE = "causerie-push"; // the worker has no localStorage, and needs the token when the browser renews by itself

export function isSupported() {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

export class Refused extends Error {}

export class Subscription {
  #server; #kept; #worker; #language; #only; #identity = "";

  constructor({ server, kept, worker, language, only }) {
    this.#server = server;
    this.#kept = kept;
    this.#worker = worker;
    this.#language = language;
    this.#only = only;
  }

  // "unsupported", "blocked" (the person said no in the browser itself), "on" or "off".
  async state() {
    if (!isSupported()) return "unsupported";
    if (Notification.permission === "denied") return "blocked";
    const found = this.#known() && Notification.permission === "granted" ? await this.#current() : null;
    return found ? "on" : "off";
  }

  // What may be agreed to here, and what was.
  async settings() {
    const told = await this.#call("settings", { token: this.#known()?.token });
    const topics = this.#only.length ? told.topics.filter((topic) => this.#only.includes(topic.id)) : told.topics;
    const isOn = told.known && (await this.state()) === "on"; // both must know: either may have lost it
    return { ...told, topics, isOn, on: isOn ? told.on : [] };
  }

  // Asks the browser, which asks the person; returns the state. Call it from a click: browsers want one.
  async begin({ key, yes, no }) {
    if ((await Notification.requestPermission()) !== "granted") return this.state();
    const found = await this.#subscribed(key);
    await this.#tell(found, { yes, no, identity: this.#identity || undefined, page: (location.origin + location.pathname).slice(0, 500) }, key);
    return "on";
  }

  // Ends it here and with the browser.
  async end() {
    const token = this.#known()?.token;
    if (token) await this.#call("unsubscribe", { token }).catch(unlessUnknown);
    await (await this.#current())?.unsubscribe();
    await this.#remember(null);
  }

  // The shop's server vouches for who sits here: from now on it is their browser.
  async identify(token) {
    this.#identity = token;
    const known = this.#known();
    if (known) await this.#call("identify", { token: known.token, identity: token }).catch(unlessUnknown);
  }

  // They signed out: the browser is nobody's again, and gets nothing that is meant for them.
  async forget() {
    this.#identity = "";
    const known = this.#known();
    if (known) await this.#call("forget", { token: known.token }).catch(unlessUnknown);
  }

  // On every page: what the browser changed by itself since the last one is told to the server.
  async mend() {
    const known = this.#known();
    if (!known || !isSupported()) return;
    const found = Notification.permission === "granted" ? await this.#current() : null;
    if (!found) {
      await this.#call("unsubscribe", { token: known.token });
      await this.#remember(null);
    } else if (found.endpoint !== known.endpoint) {
      await this.#tell(found, {}, known.key);
    }
  }

  #known() {
    return this.#kept.get("push");
  }

  async #current() {
    const registration = await navigator.serviceWorker.getRegistration(this.#worker);
    return (await registration?.pushManager.getSubscription()) ?? null;
  }

  async #subscribed(key) {
    const registration = await navigator.serviceWorker.register(this.#worker);
    await active(registration);
    const found = await registration.pushManager.getSubscription();
    if (found && (await isFor(found, key))) return found;
    await found?.unsubscribe(); // made with another key: nothing that we send would get there
    return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  }

  async #tell(found, more, key) {
    const { token } = await this.#call("subscriptions", {
      subscription: found.toJSON(), token: this.#known()?.token, visitor: this.#kept.get("visitor")?.token, ...more,
    });
    await this.#remember({ token, endpoint: found.endpoint, key });
  }

  async #remember(known) {
    if (known) this.#kept.set("push", known);
    else this.#kept.remove("push");
    if (!("caches" in window)) return;
    const cache = await caches.open(TOKEN_CACHE);
    if (known) await cache.put("/token", new Response(known.token));
    else await cache.delete("/token");
  }

  async #call(path, body) {
    const answer = await fetch(new URL(path, this.#server), {
      method: "POST", credentials: "omit", keepalive: true, body: JSON.stringify({ ...body, language: this.#language }),
    });
    if (answer.status === 204) return null;
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(told.error || String(answer.status));
    return told;
  }
}

// A server that does not know this browser (any more) has nothing to end or to change.
function unlessUnknown(error) {
  if (!(error instanceof Refused) || error.message !== "token") throw error;
}

async function isFor(found, key) {
  const own = found.options?.applicationServerKey;
  return own ? String(new Uint8Array(own)) === String(bytes(key)) : true;
}

function active(registration) {
  const worker = registration.active || registration.waiting || registration.installing;
  if (worker.state === "activated" || worker.state === "activating") return Promise.resolve();
  return new Promise((done, failed) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activating" || worker.state === "activated") done();
      if (worker.state === "redundant") failed(new Error("the worker could not start"));
    });
  });
}

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}
