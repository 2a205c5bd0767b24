// Text as nodes: what a person wrote is only ever text; https addresses and e-mail addresses in it become links.

const FOUND = /https:\/\/[^\s<>"'`]+|[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/giu;
const TRAILING = /[.,;:!?…»”’]+$/u;

export function linked(written) {
  const text = bound(written);
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(FOUND)) {
    const shown = trimmed(match[0]);
    const target = targetOf(shown);
    if (!target) continue;
    nodes.push(text.slice(from, match.index), anchor(target, shown));
    from = match.index + shown.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

// French marks stand behind a space at which no line may break: narrow before ; ! ? and whole before : » and after «.
function bound(text) {
  return text.replace(/ (?=[!?]|;(?:\s|$))/gu, "\u202f").replace(/ (?=»|:(?:\s|$))/gu, "\u00a0").replaceAll("« ", "«\u00a0");
}

// An address that may be opened from a message or a button: https or mailto, or nothing.
export function safeTarget(address) {
  try {
    const url = new URL(address);
    return ["https:", "mailto:"].includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

export function anchor(target, shown) {
  const link = document.createElement("a");
  link.href = target;
  link.textContent = shown;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  return link;
}

function targetOf(shown) {
  return safeTarget(/^https:/i.test(shown) ? shown : `mailto:${shown}`);
}

// A full stop after an address ends the sentence; a bracket belongs to the address only if it opened there.
function trimmed(shown) {
  let text = shown;
  for (;;) {
    let shorter = text.replace(TRAILING, "");
    for (const [open, close] of ["()", "[]", "{}"]) {
      if (shorter.endsWith(close) && count(shorter, open) < count(shorter, close)) shorter = shorter.slice(0, -1);
    }
    if (shorter === text) return text;
    text = shorter;
  }
}

function count(text, letter) {
  return text.split(letter).length - 1;
}
