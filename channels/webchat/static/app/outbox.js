// What the visitor said and the server has not confirmed. Each entry has its own key, so that two tabs never write over each other.

export class Outbox {
  constructor(kept) {
    this.kept = kept;
  }

  // The entries of this address, oldest first.
  all(address) {
    return this.kept
      .names(`out:${address}:`)
      .map((name) => this.kept.get(name))
      .filter(Boolean);
  }

  add(address, entry) {
    this.kept.set(this.name(address, entry), entry);
  }

  done(address, entry) {
    this.kept.remove(this.name(address, entry));
  }

  // The visitor goes on under another address: what was not yet sent goes along.
  move(from, to) {
    for (const entry of this.all(from)) {
      this.add(to, entry);
      this.done(from, entry);
    }
  }

  clear() {
    for (const name of this.kept.names("out:")) this.kept.remove(name);
  }

  name(address, entry) {
    return `out:${address}:${String(entry.at).padStart(15, "0")}:${entry.id}`;
  }
}

// An id that no other message of this visitor has (crypto.randomUUID exists only on https pages).
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
