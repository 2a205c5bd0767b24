// Making elements without markup: no string ever becomes HTML here.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

const SHAPES = {
  chat: "M12 3.5c-5 0-9 3.3-9 7.6 0 2.4 1.3 4.5 3.3 5.9l-.5 3.2c-.1.4.3.7.7.5l3.5-1.7c.6.1 1.3.2 2 .2 5 0 9-3.4 9-8.1S17 3.5 12 3.5Z",
  down: "m6 9.5 6 6 6-6",
  close: "m6.5 6.5 11 11m0-11-11 11",
  send: "M4.5 12h14m-5.5-6 6 6-6 6",
  attach: "m19 11.2-7.3 7.2a4.6 4.6 0 0 1-6.5-6.5l7.6-7.5a3 3 0 0 1 4.3 4.3l-7.6 7.5a1.5 1.5 0 0 1-2.1-2.1l6.9-6.9",
  file: "M7 3.5h6.5L18 8v12.5H7zM13 3.5V8.5h5",
  bell: "M18 9a6 6 0 1 0-12 0c0 6-2.5 7.5-2.5 7.5h17S18 15 18 9m-4.3 11a2 2 0 0 1-3.4 0",
  lock: "M7 11V8.5a5 5 0 0 1 10 0V11m-11 0h12v8.5H6z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}
