// Messages on their way: sent in order, kept while the network or the server is away, repeated under the same id.

const PAUSES_MS = [500, 1500, 4000, 8000];
const MOST = 20;
const DAY_MS = 24 * 3600 * 1000;

/** Where a tab keeps its queue over a reload: in its own session, for one visitor, until it is sent or a day old. */
export class Shelf {
  #name;
  #owner;

  constructor(name, owner) {
    this.#name = name;
    this.#owner = owner;
  }

  load() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.#name));
      return kept.owner === this.#owner && Date.now() - kept.at < DAY_MS ? kept.queue.slice(0, MOST) : [];
    } catch {
      return []; // nothing kept, or a browser that keeps nothing
    }
  }

  save(queue) {
    try {
      if (queue.length) sessionStorage.setItem(this.#name, JSON.stringify({ owner: this.#owner, at: Date.now(), queue }));
      else sessionStorage.removeItem(this.#name);
    } catch {
      // the queue then lives as long as the page
    }
  }
}

export class Outbox {
  #send;
  #changed;
  #shelf;
  #queue;
  #attempt = 0;
  #timer = 0;
  #busy = false;

  /** `send(message)` resolves to a Response; `changed(message, state, detail)` is told "sent", "late" or "failed". */
  constructor(send, changed, shelf) {
    this.#send = send;
    this.#changed = changed;
    this.#shelf = shelf;
    this.#queue = shelf.load();
    addEventListener("online", () => this.#soon(0));
    this.#soon(0);
  }

  /** The messages that are not sent yet, oldest first. */
  get waiting() {
    return [...this.#queue];
  }

  get full() {
    return this.#queue.length >= MOST;
  }

  add(message) {
    this.#queue.push(message);
    this.#shelf.save(this.#queue);
    this.#soon(0);
  }

  /** The server has this one, whether or not its answer reached us. */
  drop(id) {
    this.#queue = this.#queue.filter((message) => message.id !== id);
    this.#shelf.save(this.#queue);
  }

  clear() {
    this.#queue = [];
    this.#shelf.save(this.#queue);
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
    if (outcome.state === "late") {
      this.#changed(message, outcome.state, outcome.detail);
      this.#soon(PAUSES_MS[Math.min(this.#attempt++, PAUSES_MS.length - 1)]);
      return;
    }
    this.#attempt = 0;
    this.#queue.shift();
    this.#shelf.save(this.#queue);
    this.#changed(message, outcome.state, outcome.detail);
    this.#soon(0);
  }

  /** A refusal is final; silence, a full house and a server that is not ready are not. */
  async #try(message) {
    try {
      const response = await this.#send(message);
      if (response.ok) return { state: "sent" };
      if (response.status >= 500) return { state: "late" };
      const detail = (await response.json()).error;
      return { state: response.status === 429 ? "late" : "failed", detail };
    } catch {
      return { state: "late" };
    }
  }
}
