// The calendar: days in the reader's language, and the size of each audience, asked one after another as its day comes into sight.

const calendar = document.querySelector(".calendar");
const { moreThan, contacts } = calendar.dataset;
const language = document.documentElement.lang === "fr" ? "fr-FR" : "en-GB"; // as everywhere in the console
const short = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const number = new Intl.NumberFormat(language);
const waiting = [];
let isAsking = false;

for (const time of calendar.querySelectorAll("[data-day]")) time.textContent = short.format(new Date(`${time.dataset.day}T00:00Z`));

const watcher = new IntersectionObserver((seen) => {
  for (const one of seen) {
    if (!one.isIntersecting) continue;
    watcher.unobserve(one.target);
    waiting.push(one.target);
  }
  ask();
});
for (const size of calendar.querySelectorAll("[data-size]")) watcher.observe(size.closest(".firing"));

async function ask() {
  if (isAsking) return;
  isAsking = true;
  while (waiting.length) await fill(waiting.shift().querySelector("[data-size]"));
  isAsking = false;
}

async function fill(size) {
  try {
    const answer = await (await fetch(size.dataset.size)).json();
    if (answer.ok) size.textContent = (answer.is_most ? moreThan : contacts).replace("{n}", number.format(answer.n));
  } catch {
    size.textContent = ""; // an estimate that does not come is no mistake
  }
}
