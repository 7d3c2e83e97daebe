// The official client against a server with connection state recovery, which serves what `startReference` below does.
//
//   node --test recovery.mjs      (with ROOMS_URL=http://127.0.0.1:3000; without, against Node's own Socket.IO)

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, describe, test } from "node:test";
import { Server } from "socket.io";
import { ask, Clients, next, PARSERS, TRANSPORTS } from "./harness.mjs";

const ours = process.env.ROOMS_URL;

for (const [format, parser] of Object.entries(PARSERS)) {
  describe(`in ${format}`, () => {
    let reference;
    const server = {};
    before(async () => {
      // One of ours speaks all formats.
      reference = ours ? undefined : await startReference(parser);
      server.url = ours ?? `http://127.0.0.1:${reference.httpServer.address().port}`;
    });
    after(() => reference?.close());
    for (const [name, transports] of Object.entries(TRANSPORTS)) {
      describe(`over ${name}`, () => cases(server, { ...transports, ...parser }));
    }
  });
}

/** A server with two events, `join` and `rooms`, and `POST /emit`. */
async function startReference(options) {
  const http = createServer();
  const io = new Server(http, { connectionStateRecovery: {}, ...options });
  http.on("request", async (request, response) => {
    if (request.url !== "/emit") return;
    let text = "";
    for await (const chunk of request) text += chunk;
    const { room, events } = JSON.parse(text);
    for (const text of events) io.to(room).emit("notice", { text, bytes: Buffer.from(text) });
    response.writeHead(204).end();
  });
  io.on("connection", (socket) => {
    socket.on("join", (room, ack) => (socket.join(room), ack(true)));
    socket.on("rooms", (ack) => ack([...socket.rooms].sort()));
  });
  await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
  return io;
}

function cases(server, options) {
  let clients;
  before(() => {
    clients = new Clients(server.url, options);
  });
  afterEach(() => clients.close());

  const emit = async (room, ...events) => {
    const body = JSON.stringify({ room, events });
    const headers = { "content-type": "application/json" };
    const response = await fetch(new URL("/emit", server.url), { method: "POST", headers, body });
    assert.equal(response.status, 204);
  };

  /** A client in `room` that has seen one event, and what it heard so far. */
  const regular = async (room) => {
    const socket = await clients.connect({ reconnection: false });
    assert.equal(socket.recovered, false);
    const heard = [];
    socket.on("notice", ({ text, bytes }, offset) => {
      assert.equal(Buffer.from(bytes).toString(), text);
      assert.equal(typeof offset, "string");
      heard.push(text);
    });
    await ask(socket, "join", room);
    const first = next(socket, "notice");
    await emit(room, "first");
    await first;
    return { socket, heard };
  };

  /** Breaks the connection. */
  const lose = async (socket) => {
    const lost = next(socket, "disconnect");
    socket.io.engine.close();
    await lost;
  };

  const comeBack = async (socket) => {
    const connected = next(socket, "connect");
    socket.connect();
    await connected;
  };

  test("a client that comes back has its id, its rooms, and what it missed, in order", async () => {
    const { socket, heard } = await regular("a");
    const { id } = socket;
    await lose(socket);
    await emit("a", "second", "third");
    await emit("b", "not for it");
    await emit(id, "alone");
    await comeBack(socket);
    assert.equal(socket.recovered, true);
    assert.equal(socket.id, id);
    assert.deepEqual(await ask(socket, "rooms"), [id, "a"].sort());
    await emit("a", "fifth");
    if (heard.length < 5) await next(socket, "notice", ({ text }) => text === "fifth");
    assert.deepEqual(heard, ["first", "second", "third", "alone", "fifth"]);
  });

  test("it does so again and again, also when it is lost at once", async () => {
    const { socket, heard } = await regular("a");
    const { id } = socket;
    for (const text of ["second", "third", "fourth"]) {
      await lose(socket);
      await emit("a", text);
      await comeBack(socket);
      await lose(socket);
      await comeBack(socket);
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, id);
    }
    await ask(socket, "rooms");
    assert.deepEqual(heard, ["first", "second", "third", "fourth"]);
  });

  test("a client that said goodbye is a new one", async () => {
    const { socket, heard } = await regular("a");
    const { id } = socket;
    socket.disconnect();
    await comeBack(socket);
    assert.equal(socket.recovered, false);
    assert.notEqual(socket.id, id);
    assert.deepEqual(await ask(socket, "rooms"), [socket.id]);
    assert.deepEqual(heard, ["first"]);
  });

  test("a client with the wrong offset is a new one, and what it is from then on can be recovered", async () => {
    const { socket, heard } = await regular("a");
    await lose(socket);
    socket._lastOffset = "forged";
    await comeBack(socket);
    assert.equal(socket.recovered, false);
    const { id } = socket;
    await ask(socket, "join", "b");
    const noticed = next(socket, "notice");
    await emit("b", "second");
    await noticed;
    await lose(socket);
    await emit("b", "third");
    await comeBack(socket);
    assert.equal(socket.recovered, true);
    assert.equal(socket.id, id);
    await ask(socket, "rooms");
    assert.deepEqual(heard, ["first", "second", "third"]);
  });

  // On Node, two sockets have one id from then on.
  if (!ours) return;
  test("a client whose former connection is still there replaces it", async () => {
    const { socket, heard } = await regular("a");
    const other = clients.socket({ reconnection: false });
    other._pid = socket._pid;
    other._lastOffset = socket._lastOffset;
    const { id } = socket;
    const replaced = next(socket, "disconnect");
    await comeBack(other);
    const [reason] = await replaced;
    assert.equal(reason, "transport close");
    assert.equal(other.recovered, true);
    assert.equal(other.id, id);
    assert.deepEqual(await ask(other, "rooms"), [id, "a"].sort());
    assert.deepEqual(heard, ["first"]);
  });
}
