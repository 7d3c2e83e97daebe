// ../FIXTURE.md on Node's own Socket.IO. The suite runs against it to prove that it describes Socket.IO.
//
//   node reference-server.mjs [port] [recovery]

import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Server } from "socket.io";

/** Node serves one format of packets alone, so it takes a server for each parser. */
export async function startReferenceServer({ port = 0, ...options } = {}) {
  const http = createServer();
  const io = new Server(http, { allowEIO3: true, ...options });

  http.on("request", async (request, response) => {
    if (request.url.startsWith("/socket.io/")) return;
    if (request.method === "POST" && request.url === "/emit") {
      const { room, text } = await json(request);
      (room === undefined ? io : io.to(room)).emit("notice", { text });
      response.writeHead(204).end();
    } else {
      response.writeHead(200, { "content-type": "text/plain" }).end("the fixture app\n");
    }
  });

  io.use((socket, next) => {
    if ((socket.handshake.auth.token ?? socket.handshake.query.token) === "secret") return next();
    next(Object.assign(new Error("invalid token"), { data: { code: 401 } }));
  });
  io.on("connection", (socket) => {
    socket.data.order = [];
    listen(socket, events(io));
  });
  io.of("/side").on("connection", (socket) => {
    const { echo, shout } = events(socket.nsp);
    listen(socket, { echo, shout });
  });

  await new Promise((listening) => http.listen(port, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${http.address().port}`, close: () => io.close() };
}

function listen(socket, events) {
  for (const [event, { accepts, handle }] of Object.entries(events)) {
    socket.on(event, (...args) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
      if (accepts(...args)) handle(socket, ack, ...args);
      else if (event === "strict") ack({ ok: false, error: { message: "n is not an unsigned integer of 32 bits" } });
    });
  }
}

const isText = (value) => typeof value === "string";
const nothing = () => true;

function events(io) {
  return {
    echo: {
      accepts: (...args) => args.length === 1,
      handle: (_socket, ack, value) => ack(value),
    },
    strict: {
      accepts: (value) => Number.isInteger(value?.n) && value.n >= 0 && value.n < 2 ** 32,
      handle: (_socket, ack, { n }) => ack({ ok: true, value: { n: n + 1 } }),
    },
    shout: {
      accepts: (value) => isText(value?.text),
      handle: (socket, _ack, { text }) => io.emit("shouted", { text, from: socket.id }),
    },
    join: {
      accepts: isText,
      handle: (socket, ack, room) => (socket.join(room), ack(true)),
    },
    leave: {
      accepts: isText,
      handle: (socket, ack, room) => (socket.leave(room), ack(true)),
    },
    rooms: {
      accepts: nothing,
      handle: (socket, ack) => ack([...socket.rooms].sort()),
    },
    tell: {
      accepts: (value) => isText(value?.room) && isText(value.text),
      handle: (socket, _ack, { room, text }) => socket.to(room).emit("told", { room, text }),
    },
    tell_except: {
      accepts: (value) => isText(value?.room) && isText(value.except) && isText(value.text),
      handle: (socket, _ack, { room, except, text }) => socket.to(room).except(except).emit("told", { room, text }),
    },
    ask_me: {
      accepts: nothing,
      handle: async (socket) => socket.emit("answered", { n: await socket.emitWithAck("question", { n: 20 }) }),
    },
    ask_in_vain: {
      accepts: nothing,
      handle: (socket, ack) => socket.timeout(100).emit("silence", (late) => ack(late ? "timed out" : "answered")),
    },
    binary: {
      accepts: (value) => isText(value?.label) && Buffer.isBuffer(value.blob),
      handle: (_socket, ack, { label, blob }) => ack({ label, blob: Buffer.from(blob).reverse() }),
    },
    send_binary: {
      accepts: (value) => isText(value?.label) && Array.isArray(value.parts) && value.parts.every(Buffer.isBuffer),
      handle: (socket, _ack, { label, parts }) => socket.emit("blob", { label, parts }),
    },
    mirror: {
      accepts: Buffer.isBuffer,
      handle: (socket, _ack, blob) => socket.emit("mirrored", Buffer.from(blob).reverse()),
    },
    order: {
      accepts: Number.isInteger,
      handle: (socket, _ack, n) => socket.data.order.push(n),
    },
    order_check: {
      accepts: nothing,
      handle: ({ data: { order } }, ack) =>
        ack({ count: order.length, in_order: order.every((n, index) => n === index) }),
    },
    kick: {
      accepts: nothing,
      handle: (socket) => socket.disconnect(),
    },
  };
}

async function json(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port, recovery] = process.argv.slice(2);
  // Not for every client: it adds an argument to each event, which those that know nothing of recovery hand on.
  const options = recovery === "recovery" ? { connectionStateRecovery: {} } : {};
  const { url, close } = await startReferenceServer({ port: Number(port ?? 0), ...options });
  console.log(`listening on ${url}`);
  const stop = () => {
    close();
    // A client that does not close its side would be waited for half a minute.
    setTimeout(() => process.exit(), 1000).unref();
  };
  process.stdin.on("end", stop).resume();
}
