// The shop's own colour: black or white on it, and ink in its place where it could not be read on our paper.

const PAPERS = ["#fff", "#17191b"]; // by day and by night, as in the style sheets
const READS = 4.5; // to 1: WCAG 2.2, 1.4.3

export function paint(node, accent) {
  if (!accent || !CSS.supports("color", accent)) return;
  const light = luminance(accent);
  const onPaper = PAPERS.map((paper) => (contrast(light, luminance(paper)) < READS ? "var(--ink)" : accent));
  node.style.setProperty("--accent", accent);
  node.style.setProperty("--on-accent", light > 0.179 ? "#000" : "#fff");
  node.style.setProperty("--accent-ink", `light-dark(${onPaper.join(", ")})`);
}

function contrast(one, other) {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

// WCAG 2.2, relative luminance.
function luminance(colour) {
  const [red, green, blue] = channelsOf(colour).map((part) => (part <= 10 ? part / 3295 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channelsOf(colour) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}
