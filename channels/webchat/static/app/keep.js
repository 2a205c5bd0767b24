// What this browser remembers between pages. Where storage is forbidden or full, it lasts as long as the page.

export function keep(prefix) {
  const memory = new Map();
  const storage = available();

  return {
    get(name) {
      const text = storage ? storage.getItem(prefix + name) : memory.get(name);
      if (text == null) return null;
      try {
        return JSON.parse(text);
      } catch {
        return null; // somebody else's hand was in it
      }
    },
    // What another script of ours keeps here as it is.
    plain(name) {
      return storage?.getItem(prefix + name) ?? null;
    },
    set(name, value) {
      const text = JSON.stringify(value);
      memory.set(name, text);
      try {
        storage?.setItem(prefix + name, text);
      } catch { /* full: the page still has it in memory */ }
    },
    remove(name) {
      memory.delete(name);
      storage?.removeItem(prefix + name);
    },
    names(start) {
      const all = storage ? Object.keys(storage).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)) : [...memory.keys()];
      return all.filter((name) => name.startsWith(start)).sort();
    },
    // Calls back when another tab of the same site changed this name.
    heard(name, listener) {
      addEventListener("storage", (event) => {
        if (event.key === prefix + name) listener();
      });
    },
  };
}

function available() {
  try {
    localStorage.setItem("causerie:probe", "1");
    localStorage.removeItem("causerie:probe");
    return localStorage;
  } catch {
    return null;
  }
}
