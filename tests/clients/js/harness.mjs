// What the cases need to talk about sockets: connecting, waiting for one thing, and seeing that another did not come.

import { io } from "socket.io-client";
import msgpack from "socket.io-msgpack-parser";

/** How long anything may take before a case fails. Nothing waits for this time to pass. */
const DEADLINE_MS = 20_000;

/** The ways to reach a server. The suite runs once for each that is asked for. */
export const TRANSPORTS = {
  websocket: { transports: ["websocket"] },
  polling: { transports: ["polling"] },
  "polling then upgrade": { transports: ["polling", "websocket"] },
};

/** The formats of packets. The suite runs once for each, on every transport. */
export const PARSERS = {
  json: {},
  msgpack: { parser: msgpack },
};

/** The clients of one case, all closed by `close`. */
export class Clients {
  #sockets = [];

  constructor(url, options) {
    this.url = url;
    this.options = options;
  }

  /** A socket that has not been connected yet. */
  socket({ auth = { token: "secret" }, namespace = "/", ...options } = {}) {
    const socket = io(new URL(namespace, this.url).href, {
      ...this.options,
      auth,
      autoConnect: false,
      forceNew: true,
      reconnectionDelay: 10,
      ...options,
    });
    this.#sockets.push(socket);
    return socket;
  }

  /** A connected socket. */
  async connect(options) {
    const socket = this.socket(options);
    const connected = next(socket, "connect");
    socket.connect();
    await connected;
    return socket;
  }

  close() {
    for (const socket of this.#sockets.splice(0)) socket.disconnect();
  }
}

/** The arguments of the next such event that matches; listens from the moment it is called. */
export function next(emitter, event, matches = () => true) {
  return new Promise((resolve, reject) => {
    const listen = (...args) => {
      if (!matches(...args)) return;
      clearTimeout(late);
      emitter.off(event, listen);
      resolve(args);
    };
    const late = setTimeout(() => {
      emitter.off(event, listen);
      reject(new Error(`no "${event}" within ${DEADLINE_MS} ms`));
    }, DEADLINE_MS);
    emitter.on(event, listen);
  });
}

/** Emits and waits for the acknowledgement. */
export function ask(socket, event, ...args) {
  return socket.timeout(DEADLINE_MS).emitWithAck(event, ...args);
}

/** Collects the first argument of every such event from now on. */
export function collect(socket, event) {
  const seen = [];
  socket.on(event, (value) => seen.push(value));
  return seen;
}
