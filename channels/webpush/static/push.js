// Lets people of a page agree to messages in this browser: put this script on the page, and a button with the attribute
// data-causerie-push. Nothing is asked before somebody presses it. docs/channels/webpush.md has its attributes and calls.
(() => {
  if (window.CauseriePush) return; // two script tags, one prompt
  const script = document.currentScript;
  const asked = [];
  const later = (name) => (...given) => new Promise((done, failed) => asked.push([name, given, done, failed]));
  window.CauseriePush = Object.fromEntries(["ask", "state", "unsubscribe", "identify", "forget"].map((name) => [name, later(name)]));
  const base = new URL("static/__VERSION__/", script.src);
  import(new URL("app/main.js", base).href)
    .then((app) => app.start({ script, base }))
    .then((push) => {
      window.CauseriePush = push;
      for (const [name, given, done, failed] of asked) Promise.resolve(push[name](...given)).then(done, failed);
    })
    .catch((error) => console.warn("Causerie: messages in this browser could not start.", error)); // the page goes on without
})();
