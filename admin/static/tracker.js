// Tells the shop's own server which pages are looked at. Nothing is stored here, and nobody is recognised, before
// CauserieTrack.consent(true); a browser that says Do Not Track or Global Privacy Control is never recognised at all.
(() => {
  if (window.CauserieTrack) return; // two script tags, one tracker
  const script = document.currentScript;
  const door = new URL(".", script.src).href + "events";
  const OURS = "causerie:" + new URL(script.src).host + ":";
  const KEY = OURS + "track";
  const AGREED = "causerie:consent";
  const refuses = navigator.doNotTrack === "1" || navigator.globalPrivacyControl === true;
  const waiting = [];
  let identity = null, timer = 0, under = false, forgotten = 0;

  const read = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const write = (name, value) => {
    try { value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value); } catch { /* forbidden */ }
  };
  const agreed = () => !refuses && read(AGREED) === "yes";
  const chat = () => { try { return JSON.parse(read(OURS + "visitor")).token; } catch { return null; } };
  const visitor = () => chat() || read(KEY); // who has chatted here is the same visitor
  const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");

  function event(name, properties) {
    waiting.push({ id: fresh(), name, properties: properties || {} });
    if (waiting.length > 100) waiting.shift();
    timer ||= setTimeout(send, 300);
  }

  function body(events) {
    const consent = agreed();
    const known = consent ? { visitor: visitor() || undefined, identity: identity || undefined } : {};
    return JSON.stringify({ consent, ...known, events });
  }

  async function send() {
    timer = 0;
    if (under || !(waiting.length || (identity && agreed()))) return;
    under = true;
    const events = waiting.splice(0, 20), before = forgotten;
    let again = false;
    try {
      const answer = await fetch(door, { method: "POST", body: body(events), credentials: "omit", keepalive: true });
      again = answer.status === 429 || answer.status >= 500;
      const told = answer.ok && answer.status !== 204 ? await answer.json() : {};
      if (told.visitor && agreed() && before === forgotten) write(KEY, told.visitor);
      if (answer.ok) identity = null;
    } catch { again = true; }
    under = false;
    if (again) waiting.unshift(...events); // each has its id: twice is once
    if (waiting.length) timer ||= setTimeout(send, again ? 5000 : 0);
  }

  function page() {
    const seen = new URLSearchParams(location.search), from = {};
    for (const [name, value] of seen) if (/^(utm_[a-z]+|cq)$/.test(name)) from[name] = value.slice(0, 100);
    let referrer = "";
    try { referrer = new URL(document.referrer).host; } catch { /* none */ }
    event("page.viewed", { url: (location.origin + location.pathname).slice(0, 500), title: document.title.slice(0, 200), referrer, ...from });
  }

  addEventListener("pagehide", () => {
    if (waiting.length) navigator.sendBeacon(door, body(waiting.splice(0, 20)));
  });
  window.CauserieTrack = {
    page,
    event,
    identify(token) { identity = token; timer ||= setTimeout(send, 0); },
    consent(yes) {
      if (!yes) { write(KEY, null); write(AGREED, null); identity = null; forgotten += 1; } else if (!refuses) write(AGREED, "yes");
    },
  };
  if (script.dataset.pages !== "off") page();
})();
