// The official Engine.IO client, without Socket.IO, against the app of ../../suites/engine.rs: it echoes.
//
//   ROOMS_URL=http://127.0.0.1:3000 node --test
//
// Without an address it runs against reference-server.mjs, which proves the suite itself.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, describe, test } from "node:test";
import { Socket } from "engine.io-client";
import { startReferenceServer } from "./reference-server.mjs";

/** How long anything may take before a case fails. Nothing waits for this time to pass. */
const DEADLINE_MS = 20_000;

const TRANSPORTS = {
  websocket: ["websocket"],
  polling: ["polling"],
  "polling then upgrade": ["polling", "websocket"],
};

let url = process.env.ROOMS_URL;
let reference;

before(async () => {
  if (url) return;
  reference = await startReferenceServer();
  url = reference.url;
});
after(() => reference?.close());

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  describe(`over ${name}`, () => cases(transports));
}

function cases(transports) {
  const sockets = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });

  const socket = (options) => {
    const made = new Socket(url, { transports, ...options });
    sockets.push(made);
    return made;
  };

  /** A socket that is open, and on its last transport. */
  const connect = async () => {
    const made = socket();
    await next(made, transports.length > 1 ? "upgrade" : "open");
    return made;
  };

  test("text comes back as it was", async () => {
    const client = await connect();
    for (const text of ["hello", "0", "b", "4", "é 😀 \u2028", '{"a":[1]}', "x".repeat(100_000)]) {
      const [back] = await ask(client, text);
      assert.equal(back, text);
    }
  });

  test("binary comes back as binary", async () => {
    const client = await connect();
    for (const bytes of [Buffer.of(), Buffer.of(4), Buffer.of(0, 255, 30), randomBytes(70_000)]) {
      const [back] = await ask(client, bytes);
      assert.notEqual(typeof back, "string");
      assert.ok(Buffer.from(back).equals(bytes), `${bytes.length} bytes`);
    }
  });

  test("what is sent at once keeps its order, also across a change of transport", async () => {
    const client = socket();
    const seen = [];
    const whole = next(client, "message", (message) => seen.push(message) === 400);
    await next(client, "open");
    for (let n = 0; n < 400; n++) client.send(n % 5 ? `${n}` : Buffer.from(`${n}`));
    await whole;
    assert.deepEqual(
      seen.map((message) => Number(message.toString())),
      [...seen.keys()],
    );
  });

  test("the server knows the transport", async () => {
    const client = await connect();
    assert.deepEqual(await ask(client, "transport"), [transports.at(-1)]);
  });

  test("the heartbeat keeps a silent connection open", async () => {
    const client = await connect();
    for (let n = 0; n < 3; n++) await next(client, "heartbeat");
    assert.deepEqual(await ask(client, "still here"), ["still here"]);
  });

  test("the client ends a connection", async () => {
    const client = await connect();
    const closed = next(client, "close");
    client.close();
    assert.equal((await closed)[0], "forced close");
  });

  test("the server ends a connection", async () => {
    const client = await connect();
    const closed = next(client, "close");
    client.send("close");
    assert.equal((await closed)[0], "transport close");
  });

  test("a handshake is refused", async () => {
    const client = socket({ query: { refuse: "1" } });
    const [error] = await next(client, "error");
    assert.equal(error.type, "TransportError");
    assert.notEqual(client.readyState, "open");
  });
}

/** Sends a message and waits for the next one. */
function ask(socket, message) {
  const answer = next(socket, "message");
  socket.send(message);
  return answer;
}

/** The arguments of the next such event that matches; listens from the moment it is called. */
function next(emitter, event, matches = () => true) {
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
