// The shop's own few lines: what a real shop would write to let its signed-in customers be known in the chat.

const button = document.querySelector("#account");
const language = document.documentElement.lang;
const { signIn, signOut } = button.dataset;

// A real shop's server signs the token for whoever its own session says is signed in. Here it is always Anna.
async function identify() {
  const answer = await fetch(`sign-in?language=${language}`, { method: "POST" });
  const { identity, name } = await answer.json();
  window.Causerie.identify(identity);
  window.CauseriePush?.identify(identity);
  button.textContent = `${signOut} (${name.split(" ")[0]})`;
}

function signedIn(change) {
  if (change !== undefined) localStorage.setItem("atelier-nord:anna", change ? "yes" : "no");
  return localStorage.getItem("atelier-nord:anna") === "yes";
}

button.addEventListener("click", async () => {
  if (signedIn()) {
    signedIn(false);
    window.Causerie.forget();
    window.CauseriePush?.forget();
    button.textContent = signIn;
  } else {
    signedIn(true);
    await identify();
  }
});

for (const asks of document.querySelectorAll("[data-open-chat]")) {
  asks.addEventListener("click", () => window.Causerie.open());
}

// Tokens end; the chat says so a minute before, and when it finds none.
for (const event of ["causerie:identity-expiring", "causerie:identity-needed"]) {
  document.addEventListener(event, () => signedIn() && identify());
}

if (signedIn()) identify();
