// The one door through which HTML enters the page, and the one that posts: fragments come only from our own server, whose
// templates escape all that people wrote (Trusted Types hold the rest of the page to that).

const policy = window.trustedTypes?.createPolicy("causerie", { createHTML: (html) => html });
const texts = JSON.parse(document.body.dataset.texts);

export const prefix = document.body.dataset.prefix;
export const me = document.body.dataset.agent;

export function say(key, names = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => names[name] ?? whole);
}

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  return template.content;
}

export async function fragment(path) {
  const answer = await fetch(path, { headers: { "X-Fragment": "1", Accept: "text/html" } });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(`${answer.status}`);
  return parse(await answer.text());
}

// Loads until it succeeds: just after a restart the server or its database may not answer yet. 401 and 404 are answers, too.
export async function surely(load) {
  for (let wait = 1000; ; wait = Math.min(2 * wait, 15_000)) {
    try {
      return await load();
    } catch (error) {
      if (["401", "404"].includes(error.message)) throw error;
      await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random() / 2)));
    }
  }
}

// Returns what the server said; without an answer {ok: false, offline: true}: nothing may be assumed, the same may be offered again.
export async function post(path, body = {}) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF": document.body.dataset.csrf },
      body: JSON.stringify(body),
    });
    if (answer.status === 401) location.reload();
    return await answer.json();
  } catch {
    return { ok: false, offline: true, error: say("offline") };
  }
}

export function conversationPath(id, ...rest) {
  return [prefix, "conversations", encodeURIComponent(id), ...rest].join("/");
}

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
