// The server of tests/src/bin/cluster-server.rs with Node's Socket.IO and its adapter for Redis streams, to have the same run beside
// ours: node cluster-server.mjs streams redis://127.0.0.1:6379 PORT

import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [url, port] = process.argv.slice(3);
const client = createClient({ url });
await client.connect();
const http = createServer();
const io = new Server(http, {
  // What the stream keeps is the same as with ours.
  adapter: createAdapter(client, { maxLen: 100_000 }),
  connectionStateRecovery: { maxDisconnectionDuration: 120_000 },
});
io.of("/control").on("connection", (socket) => {
  socket.on("publish", ({ publisher, room, first, count }, ack) => {
    const target = room ? io.to(room) : io;
    for (let number = first; number < first + count; number++) target.emit("tick", publisher, room, number);
    // Nobody tells whether Redis has them.
    ack(null);
  });
});
http.listen(Number(port), "127.0.0.1");
