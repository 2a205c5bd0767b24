// Files on their way to the server: shown at once, sent as a message when the server has them.

import { newId } from "./outbox.js";

export const ACCEPTED = ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"];

export class Uploads {
  constructor({ server, conversation }) {
    this.address = new URL("files", server);
    this.conversation = conversation;
  }

  // Send these files as messages; one that can not go stays in view with the reason.
  send(files) {
    for (const file of files) this.sendOne(file);
  }

  async sendOne(file) {
    const { conversation } = this;
    const isShown = ACCEPTED.includes(file.type) && file.type.startsWith("image/");
    const preview = isShown ? URL.createObjectURL(file) : "";
    const entry = {
      id: newId(), at: Date.now(), state: "sending", local: true, preview,
      files: [{ kind: preview ? "image" : "file", name: file.name, size: file.size }],
      again: () => {
        this.drop(entry);
        this.sendOne(file);
      },
    };
    conversation.waiting.push(entry);
    conversation.changed();
    conversation.wake();
    try {
      await this.connected();
      if (file.size > conversation.largestFile) throw new Error("too_large");
      const kept = await this.post(file);
      this.drop(entry);
      conversation.sayFile({ ...kept, kind: kept.mime.startsWith("image/") ? "image" : "file" });
      const said = conversation.waiting.at(-1);
      if (said?.file === kept.file) said.preview = preview;
    } catch (error) {
      Object.assign(entry, { state: "failed", reason: error.message });
    }
    conversation.changed();
  }

  async post(file) {
    const { conversation } = this;
    let answer;
    try {
      answer = await fetch(this.address, {
        method: "POST",
        body: file,
        headers: {
          authorization: `Bearer ${conversation.visitor?.token ?? ""}`,
          "content-type": file.type || "application/octet-stream",
          "x-file-name": encodeURIComponent(file.name).slice(0, 900),
          ...(conversation.identity ? { "x-identity": conversation.identity } : {}),
        },
      });
    } catch {
      throw new Error("network");
    }
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(body.error ?? "network");
    return body;
  }

  // A visitor's very first act may be to send a picture: wait for their token.
  connected() {
    const { connection } = this.conversation;
    if (connection.ready) return Promise.resolve();
    return new Promise((done, failed) => {
      const timer = setTimeout(() => failed(new Error("network")), 15_000);
      const look = () => {
        if (!connection.ready) return;
        clearTimeout(timer);
        connection.removeEventListener("state", look);
        done();
      };
      connection.addEventListener("state", look);
    });
  }

  drop(entry) {
    const { waiting } = this.conversation;
    const index = waiting.indexOf(entry);
    if (index >= 0) waiting.splice(index, 1);
  }
}
