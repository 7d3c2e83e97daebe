// What was there before: servers of Socket.IO 2 with socket.io-redis 5, their clients, and socket.io-emitter 3, which write msgpack as
// notepack 2 does. Driven by commands (see ../node/commands.mjs).

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { serveCommands } from "../node/commands.mjs";

const require = createRequire(import.meta.url);
const createAdapter = require("socket.io-redis");
const createClient = require("socket.io-client");
const Emitter = require("socket.io-emitter");
const Server = require("socket.io");

const servers = [];
const clients = [];

serveCommands({
  async open({ redis, prefix }) {
    const http = createServer();
    const io = new Server(http);
    const adapter = createAdapter({ host: "127.0.0.1", port: redis, key: prefix });
    io.adapter(adapter);
    io.on("connection", (socket) => socket.on("join", (room, ack) => socket.join(room, () => ack())));
    await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
    servers.push({ io, port: http.address().port });
    return servers.length - 1;
  },

  /** A client of that server, in a room. */
  async visit({ server, room }) {
    const socket = createClient(`http://127.0.0.1:${servers[server].port}`, { forceNew: true, transports: ["websocket"] });
    const heard = [];
    socket.on("said", (...args) => heard.push(args));
    await new Promise((joined) => socket.on("connect", () => socket.emit("join", room, joined)));
    clients.push({ socket, heard });
    return clients.length - 1;
  },

  /** What a client has heard until now. */
  heard: ({ client }) => clients[client].heard,

  emit: ({ server, room }) => void servers[server].io.to(room).emit(...event()),

  emitWithEmitter: ({ redis, prefix, room }) =>
    void new Emitter({ host: "127.0.0.1", port: redis, key: prefix }).to(room).emit(...event()),
});

/** An event with all that notepack 2 writes in a way of its own. */
function event() {
  return ["said", { when: new Date(0), nothing: undefined, list: [undefined, 1.5, -7, "text"] }, Buffer.from([1, 2, 3])];
}
