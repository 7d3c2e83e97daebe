// The official client of Socket.IO 2, which speaks Engine.IO 3, against a server that serves ../FIXTURE.md.
//
//   node eio3.test.mjs http://127.0.0.1:3000      (or ROOMS_URL=... node --test)
//
// Without an address it runs against reference-server.mjs, which proves the suite itself. JSONP needs a page to run in.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { io as newer } from "socket.io-client";
import io from "socket.io-client-2";
import { next } from "./harness.mjs";
import { startReferenceServer } from "./reference-server.mjs";

const TRANSPORTS = {
  websocket: { transports: ["websocket"] },
  polling: { transports: ["polling"] },
  "polling in base64": { transports: ["polling"], forceBase64: true },
  "polling then upgrade": { transports: ["polling", "websocket"] },
};

let url = process.argv[2] ?? process.env.ROOMS_URL;
let reference;

before(async () => {
  if (url) return;
  reference = await startReferenceServer();
  url = reference.url;
});
after(() => reference?.close());

for (const [name, options] of Object.entries(TRANSPORTS)) {
  describe(`Socket.IO 2 over ${name}`, () => cases(options));
}

function cases(options) {
  const open = [];
  afterEach(() => open.splice(0).forEach((socket) => socket.close()));

  const socket = ({ token = "secret", namespace = "/", ...more } = {}) => {
    const address = new URL(namespace, url).href;
    const made = io(address, { ...options, query: { token }, forceNew: true, reconnectionDelay: 10, ...more });
    open.push(made);
    return made;
  };
  const connect = async (more) => {
    const made = socket(more);
    await next(made, "connect");
    return made;
  };
  const ask = (socket, event, ...args) => new Promise((answer) => socket.emit(event, ...args, answer));

  test("connects to the main namespace without asking for it", async () => {
    const client = await connect();
    assert.equal(await ask(client, "echo", "here"), "here");
  });

  test("is refused with the data", async () => {
    const [data] = await next(socket({ token: "guess" }), "error");
    assert.deepEqual(data, { code: 401 });
  });

  test("joins another namespace with a query", async () => {
    const main = await connect();
    const side = main.io.socket("/side", { query: { x: "a b,&é" } });
    const nowhere = main.io.socket("/nowhere");
    open.push(side, nowhere);
    const refused = next(nowhere, "error");
    await next(side, "connect");
    assert.equal(await ask(side, "echo", 1), 1);
    const [error] = await refused;
    assert.deepEqual(error, { message: "Invalid namespace" });
    assert.equal(await ask(main, "echo", 2), 2);
  });

  test("text of all kinds comes back", async () => {
    const client = await connect();
    for (const text of ["", "é€", "\u{1f600}\u{10ffff}", "a\u0301\u2028\u2029\n\\n\u001e", "😀".repeat(10_000)]) {
      assert.equal(await ask(client, "echo", text), text);
    }
  });

  test("is asked by the server", async () => {
    const client = await connect();
    client.on("question", ({ n }, answer) => answer(n + 0.5));
    client.emit("ask_me");
    const [{ n }] = await next(client, "answered");
    assert.equal(n, 20.5);
  });

  test("binary travels both ways", async () => {
    const client = await connect();
    for (const length of [0, 1, 3, 200, 100_000]) {
      const blob = Buffer.from(Array.from({ length }, (_, n) => n + 4));
      const answer = await ask(client, "binary", { label: "é", blob });
      assert.equal(answer.label, "é");
      assert.deepEqual(Buffer.from(answer.blob), Buffer.from(blob).reverse());
    }
    const parts = [Buffer.from([]), Buffer.from([4]), Buffer.from([0, 255, 4])];
    client.emit("send_binary", { label: "x", parts });
    const [blob] = await next(client, "blob");
    assert.deepEqual(blob.parts.map((part) => Buffer.from(part)), parts);
  });

  test("rooms and broadcasts reach clients of both generations", async () => {
    const [ann, bob] = [await connect(), await connect()];
    const eve = newer(url, { auth: { token: "secret" }, forceNew: true });
    open.push(eve);
    await next(eve, "connect");
    for (const client of [bob, eve]) assert.equal(await ask(client, "join", "r"), true);
    const heard = [bob, eve].map((client) => next(client, "told"));
    ann.emit("tell", { room: "r", text: "é" });
    for (const [told] of await Promise.all(heard)) assert.deepEqual(told, { room: "r", text: "é" });
    const shouts = [ann, bob, eve].map((client) => next(client, "shouted"));
    eve.emit("shout", { text: "all" });
    for (const [{ text }] of await Promise.all(shouts)) assert.equal(text, "all");
  });

  test("pings are answered", async () => {
    const client = await connect();
    const answered = next(client.io.engine, "pong");
    client.io.engine.ping();
    await answered;
    assert.equal(await ask(client, "echo", "still here"), "still here");
  });

  test("nothing is lost or reordered, whatever the transport does", async () => {
    const client = await connect();
    for (let n = 0; n < 500; n += 1) {
      client.emit("order", n);
      if (n % 50 === 0) await ask(client, "echo", n);
    }
    assert.deepEqual(await ask(client, "order_check"), { count: 500, in_order: true });
  });

  test("uses the transports that it was told to", async () => {
    const client = await connect();
    const { engine } = client.io;
    if (options.transports.length > 1 && engine.transport.name !== "websocket") await next(engine, "upgrade");
    assert.equal(engine.transport.name, options.transports.at(-1));
    assert.equal(await ask(client, "echo", "after"), "after");
  });

  test("is told to leave, and may come back", async () => {
    const client = await connect();
    // This client leaks a connection if it is told to connect while it still closes the last one.
    const closed = next(client.io.engine, "close");
    client.emit("kick");
    const [reason] = await next(client, "disconnect");
    assert.equal(reason, "io server disconnect");
    await closed;
    const back = next(client, "connect");
    client.connect();
    await back;
    assert.equal(await ask(client, "echo", "back"), "back");
  });
}
