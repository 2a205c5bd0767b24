// Shows our messages and tells what becomes of them. The shop's own worker imports it, in two lines of the shop's own file:
//   self.causerie = "https://crm.shop.example/channels/webpush/";
//   importScripts(self.causerie + "worker.js");
(() => {
  if (!self.causerie) throw new Error("Causerie: say where the server is, in self.causerie, before this script is imported.");
  const server = new URL(self.causerie);
  const TOKEN_CACHE = "causerie-push";

  self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

  self.addEventListener("notificationclick", (event) => {
    const said = event.notification.data, place = event.action === "" ? null : Number(event.action);
    event.notification.close();
    if (!said?.g) return; // another script's
    event.waitUntil(Promise.all([open((place === null ? null : said.a?.[place]?.u) || said.u), tell(said, "clicked", place)]));
  });

  self.addEventListener("notificationclose", (event) => {
    if (event.notification.data?.g) event.waitUntil(tell(event.notification.data, "closed"));
  });

  // The browser changed the subscription by itself, perhaps years after the page was last open.
  self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

  function read(data) {
    try {
      const said = data.json();
      return said && said.g ? said : null;
    } catch {
      return null; // not one of ours
    }
  }

  async function show(said) {
    if (!said) return; // another sender's: whoever that is shows it
    await self.registration.showNotification(said.t || self.location.host, {
      body: said.b || "", icon: said.c, image: said.i, lang: said.l, tag: said.g, data: said,
      actions: (said.a || []).map((action, place) => ({ action: String(place), title: action.t })),
    });
    await tell(said, "shown");
  }

  async function open(address) {
    let target = self.registration.scope;
    try {
      const wanted = new URL(address, target);
      if (wanted.protocol === "https:" || wanted.protocol === "http:") target = wanted.href;
    } catch { /* no address: the shop's own page */ }
    const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const there = pages.find((page) => page.url === target);
    await (there ? there.focus() : self.clients.openWindow(target));
  }

  // Where it goes is not ours to read: an answer that is lost loses one count, never the message.
  async function tell(said, what, action = null) {
    if (!said.r) return;
    const body = JSON.stringify({ r: said.r, what, ...(action === null ? {} : { action }) });
    await fetch(new URL("receipts", server), { method: "POST", mode: "no-cors", credentials: "omit", keepalive: true, body }).catch(() => {});
  }

  async function renew(event) {
    const kept = await (await caches.open(TOKEN_CACHE)).match("/token");
    if (!kept) return;
    const token = await kept.text();
    const fresh = event.newSubscription || (await self.registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: event.oldSubscription?.options.applicationServerKey || (await key()),
    }));
    const answer = await post("subscriptions", { subscription: fresh.toJSON(), token });
    const told = await answer.json();
    if (told.token) await (await caches.open(TOKEN_CACHE)).put("/token", new Response(told.token));
  }

  async function key() {
    const told = await (await post("settings", {})).json();
    const plain = atob(told.key.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  }

  function post(path, body) {
    return fetch(new URL(path, server), { method: "POST", credentials: "omit", body: JSON.stringify(body) });
  }
})();
