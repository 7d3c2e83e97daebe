// npm engine.io-client. It carries messages; the packets of Socket.IO in them are written by hand.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Socket } from "engine.io-client";
import { next } from "../harness.mjs";
import { run, url } from "./program.mjs";

const sockets = [];

/** A connection with what has arrived on it, and where needed what has yet to. */
async function open(options) {
  const socket = new Socket(url, { path: "/socket.io/", ...options });
  sockets.push(socket);
  const arrived = [];
  let wake = () => {};
  socket.on("message", (message) => {
    arrived.push(message);
    wake();
  });
  socket.receive = async () => {
    while (arrived.length === 0) await new Promise((resolve) => (wake = resolve));
    return arrived.shift();
  };
  await next(socket, "open");
  return socket;
}

/** A connection that has joined the main namespace, with the id that it has there. */
async function connect(options) {
  const socket = await open(options);
  socket.send('0{"token":"secret"}');
  const answer = await socket.receive();
  assert.match(answer, /^0\{/);
  return Object.assign(socket, JSON.parse(answer.slice(1)));
}

/** Sends a text and expects it back. */
async function echoes(socket, text) {
  socket.send(`21${JSON.stringify(["echo", text])}`);
  assert.equal(await socket.receive(), `31${JSON.stringify([text])}`);
}

async function mirrors(socket) {
  socket.send('51-["mirror",{"_placeholder":true,"num":0}]');
  socket.send(Buffer.from([1, 2, 3]));
  assert.equal(await socket.receive(), '51-["mirrored",{"_placeholder":true,"num":0}]');
  assert.deepEqual(await socket.receive(), Buffer.from([3, 2, 1]));
}

async function over(...transports) {
  const socket = await connect({ transports });
  await echoes(socket, "hello");
  await mirrors(socket);
  assert.equal(socket.transport.name, transports[0]);
}

const rows = {
  async connect() {
    const socket = await connect();
    assert.match(socket.sid, /^.{16,}$/);
    assert.notEqual(socket.sid, socket.id);
    await echoes(socket, "hello");
  },

  async "auth refused"() {
    const socket = await open();
    socket.send('0{"token":"guess"}');
    const answer = await socket.receive();
    assert.equal(answer[0], "4");
    assert.deepEqual(JSON.parse(answer.slice(1)), { message: "invalid token", data: { code: 401 } });
  },

  async events() {
    const [ann, bob] = [await connect(), await connect()];
    ann.send('2["shout",{"text":"hello"}]');
    for (const socket of [ann, bob]) {
      const message = await socket.receive();
      assert.equal(message[0], "2");
      assert.deepEqual(JSON.parse(message.slice(1)), ["shouted", { text: "hello", from: ann.sid }]);
    }
  },

  async binary() {
    await mirrors(await connect());
  },

  async upgrade() {
    const socket = await connect({ transports: ["polling", "websocket"] });
    let changing = socket.transport.name === "polling";
    if (changing) next(socket, "upgrade").then(() => (changing = false));
    for (let n = 0; changing || n < 50; n++) await echoes(socket, `${n}`);
    assert.equal(socket.transport.name, "websocket");
  },

  "polling only": () => over("polling"),

  "websocket only": () => over("websocket"),

  async "message size"() {
    const [large, other] = [await connect(), await connect()];
    await echoes(large, "x".repeat(900_000));
    const gone = next(large, "close");
    large.send(`2["echo","${"x".repeat(1_100_000)}"]`);
    assert.match((await gone)[0], /^transport (close|error)$/);
    await echoes(other, "still here");
  },

  async unicode() {
    const socket = await connect();
    for (const text of ["𝄞 👩‍👩‍👧‍👦 𐀀 \u{10ffff}", "e\u0301 n\u0303 한", "a\u2028b\u2029c", "\u202e \ufeff \uffff é 漢字"])
      await echoes(socket, text);
  },

  // Not escaped, as in the row of socket.io-client, but as they are: it is up to the client what becomes of them.
  async "lone surrogates"() {
    const socket = await connect();
    for (const text of ["a\ud800b", "\udc00 first", "last \udbff", "\ude00\ud83d swapped"]) {
      socket.send(`21["echo","${text}"]`);
      assert.equal(await socket.receive(), `31["${text.toWellFormed()}"]`);
    }
  },
};

const { version } = createRequire(import.meta.url)("engine.io-client/package.json");
await run("engine.io-client", version, rows, () => {
  for (const socket of sockets.splice(0)) socket.close();
});
