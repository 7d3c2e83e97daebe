// The rows that both npm socket.io-clients have.

import assert from "node:assert/strict";
import { collect, next } from "../harness.mjs";
import { breakable, request, url } from "./program.mjs";

/** One of the clients, with what is spelled differently in each. */
export class Client {
  #dialect;
  #sockets = [];

  constructor(dialect) {
    this.#dialect = dialect;
  }

  /** A socket that has not been connected yet. */
  socket({ at = url, token = "secret", ...options } = {}) {
    const { io, credentials } = this.#dialect;
    const socket = io(at, { ...credentials(token), autoConnect: false, forceNew: true, reconnectionDelay: 10, ...options });
    this.#sockets.push(socket);
    return socket;
  }

  async connect(options) {
    return this.connected(this.socket(options));
  }

  /** The same socket, when it has connected. */
  async connected(socket) {
    const connected = next(socket, "connect");
    socket.connect();
    await connected;
    return socket;
  }

  /**
   * A socket that has changed to WebSocket. In the middle of the change this client may pause polling for a WebSocket that is
   * already gone, and then only its heartbeat tells it that the connection is lost (against any server).
   */
  async connectAndUpgrade(options) {
    const socket = await this.connect(options);
    const { engine } = socket.io;
    if (engine.transport.name !== "websocket") await next(engine, "upgrade");
    return socket;
  }

  ask(socket, event, ...args) {
    return this.#dialect.ask(socket, event, ...args);
  }

  /** Connects where that is refused, and returns what the client is told. */
  async refusal(socket) {
    const refused = next(socket, this.#dialect.refusal);
    socket.connect();
    return (await refused)[0];
  }

  /** Fails unless that is how a wrong token is refused. */
  refused(refusal) {
    this.#dialect.refused(refusal);
  }

  async stillServes(socket) {
    assert.equal(await this.ask(socket, "echo", "still here"), "still here");
  }

  close() {
    for (const socket of this.#sockets.splice(0)) socket.disconnect();
  }
}

const texts = (messages) => messages.map(({ text }) => text);

export function rows(client) {
  /** What these sockets have been told when a shout has reached all of them, which nothing overtakes. */
  const toldUntilNow = async (heard, ...sockets) => {
    const last = sockets.map((socket) => next(socket, "shouted"));
    sockets[0].emit("shout", { text: "end" });
    await Promise.all(last);
    return heard.map((told) => texts(told.splice(0)));
  };

  const over = async (...transports) => {
    const socket = await client.connect({ transports });
    await client.stillServes(socket);
    const heard = next(socket, "mirrored");
    socket.emit("mirror", Buffer.from([1, 2, 3]));
    assert.deepEqual((await heard)[0], Buffer.from([3, 2, 1]));
    assert.equal(socket.io.engine.transport.name, transports.at(-1));
  };

  return {
    async connect() {
      const socket = await client.connect();
      assert.match(socket.id, /^.{16,}$/);
      await client.stillServes(socket);
    },

    async "own id"() {
      const [ann, bob] = [await client.connect(), await client.connect()];
      const heard = next(bob, "shouted");
      ann.emit("shout", { text: "hello" });
      assert.equal((await heard)[0].from, ann.id);
      assert.deepEqual(await client.ask(ann, "rooms"), [ann.id]);
      const told = next(ann, "told");
      bob.emit("tell", { room: ann.id, text: "only you" });
      assert.equal((await told)[0].text, "only you");
    },

    async "auth refused"() {
      const socket = client.socket({ token: "guess" });
      client.refused(await client.refusal(socket));
      assert.equal(socket.connected, false);
      await client.connect();
    },

    async events() {
      const [ann, bob] = [await client.connect(), await client.connect()];
      const heard = [next(ann, "shouted"), next(bob, "shouted")];
      ann.emit("nobody_listens", { a: 1 });
      ann.emit("shout", { text: "hello" });
      for (const [message] of await Promise.all(heard)) assert.equal(message.text, "hello");
    },

    async "ack by server"() {
      const socket = await client.connect();
      const numbers = Array.from({ length: 100 }, (_, n) => n);
      assert.deepEqual(await Promise.all(numbers.map((n) => client.ask(socket, "echo", n))), numbers);
      assert.deepEqual(await client.ask(socket, "strict", { n: 41 }), { ok: true, value: { n: 42 } });
    },

    async "ack by client"() {
      const socket = await client.connect();
      socket.on("question", ({ n }, answer) => answer(n * 2));
      const answered = next(socket, "answered");
      socket.emit("ask_me");
      assert.deepEqual((await answered)[0], { n: 40 });
    },

    async "ack timeout in server"() {
      const socket = await client.connect();
      const asked = next(socket, "silence");
      assert.equal(await client.ask(socket, "ask_in_vain"), "timed out");
      await asked;
      await client.stillServes(socket);
    },

    async binary() {
      const socket = await client.connect();
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
      const heard = next(socket, "mirrored");
      socket.emit("mirror", bytes);
      assert.deepEqual((await heard)[0], Buffer.from(bytes).reverse());
    },

    async "binary nested"() {
      const socket = await client.connect();
      const heard = next(socket, "blob");
      const parts = [Buffer.alloc(0), Buffer.from([1, 2]), Buffer.alloc(50_000, 7)];
      socket.emit("send_binary", { label: "three", parts });
      assert.deepEqual((await heard)[0], { label: "three", parts });
      const answer = await client.ask(socket, "binary", { label: "acked", blob: Buffer.from([1, 2, 3]) });
      assert.deepEqual(answer, { label: "acked", blob: Buffer.from([3, 2, 1]) });
    },

    async namespaces() {
      const main = await client.connect();
      const side = await client.connected(main.io.socket("/side"));
      const heard = { main: collect(main, "shouted"), side: collect(side, "shouted") };
      main.emit("shout", { text: "in main" });
      side.emit("shout", { text: "beside" });
      await client.stillServes(main);
      await client.stillServes(side);
      assert.deepEqual(texts(heard.main), ["in main"]);
      assert.deepEqual(texts(heard.side), ["beside"]);

      const { message } = await client.refusal(main.io.socket("/nowhere"));
      assert.equal(message, "Invalid namespace");
      side.disconnect();
      await client.stillServes(main);
    },

    async rooms() {
      const sockets = [await client.connect(), await client.connect(), await client.connect()];
      const [ann, bob, eve] = sockets;
      for (const socket of sockets) assert.equal(await client.ask(socket, "join", "blue"), true);
      assert.equal(await client.ask(eve, "join", "red"), true);
      const joined = new Set(await client.ask(eve, "rooms"));
      assert.ok(joined.size === 3 && joined.has("blue") && joined.has("red"), [...joined].join());
      const heard = sockets.map((socket) => collect(socket, "told"));

      ann.emit("tell", { room: "blue", text: "to" });
      ann.emit("tell_except", { room: "blue", except: "red", text: "except" });
      assert.deepEqual(await toldUntilNow(heard, ...sockets), [[], ["to", "except"], ["to"]]);

      assert.equal(await client.ask(bob, "leave", "blue"), true);
      ann.emit("tell", { room: "blue", text: "left" });
      assert.deepEqual(await toldUntilNow(heard, ...sockets), [[], [], ["left"]]);
    },

    async upgrade() {
      const socket = await client.connect({ transports: ["polling", "websocket"] });
      const { engine } = socket.io;
      let changing = engine.transport.name === "polling";
      if (changing) next(engine, "upgrade").then(() => (changing = false));
      let n = 0;
      for (; changing || n < 50; n++) {
        socket.emit("order", n);
        if (n % 3 === 0) await client.stillServes(socket);
      }
      assert.deepEqual(await client.ask(socket, "order_check"), { count: n, in_order: true });
      assert.equal(engine.transport.name, "websocket");
    },

    "polling only": () => over("polling"),

    "websocket only": () => over("websocket"),

    async reconnect() {
      const socket = await client.connectAndUpgrade({ at: breakable });
      const { id } = socket;
      const [gone, back] = [next(socket, "disconnect"), next(socket, "connect")];
      request("cut");
      assert.match((await gone)[0], /^transport (close|error)$/);
      await back;
      assert.notEqual(socket.id, id);
      await client.stillServes(socket);
    },

    async restart() {
      const socket = await client.connectAndUpgrade();
      const { id } = socket;
      const [gone, back] = [next(socket, "disconnect"), next(socket, "connect")];
      request("restart");
      assert.match((await gone)[0], /^transport (close|error)$/);
      await back;
      assert.notEqual(socket.id, id);
      await client.stillServes(socket);
    },

    async "message size"() {
      const [large, other] = [await client.connect({ reconnection: false }), await client.connect()];
      const passes = "x".repeat(900_000);
      assert.equal(await client.ask(large, "echo", passes), passes);
      const gone = next(large, "disconnect");
      large.emit("echo", "x".repeat(1_100_000));
      assert.match((await gone)[0], /^transport (close|error)$/);
      await client.stillServes(other);
    },

    async unicode() {
      const socket = await client.connect();
      for (const text of ["𝄞 👩‍👩‍👧‍👦 𐀀 \u{10ffff}", "e\u0301 n\u0303 한", "a\u2028b\u2029c", "\u0000 \u202e \ufeff \uffff é 漢字"])
        assert.equal(await client.ask(socket, "echo", text), text);
    },

    async "lone surrogates"() {
      const socket = await client.connect();
      for (const text of ["a\ud800b", "\udc00 first", "last \udbff", "\ude00\ud83d swapped", "𝄞\ud834𝄞"])
        assert.equal((await client.ask(socket, "echo", text)).toWellFormed(), text.toWellFormed());
    },
  };
}
