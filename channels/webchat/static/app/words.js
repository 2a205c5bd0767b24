// The widget's own sentences, in the visitor's language, and dates as that language writes them.

const LANGUAGES = ["en", "fr"];

export function languageOf(wanted) {
  const short = String(wanted).toLowerCase().split("-")[0];
  return LANGUAGES.includes(short) ? short : "en";
}

// Returns words(name, values): the sentence, with {count} and the like filled in; also words.time, words.day, words.size.
export async function loadWords(base, language) {
  const answer = await fetch(new URL(`locales/${language}.json`, base));
  if (!answer.ok) throw new Error(`locales/${language}.json: ${answer.status}`);
  const sentences = await answer.json();
  const plural = new Intl.PluralRules(language);
  const number = new Intl.NumberFormat(language);

  const words = (name, values = {}) => {
    const found = sentences[name] ?? name;
    const sentence = typeof found === "string" ? found : found[plural.select(values.count)] ?? found.other;
    return sentence.replace(/\{(\w+)\}/g, (_, key) => (typeof values[key] === "number" ? number.format(values[key]) : values[key] ?? ""));
  };

  const time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
  const date = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  words.language = language;
  words.has = (name) => name in sentences;
  words.time = (at) => time.format(new Date(at));
  words.day = (at) => {
    const days = Math.round((midnight(at) - midnight(Date.now())) / 86_400_000);
    return capital(days > -2 ? relative.format(days, "day") : date.format(new Date(at)));
  };
  words.size = (bytes) => {
    const unit = bytes < 1_000_000 ? "kilobyte" : "megabyte";
    const value = Math.max(1, Math.round(bytes / (bytes < 1_000_000 ? 1e3 : 1e5))) / (bytes < 1_000_000 ? 1 : 10);
    return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(value);
  };
  return words;
}

function midnight(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
