// Puts the chat on the page and gives the page its four calls. The only module that knows all others.

import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Inbox } from "./inbox.js";
import { keep } from "./keep.js";
import { Panel } from "./panel.js";
import { Uploads } from "./uploads.js";
import { languageOf, loadWords } from "./words.js";

export async function start({ script, base }) {
  const server = new URL("../../", base); // .../channels/webchat/
  const language = languageOf(script.dataset.language || document.documentElement.lang || navigator.language);
  const [words, style] = await Promise.all([loadWords(base, language), loadStyle(base)]);
  await bodyReady();

  const kept = keep(`causerie:${server.host}:`);
  const connection = new Connection(socketAddress(server));
  const conversation = new Conversation({ connection, kept, language });
  const uploads = new Uploads({ server, conversation });
  const inbox = new Inbox({ address: new URL("../inapp/", server), conversation });
  const panel = new Panel({
    conversation, inbox, uploads, words, style, kept,
    title: script.dataset.title || words("title"),
    greeting: script.dataset.greeting || words("greeting"),
    accent: script.dataset.accent || "",
    theme: script.dataset.theme || "auto",
  });
  conversation.begin();

  return Object.freeze({
    open: () => panel.open(),
    close: () => panel.close(),
    identify: (token) => conversation.identify(String(token)),
    forget: () => conversation.forget(),
  });
}

async function loadStyle(base) {
  const answer = await fetch(new URL("widget.css", base));
  if (!answer.ok) throw new Error(`widget.css: ${answer.status}`);
  const sheet = new CSSStyleSheet(); // a constructed sheet needs no style-src in the page's policy
  sheet.replaceSync(await answer.text());
  return sheet;
}

function socketAddress(server) {
  const address = new URL("socket", server);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

function bodyReady() {
  if (document.body) return Promise.resolve();
  return new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
}
