// Loads the web chat: put this script on a page, and nothing else. docs/channels/webchat.md has its attributes and calls.
(() => {
  if (window.Causerie) return; // two script tags, one chat
  const script = document.currentScript;
  const asked = [];
  const later = (name) => (...given) => void asked.push([name, given]);
  window.Causerie = { open: later("open"), close: later("close"), identify: later("identify"), forget: later("forget") };
  const base = new URL("static/__VERSION__/", script.src);
  import(new URL("app/main.js", base).href)
    .then((app) => app.start({ script, base }))
    .then((chat) => {
      window.Causerie = chat;
      for (const [name, given] of asked) chat[name](...given);
    })
    .catch((error) => console.warn("Causerie: the chat could not start.", error)); // the shop's page goes on without it
})();
