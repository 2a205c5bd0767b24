// One message of the inbox as a card: its picture, words and choices. The banner and the list draw it alike.

import { element, icon } from "./element.js";
import { anchor, linked, safeTarget } from "./links.js";

export function notice({ message, inbox, words, say }) {
  const inside = [];
  const picture = message.image && safeTarget(message.image);
  if (picture) inside.push(element("img", { class: "notice-picture", src: picture, alt: "", loading: "lazy" }));
  if (message.title) inside.push(element("h3", { dir: "auto" }, message.title));
  if (message.text) inside.push(element("p", { class: "notice-text", dir: "auto" }, ...linked(message.text)));
  const choices = (message.buttons ?? []).map((button) => choice(message, button, inbox, say)).filter(Boolean);
  if (!choices.length && message.link) choices.push(opener(message, message.link, words("learn_more"), inbox));
  if (choices.length) inside.push(element("div", { class: "choices", role: "group", "aria-label": words("choices") }, ...choices));
  return inside;
}

export function putAwayButton({ message, words, onclick }) {
  const label = words("put_away", { title: message.title || message.text || "" });
  return element("button", { class: "tool put-away", type: "button", "aria-label": label, title: words("put_away_short"), onclick }, icon("close"));
}

function choice(message, button, inbox, say) {
  if (button.url) return opener(message, button.url, button.title, inbox);
  const press = () => {
    inbox.clicked(message);
    say(button.title);
  };
  return element("button", { class: "choice", type: "button", onclick: press }, button.title);
}

function opener(message, address, title, inbox) {
  const target = safeTarget(address);
  if (!target) return "";
  const link = anchor(target, title);
  link.classList.add("choice");
  link.addEventListener("click", () => inbox.clicked(message));
  return link;
}
