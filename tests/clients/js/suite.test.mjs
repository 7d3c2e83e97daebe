// The official client against a server that serves ../FIXTURE.md.
//
//   node suite.test.mjs http://127.0.0.1:3000      (or ROOMS_URL=... node --test)
//
// Without an address it runs against reference-server.mjs, which proves the suite itself.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ask, Clients, collect, next, PARSERS, TRANSPORTS } from "./harness.mjs";
import { startReferenceServer } from "./reference-server.mjs";

const server = process.argv[2] ?? process.env.ROOMS_URL;

for (const transport of wanted("ROOMS_TRANSPORTS", TRANSPORTS)) {
  for (const parser of wanted("ROOMS_PARSERS", PARSERS)) {
    describe(`over ${transport} in ${parser}`, () => cases({ ...TRANSPORTS[transport], ...PARSERS[parser] }));
  }
}

/** The names that the environment asks for; all, where it does not say. */
function wanted(variable, known) {
  const names = (process.env[variable] ?? Object.keys(known).join(",")).split(",");
  for (const name of names) assert.ok(known[name], `${variable} names "${name}", which is none of ${Object.keys(known)}`);
  return names;
}

function cases(options) {
  const isMsgpack = options.parser !== undefined;
  // Polled msgpack is base64: three bytes are four, which the client's reckoning of what fits into one body is short of.
  const isBase64 = isMsgpack && options.transports.includes("polling");
  let url, reference, clients;
  before(async () => {
    if (!server) reference = await startReferenceServer(isMsgpack ? { parser: options.parser } : {});
    url = server ?? reference.url;
    clients = new Clients(url, options);
  });
  afterEach(() => clients.close());
  after(() => reference?.close());

  /** Fails unless the server still serves that socket. */
  const stillServed = async (socket) => assert.equal(await ask(socket, "echo", "still here"), "still here");

  const emitOverHttp = async (body) => {
    const response = await fetch(new URL("/emit", url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 204);
  };

  describe("connecting", () => {
    test("with the right auth gives an id that is not the session's", async () => {
      const socket = await clients.connect();
      assert.match(socket.id, /^.{16,}$/);
      assert.notEqual(socket.id, socket.io.engine.id);
    });

    for (const [what, auth] of [
      ["a wrong token", { token: "guess" }],
      ["an empty auth", {}],
      ["no auth", undefined],
    ]) {
      test(`with ${what} is refused with a message and data`, async () => {
        const socket = clients.socket();
        socket.auth = auth;
        const refused = next(socket, "connect_error");
        socket.connect();
        const [error] = await refused;
        assert.equal(error.message, "invalid token");
        assert.deepEqual(error.data, { code: 401 });
        assert.equal(socket.active, false, "a refused client does not try again by itself");
      });
    }

    test("is possible after a refusal", async () => {
      const socket = clients.socket({ auth: { token: "guess" } });
      const refused = next(socket, "connect_error");
      socket.connect();
      await refused;
      socket.auth = { token: "secret" };
      const connected = next(socket, "connect");
      socket.connect();
      await connected;
      await stillServed(socket);
    });

    test("to an unknown namespace is refused, and the main one stays", async () => {
      const main = await clients.connect();
      const unknown = main.io.socket("/nowhere", { auth: { token: "secret" } });
      const refused = next(unknown, "connect_error");
      unknown.connect();
      const [error] = await refused;
      assert.equal(error.message, "Invalid namespace");
      await stillServed(main);
    });

    test("leads to the last of the transports, and loses nothing on the way", async () => {
      const socket = await clients.connect();
      const { engine } = socket.io;
      const last = options.transports.at(-1);
      let changing = engine.transport.name !== last;
      if (changing) next(engine, "upgrade").then(() => (changing = false));
      const heard = collect(socket, "shouted");
      let n = 0;
      for (; changing || n < 100; n++) {
        socket.emit("order", n);
        socket.emit("shout", { text: `${n}` });
        if (n % 3 === 0) await ask(socket, "echo", n);
      }
      assert.deepEqual(await ask(socket, "order_check"), { count: n, in_order: true });
      assert.deepEqual(
        heard.map(({ text }) => text),
        Array.from({ length: n }, (_, index) => `${index}`),
      );
      assert.equal(engine.transport.name, last);
    });

    test("leaves other requests alone", async () => {
      assert.equal((await fetch(url)).status, 200);
    });
  });

  describe("events", () => {
    test("reach everybody, the sender included", async () => {
      const [ann, bob] = [await clients.connect(), await clients.connect()];
      const heard = [next(ann, "shouted"), next(bob, "shouted")];
      ann.emit("shout", { text: "hello" });
      for (const [message] of await Promise.all(heard)) assert.deepEqual(message, { text: "hello", from: ann.id });
    });

    test("emitted before the connection stands arrive after it, in order", async () => {
      const socket = clients.socket();
      for (let n = 0; n < 100; n++) socket.emit("order", n);
      socket.connect();
      assert.deepEqual(await ask(socket, "order_check"), { count: 100, in_order: true });
    });

    const count = isBase64 ? 10_000 : 20_000;
    test(`are handled in order, ${count} in one go`, async () => {
      const socket = await clients.connect();
      for (let n = 0; n < count; n++) socket.emit("order", n);
      assert.deepEqual(await ask(socket, "order_check"), { count, in_order: true });
    });

    test("that nobody listens to are ignored", async () => {
      const socket = await clients.connect();
      socket.emit("nobody_listens", { a: 1 });
      await stillServed(socket);
    });

    test("come from a plain HTTP handler, to a room or to everybody", async () => {
      const [inside, outside] = [await clients.connect(), await clients.connect()];
      await ask(inside, "join", "news");
      const notices = { inside: collect(inside, "notice"), outside: collect(outside, "notice") };
      // The last notice is for both, so that its arrival shows what did not come before it.
      const last = [inside, outside].map((socket) => next(socket, "notice", ({ text }) => text === "for all"));
      await emitOverHttp({ room: "news", text: "for the room" });
      await emitOverHttp({ text: "for all" });
      await Promise.all(last);
      assert.deepEqual(notices, {
        inside: [{ text: "for the room" }, { text: "for all" }],
        outside: [{ text: "for all" }],
      });
    });
  });

  describe("acknowledgements", () => {
    const nested = { list: [1, [2, { deep: null }]], text: "x", empty: {} };
    for (const [what, value] of Object.entries({
      null: null,
      true: true,
      zero: 0,
      "a fraction": 0.1 + 0.2,
      "the smallest number": Number.MIN_VALUE,
      "the largest safe integer": Number.MAX_SAFE_INTEGER,
      "an integer beyond it": 12_345_678_901_234_567_000,
      "an integer of 64 bits": -(2 ** 63),
      "an empty string": "",
      "an empty list": [],
      "nested data": nested,
      "every plane of Unicode": "é \u0000 \u2028 \u202e ʼn 漢字 𝄞 👩‍👩‍👧‍👦 \uffff",
      "quotes and backslashes": '"\\"/\b\f\n\r\t',
      "what looks like an attachment": { _placeholder: true, num: 0 },
      "what looks like a packet": '51-/admin,12["x"]',
      // notepack writes integers of more than 64 bits as if they had 64, and reads no such key.
      ...(!isMsgpack && {
        "the largest number": Number.MAX_VALUE,
        "an exponent": 1e21,
        "a key like a prototype's": JSON.parse('{"__proto__":{"a":1},"constructor":2}'),
      }),
    })) {
      test(`bring back ${what}`, async () => {
        assert.deepEqual(await ask(await clients.connect(), "echo", value), value);
      });
    }

    test("bring back a lone surrogate, or its replacement", async () => {
      const socket = await clients.connect();
      const answer = await ask(socket, "echo", "a\ud800b");
      // notepack joins it with whatever follows.
      const possible = isMsgpack ? ["a\ud800\udc62"] : ["a\ud800b", "a\ufffdb"];
      assert.ok(possible.includes(answer), JSON.stringify(answer));
      await stillServed(socket);
    });

    test("answer many questions, each its own", async () => {
      const socket = await clients.connect();
      const numbers = Array.from({ length: 500 }, (_, n) => n);
      assert.deepEqual(await Promise.all(numbers.map((n) => ask(socket, "echo", n))), numbers);
    });

    test("are asked of a client by the server", async () => {
      const socket = await clients.connect();
      socket.on("question", ({ n }, answer) => answer(n * 2));
      const answered = next(socket, "answered");
      socket.emit("ask_me");
      assert.deepEqual(await answered, [{ n: 40 }]);
    });

    test("that never come let the client's timeout fire", async () => {
      const socket = await clients.connect();
      await assert.rejects(socket.timeout(50).emitWithAck("nobody_listens", 1), /operation has timed out/);
      await stillServed(socket);
    });
  });

  describe("payloads that do not decode", () => {
    test("control: one that does is answered", async () => {
      assert.deepEqual(await ask(await clients.connect(), "strict", { n: 41 }), { ok: true, value: { n: 42 } });
    });

    for (const args of [
      [{}],
      [{ n: "1" }],
      [{ n: -1 }],
      [{ n: 1.5 }],
      [{ n: 2 ** 32 }],
      [{ n: null }],
      [[]],
      ["n"],
      [null],
      [],
    ]) {
      test(`get the event's own error: ${JSON.stringify(args)}`, async () => {
        const socket = await clients.connect();
        const { ok, error } = await ask(socket, "strict", ...args);
        assert.equal(ok, false);
        assert.equal(typeof error.message, "string");
        assert.notEqual(error.message, "");
        await stillServed(socket);
      });
    }

    test("of an event without an answer are dropped", async () => {
      const socket = await clients.connect();
      const shouts = collect(socket, "shouted");
      for (const payload of [{}, 42, null, { text: 1 }]) socket.emit("shout", payload);
      await stillServed(socket);
      assert.deepEqual(shouts, []);
    });
  });

  describe("binary", () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));

    test("goes up and comes back inside an object", async () => {
      const answer = await ask(await clients.connect(), "binary", { label: "all bytes", blob: bytes });
      assert.equal(answer.label, "all bytes");
      assert.deepEqual(answer.blob, Buffer.from(bytes).reverse());
    });

    for (const [what, parts] of Object.entries({
      "no part": [],
      "an empty part": [Buffer.alloc(0)],
      "ten parts": Array.from({ length: 10 }, (_, n) => Buffer.alloc(n * 100, n)),
      "a large part": [Buffer.alloc(300_000, 7)],
    })) {
      test(`keeps ${what} in a list`, async () => {
        const socket = await clients.connect();
        const back = next(socket, "blob");
        socket.emit("send_binary", { label: what, parts });
        assert.deepEqual(await back, [{ label: what, parts }]);
      });
    }

    test("keeps its place among other events", async () => {
      const socket = await clients.connect();
      const answers = Array.from({ length: 50 }, (_, n) =>
        n % 2
          ? ask(socket, "echo", n)
          : ask(socket, "binary", { label: "", blob: Buffer.from([n, 1]) }).then(({ blob }) => blob[1]),
      );
      assert.deepEqual(
        await Promise.all(answers),
        Array.from({ length: 50 }, (_, n) => n),
      );
    });
  });

  describe("rooms", () => {
    test("hold the socket's own id, and what it has joined", async () => {
      const socket = await clients.connect();
      assert.deepEqual(await ask(socket, "rooms"), [socket.id]);
      assert.equal(await ask(socket, "join", "日本 room:1"), true);
      assert.equal(await ask(socket, "join", "日本 room:1"), true);
      assert.deepEqual(await ask(socket, "rooms"), [socket.id, "日本 room:1"].sort());
      assert.equal(await ask(socket, "leave", "日本 room:1"), true);
      assert.deepEqual(await ask(socket, "rooms"), [socket.id]);
    });

    test("receive what is told to them, without the sender", async () => {
      const [ann, bob, eve] = [await clients.connect(), await clients.connect(), await clients.connect()];
      for (const socket of [ann, bob]) await ask(socket, "join", "blue");
      const told = { ann: collect(ann, "told"), bob: collect(bob, "told"), eve: collect(eve, "told") };
      const last = [ann, bob, eve].map((socket) => next(socket, "shouted"));
      ann.emit("tell", { room: "blue", text: "psst" });
      ann.emit("shout", { text: "end" });
      await Promise.all(last);
      assert.deepEqual(told, { ann: [], bob: [{ room: "blue", text: "psst" }], eve: [] });
    });

    test("stop receiving after leave", async () => {
      const [ann, bob] = [await clients.connect(), await clients.connect()];
      await ask(bob, "join", "red");
      const told = collect(bob, "told");
      const heard = next(bob, "told");
      ann.emit("tell", { room: "red", text: "before" });
      await heard;
      await ask(bob, "leave", "red");
      const last = next(bob, "shouted");
      ann.emit("tell", { room: "red", text: "after" });
      ann.emit("shout", { text: "end" });
      await last;
      assert.deepEqual(told, [{ room: "red", text: "before" }]);
    });

    test("reach one socket through its own id", async () => {
      const [ann, bob] = [await clients.connect(), await clients.connect()];
      const told = next(bob, "told");
      ann.emit("tell", { room: bob.id, text: "only you" });
      assert.deepEqual(await told, [{ room: bob.id, text: "only you" }]);
    });
  });

  describe("disconnecting", () => {
    test("by the server is not followed by a reconnect", async () => {
      const [socket, other] = [await clients.connect(), await clients.connect()];
      const gone = next(socket, "disconnect");
      socket.emit("kick");
      const [reason] = await gone;
      assert.equal(reason, "io server disconnect");
      assert.equal(socket.active, false);
      await stillServed(other);
    });

    test("by the client takes it out of its rooms", async () => {
      const socket = await clients.connect();
      const oldId = socket.id;
      await ask(socket, "join", "green");
      const gone = next(socket, "disconnect");
      socket.disconnect();
      assert.deepEqual(await gone, ["io client disconnect", undefined]);
      const connected = next(socket, "connect");
      socket.connect();
      await connected;
      assert.notEqual(socket.id, oldId);
      assert.deepEqual(await ask(socket, "rooms"), [socket.id]);
    });

    test("of the transport is followed by a reconnect, and events flow again", async () => {
      const [socket, other] = [await clients.connect(), await clients.connect()];
      const oldId = socket.id;
      const [gone, back] = [next(socket, "disconnect"), next(socket, "connect")];
      socket.io.engine.close();
      await gone;
      // Emitted while there is no connection: kept by the client, and sent on the next one.
      const heard = next(other, "shouted");
      socket.emit("shout", { text: "I am back" });
      await back;
      assert.notEqual(socket.id, oldId);
      assert.deepEqual(await heard, [{ text: "I am back", from: socket.id }]);
    });
  });

  describe("a client that breaks the rules", () => {
    test("loses its connection over a message of 1.1 MB, but not over a shorter one", async () => {
      const [large, other] = [await clients.connect(), await clients.connect()];
      const passes = "x".repeat(isBase64 ? 700_000 : 900_000);
      assert.equal(await ask(large, "echo", passes), passes);
      const gone = next(large, "disconnect");
      large.emit("echo", "x".repeat(1_100_000));
      const [reason, details] = await gone;
      assert.match(reason, /^transport (close|error)$/);
      if (large.io.engine.transport.name === "websocket") assert.equal(details.context.code, 1009);
      await stillServed(other);
    });

    // Written past the client library, which would not let them out.
    for (const packet of [
      ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map(
        (event) => `2["${event}"]`,
      ),
      "2{}",
      '2["a"',
      "9",
      '51-["blob"]',
      '5["blob"]',
      '2/elsewhere,["echo",1]',
    ]) {
      test(`loses its connection over ${packet}, and nobody else does`, async () => {
        const [rude, other] = [await clients.connect({ reconnection: false }), await clients.connect()];
        const gone = next(rude, "disconnect");
        rude.io.engine.write(packet);
        // An event that announces one attachment breaks the rules as soon as a text message comes instead.
        if (packet.startsWith("51")) rude.io.engine.write('2["echo",1]');
        assert.match((await gone)[0], /^transport (close|error)$/);
        await stillServed(other);
      });
    }
    for (const packet of isMsgpack ? notPackets() : []) {
      test(`loses its connection over ${packet.toString("hex")}`, async () => {
        const [rude, other] = [await clients.connect({ reconnection: false }), await clients.connect()];
        const gone = next(rude, "disconnect");
        rude.io.engine.write(packet);
        assert.match((await gone)[0], /^transport (close|error)$/);
        await stillServed(other);
      });
    }
  });
}

/** Messages that are no packets in msgpack. */
function notPackets() {
  const encoder = new PARSERS.msgpack.parser.Encoder();
  return [
    Buffer.from([0xc1]),
    Buffer.from([0x93, 1, 2]),
    ...[
      {},
      "0",
      { type: 5, nsp: "/", data: ["blob"] },
      { type: 4, nsp: "/", data: { message: "x" } },
      { type: "2", nsp: "/", data: ["echo", 1] },
      { type: 2, nsp: 1, data: ["echo", 1] },
      { type: 2, nsp: "/elsewhere", data: ["echo", 1] },
      { type: 2, nsp: "/", data: { 0: "echo" } },
      { type: 2, nsp: "/" },
      { type: 2, nsp: "/", data: ["echo", 1], id: "1" },
      { type: 3, nsp: "/", data: "x", id: 0 },
      { type: 1, nsp: "/", data: [] },
    ].flatMap((packet) => encoder.encode(packet)),
  ];
}

// Node serves one format of packets.
if (server) {
  describe("clients of either format in one room", () => {
    const inJson = new Clients(server, TRANSPORTS.websocket);
    const inMsgpack = new Clients(server, { ...TRANSPORTS.websocket, ...PARSERS.msgpack });
    const polling = new Clients(server, { ...TRANSPORTS.polling, ...PARSERS.msgpack });
    afterEach(() => [inJson, inMsgpack, polling].forEach((clients) => clients.close()));

    test("hear the same from each other, in the same order", async () => {
      const sockets = [];
      for (const clients of [inJson, inMsgpack, polling, inMsgpack, inJson]) sockets.push(await clients.connect());
      await Promise.all(sockets.map((socket) => ask(socket, "join", "both")));
      const told = sockets.map((socket) => collect(socket, "told"));
      const shouted = sockets.map((socket) => collect(socket, "shouted"));
      const last = sockets.map((socket) => next(socket, "shouted", ({ text }) => text === "end"));
      const [ann, bob] = sockets;
      for (let n = 0; n < 20; n++) {
        for (const socket of [ann, bob]) {
          socket.emit("tell", { room: "both", text: `${n}` });
          await ask(socket, "echo", n);
        }
      }
      bob.emit("shout", { text: "end" });
      await Promise.all(last);
      const numbers = (times) => Array.from({ length: 20 * times }, (_, n) => ({ room: "both", text: `${Math.floor(n / times)}` }));
      assert.deepEqual(told, [numbers(1), numbers(1), numbers(2), numbers(2), numbers(2)]);
      assert.deepEqual(shouted, Array(5).fill([{ text: "end", from: bob.id }]));
    });
  });
}
