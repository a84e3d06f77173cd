// Messages on their way: sent in order, kept while the network or the server is away, repeated under the same id.

const PAUSES_MS = [500, 1500, 4000, 8000];

export class Outbox {
  #send;
  #changed;
  #queue = [];
  #attempt = 0;
  #timer = 0;
  #busy = false;

  /** `send(message)` resolves to a Response; `changed(message, state, detail)` is told "sent", "late" or "failed". */
  constructor(send, changed) {
    this.#send = send;
    this.#changed = changed;
    addEventListener("online", () => this.#soon(0));
  }

  add(message) {
    this.#queue.push(message);
    this.#soon(0);
  }

  clear() {
    this.#queue = [];
  }

  #soon(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#work(), delay);
  }

  async #work() {
    if (this.#busy || !this.#queue.length) return;
    this.#busy = true;
    const message = this.#queue[0];
    const outcome = await this.#try(message);
    this.#busy = false;
    if (this.#queue[0] !== message) return this.#soon(0);
    this.#changed(message, outcome.state, outcome.detail);
    if (outcome.state === "late") {
      this.#soon(PAUSES_MS[Math.min(this.#attempt++, PAUSES_MS.length - 1)]);
      return;
    }
    this.#attempt = 0;
    this.#queue.shift();
    this.#soon(0);
  }

  /** A refusal is final; silence, a full house and a server that is not ready are not. */
  async #try(message) {
    try {
      const response = await this.#send(message);
      if (response.ok) return { state: "sent" };
      if (response.status >= 500) return { state: "late" };
      return { state: "failed", status: response.status, detail: (await response.json()).error };
    } catch {
      return { state: "late" };
    }
  }
}
