// Instants come from the server in UTC and are shown in the reader's own time zone and language.

import { say } from "./html.js";

const language = document.documentElement.lang === "fr" ? "fr-FR" : "en-GB"; // both write 14:05 and 21 Nov
const format = (options) => new Intl.DateTimeFormat(language, options);
const hour = format({ hour: "2-digit", minute: "2-digit" });
const day = format({ day: "numeric", month: "short" });
const year = format({ day: "numeric", month: "short", year: "numeric" });
const weekday = format({ weekday: "long", day: "numeric", month: "long" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

export function show(root = document) {
  for (const time of root.querySelectorAll("time[data-style]")) showOne(time);
}

export function sameDay(a, b) {
  return a.toDateString() === b.toDateString();
}

export function dayName(date) {
  const now = new Date();
  if (sameDay(date, now)) return say("today");
  if (sameDay(date, new Date(now - DAY))) return say("yesterday");
  return (now - date < 300 * DAY ? weekday : year).format(date);
}

function showOne(time) {
  const at = new Date(time.dateTime);
  time.textContent = STYLES[time.dataset.style](at);
  time.title = `${year.format(at)} ${hour.format(at)}`;
}

const STYLES = {
  time: (at) => hour.format(at),
  day: (at) => year.format(at),
  short: (at) => (sameDay(at, new Date()) || Date.now() - at < 6 * HOUR ? hour.format(at) : (Date.now() - at < 300 * DAY ? day : year).format(at)),
  full: (at) => (sameDay(at, new Date()) ? hour.format(at) : `${day.format(at)} ${hour.format(at)}`),
  ago: (at) => ago(at - Date.now()),
  for: (at) => length(Date.now() - at),
};

function ago(distance) {
  const size = Math.abs(distance);
  if (size < MINUTE) return say("now");
  if (size < HOUR) return relative.format(Math.round(distance / MINUTE), "minute");
  if (size < DAY) return relative.format(Math.round(distance / HOUR), "hour");
  return relative.format(Math.round(distance / DAY), "day");
}

function length(size) {
  if (size < HOUR) return `${Math.max(1, Math.round(size / MINUTE))} min`;
  if (size < DAY) return `${Math.round(size / HOUR)} h`;
  return `${Math.round(size / DAY)} ${language === "fr-FR" ? "j" : "d"}`;
}

// "waits 4 min" and "2 hours ago" grow old while they are looked at: said again each minute, without asking the server
setInterval(() => show(), MINUTE);
