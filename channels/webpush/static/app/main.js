// Puts the prompt behind the page's own buttons and gives the page its calls. The only module that knows all others.

import { keep } from "./keep.js";
import { Prompt } from "./prompt.js";
import { isSupported, Subscription } from "./subscription.js";
import { languageOf, loadWords } from "./words.js";

const BUTTONS = "[data-causerie-push]";

export async function start({ script, base }) {
  const { dataset } = script;
  const server = new URL("../../", base); // .../channels/webpush/
  const language = languageOf(dataset.language || document.documentElement.lang || navigator.language);
  const subscription = new Subscription({
    server, language,
    kept: keep(`causerie:${server.host}:`), // beside the web chat's: who chats here is the same visitor
    worker: new URL(dataset.worker || "/causerie-worker.js", document.baseURI),
    only: (dataset.topics || "").split(",").map((name) => name.trim()).filter(Boolean),
  });
  const [words, style] = await Promise.all([loadWords(base, language), loadStyle(base)]);
  const prompt = new Prompt({
    subscription, words, style, title: dataset.title || "", accent: dataset.accent || "", theme: dataset.theme || "auto",
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.(BUTTONS)) prompt.open();
  });
  if (isSupported()) for (const button of document.querySelectorAll(BUTTONS)) button.hidden = false;
  subscription.mend().catch(() => {}); // a network that is away now is there on the next page

  return Object.freeze({
    ask: () => prompt.open(),
    state: () => subscription.state(),
    unsubscribe: () => subscription.end(),
    identify: (token) => subscription.identify(String(token)),
    forget: () => subscription.forget(),
  });
}

async function loadStyle(base) {
  const answer = await fetch(new URL("push.css", base));
  if (!answer.ok) throw new Error(`push.css: ${answer.status}`);
  const sheet = new CSSStyleSheet(); // a constructed sheet needs no style-src in the page's policy
  sheet.replaceSync(await answer.text());
  return sheet;
}
