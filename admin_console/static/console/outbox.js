// Decisions on their way to the server: sent in order, one delivery at a time, kept over a reload until they are stored.

const BATCH = 20;
const LONGEST_WAIT = 30_000; // milliseconds between two attempts

export class Outbox {
  /** `told(entry, result)` for every answer; `changed(unsent, trouble)` whenever the count or the trouble does. */
  constructor({ address, csrf, store, told, changed }) {
    Object.assign(this, { address, csrf, store, told, changed });
    this.entries = JSON.parse(sessionStorage.getItem(store) ?? "[]");
    this.versions = new Map(); // of replies that decisions from here have changed
    this.flying = new Set();
    this.wait = 500;
    this.trouble = "";
  }

  add(entry) {
    this.entries.push(entry);
    this.keep();
    this.send();
  }

  /** Take back what has not left yet. */
  recall(token) {
    const entry = this.entries.find((each) => each.token === token && each.kind !== "undo");
    if (!entry || this.flying.has(entry)) return false;
    this.entries.splice(this.entries.indexOf(entry), 1);
    this.keep();
    return true;
  }

  keep() {
    sessionStorage.setItem(this.store, JSON.stringify(this.entries));
    this.changed(this.entries.length, this.trouble);
  }

  /** The next entries, as far as none needs the version that an earlier one of them is going to make. */
  next() {
    const batch = [];
    const changing = new Set();
    for (const entry of this.entries.slice(0, BATCH)) {
      if (entry.turns.some(([turn]) => changing.has(turn))) break;
      entry.turns.forEach(([turn]) => changing.add(turn));
      batch.push(entry);
    }
    return batch;
  }

  async send() {
    if (this.flying.size || this.entries.length === 0) return;
    clearTimeout(this.timer);
    const batch = this.next();
    batch.forEach((entry) => this.flying.add(entry));
    const results = await this.deliver(batch);
    this.flying.clear();
    if (!results) return this.again();
    [this.wait, this.trouble] = [500, ""];
    this.entries.splice(0, batch.length);
    batch.forEach((entry, place) => this.arrived(entry, results[place]));
    this.keep();
    this.send();
  }

  arrived(entry, result) {
    for (const [turn, version] of Object.entries(result.versions ?? {})) this.versions.set(Number(turn), version);
    this.told(entry, result);
  }

  /** The server's word on each entry, or null where it did not take them. */
  async deliver(batch) {
    const decisions = batch.map((entry) => ({
      ...entry,
      turns: entry.turns.map(([turn, version]) => [turn, Math.max(version, this.versions.get(turn) ?? 0)]),
    }));
    try {
      const answer = await fetch(this.address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrf() },
        body: JSON.stringify({ decisions }),
      });
      this.trouble = answer.redirected || answer.status === 403 ? "log_in" : "unsent";
      if (!answer.redirected && (answer.ok || answer.status === 409)) return (await answer.json()).results;
      if (answer.status === 400) return batch.map(() => ({ status: "gone" })); // nothing that is sent again would be taken
    } catch {
      this.trouble = "unsent";
    }
    return null;
  }

  again() {
    this.changed(this.entries.length, this.trouble);
    this.timer = setTimeout(() => this.send(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}

/** A version 4 UUID; `crypto.randomUUID` is missing on pages that do not come by https. */
export function token() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}
