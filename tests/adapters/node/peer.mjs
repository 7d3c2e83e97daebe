// Servers of Node's Socket.IO, as members of a cluster with ours, driven by commands (see commands.mjs). The events that the servers
// answer are those of tests/suites/adapters/app.rs.

import { createServer } from "node:http";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { Emitter } from "@socket.io/redis-emitter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { createClient, createCluster } from "redis";
import { Server } from "socket.io";
import { serveCommands } from "./commands.mjs";

const servers = [];
const emitters = [];

const commands = {
  /** Starts a server. `redis` is the port of one, or the ports of a cluster. With `recovery` its clients may come back. */
  async open({ adapter, redis, prefix, options = {}, recovery = false }) {
    const clients = [];
    const connect = async () => {
      const client = Array.isArray(redis)
        ? createCluster({ rootNodes: redis.map((port) => ({ url: `redis://127.0.0.1:${port}` })) })
        : createClient({ url: `redis://127.0.0.1:${redis}` });
      // The client says this and connects again. What matters is what the test sees of it.
      client.on("error", () => {});
      await client.connect();
      clients.push(client);
      return client;
    };
    const make = {
      classic: async () => createAdapter(await connect(), await connect(), { key: prefix, ...options }),
      sharded: async () => createShardedAdapter(await connect(), await connect(), { channelPrefix: prefix, ...options }),
      streams: async () =>
        createStreamsAdapter(await connect(), { streamName: prefix, channelPrefix: prefix, blockTimeInMs: 200, ...options }),
    }[adapter];
    const http = createServer();
    const io = new Server(http, { adapter: await make(), ...(recovery && { connectionStateRecovery: {} }) });
    const heard = [];
    const settled = async () => {
      // Subscriptions are sent and not waited for; what is sent behind them is answered behind them.
      if (adapter === "sharded" && !Array.isArray(redis)) await clients[1].ping();
    };
    for (const namespace of [io.of("/"), io.of(/^\/space-\d+$/)]) {
      namespace.on("connection", (socket) => serve(socket, settled));
      namespace.on("question", (...args) => {
        const answer = typeof args.at(-1) === "function" ? args.pop() : () => {};
        heard.push(args);
        answer("from node");
      });
    }
    await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
    await settled();
    servers.push({ io, heard, clients });
    return { server: servers.length - 1, port: http.address().port };
  },

  emit({ server, namespace, to, event, volatile }) {
    let target = select(servers[server].io.of(namespace), to);
    if (volatile) target = target.volatile;
    target.emit(...event);
  },

  /** The acknowledgements of the selected sockets, and whether they are all. */
  async ask({ server, namespace, to, event, timeout }) {
    try {
      const answers = await select(servers[server].io.of(namespace), to).timeout(timeout).emitWithAck(...event);
      return { answers, complete: true };
    } catch (error) {
      return { answers: error.responses ?? [], complete: false };
    }
  },

  async fetch({ server, namespace, to }) {
    const sockets = await select(servers[server].io.of(namespace), to).fetchSockets();
    return sockets.map(({ id, rooms, data, handshake }) => ({ id, rooms: [...rooms], data, handshake }));
  },

  command({ server, namespace, to, command, rooms, close }) {
    const target = select(servers[server].io.of(namespace), to);
    if (command === "join") target.socketsJoin(rooms);
    else if (command === "leave") target.socketsLeave(rooms);
    else target.disconnectSockets(close);
  },

  /** Tells the other servers of an event. */
  tell({ server, namespace, event }) {
    servers[server].io.of(namespace).serverSideEmit(...event);
  },

  async tellWithAck({ server, namespace, event }) {
    try {
      return { answers: await servers[server].io.of(namespace).serverSideEmitWithAck(...event), complete: true };
    } catch (error) {
      return { answers: error.responses ?? [], complete: false };
    }
  },

  /** The events of other servers that this one was told, until now. */
  heard({ server }) {
    return servers[server].heard;
  },

  async close({ server }) {
    const { io, clients } = servers[server];
    await io.close();
    for (const client of clients) client.destroy();
  },

  /** Makes an emitter without a server. */
  async emitter({ redis, prefix }) {
    const client = createClient({ url: `redis://127.0.0.1:${redis}` });
    client.on("error", () => {});
    await client.connect();
    emitters.push(new Emitter(client, { key: prefix }));
    return { emitter: emitters.length - 1 };
  },

  emitterEmit({ emitter, namespace, to, event }) {
    select(emitters[emitter].of(namespace), to).emit(...event);
  },

  emitterCommand({ emitter, namespace, to, command, rooms, close }) {
    const target = select(emitters[emitter].of(namespace), to);
    if (command === "join") target.socketsJoin(rooms);
    else if (command === "leave") target.socketsLeave(rooms);
    else target.disconnectSockets(close);
  },

  emitterTell({ emitter, namespace, event }) {
    emitters[emitter].of(namespace).serverSideEmit(...event);
  },
};

/** The events that clients may send. */
function serve(socket, settled) {
  socket.on("join", async (room, ack) => {
    await socket.join(room);
    await settled();
    ack(true);
  });
  socket.on("leave", async (room, ack) => {
    await socket.leave(room);
    await settled();
    ack(true);
  });
  socket.on("tell", ({ rooms, except }, value, ack) => {
    let target = socket.broadcast;
    if (rooms) target = target.to(rooms);
    target.except(except).emit("said", value);
    ack(true);
  });
}

function select(target, { rooms, except }) {
  if (rooms) target = target.to(rooms);
  // Not called for nothing: it makes a broadcast of a server's own methods.
  return except.length ? target.except(except) : target;
}

serveCommands(commands);
