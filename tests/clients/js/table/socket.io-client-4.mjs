// npm socket.io-client 4.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { io } from "socket.io-client";
import { next } from "../harness.mjs";
import { breakable, request, run } from "./program.mjs";
import { Client, rows } from "./socket.io.mjs";

const client = new Client({
  io,
  credentials: (token) => ({ auth: { token } }),
  ask: (socket, event, ...args) => socket.emitWithAck(event, ...args),
  refusal: "connect_error",
  refused: (error) => assert.deepEqual([error.message, error.data], ["invalid token", { code: 401 }]),
});

const { version } = createRequire(import.meta.url)("socket.io-client/package.json");
await run(
  "socket.io-client 4",
  version,
  {
    ...rows(client),

    async "ack timeout in client"() {
      const socket = await client.connect();
      await assert.rejects(socket.timeout(50).emitWithAck("nobody_listens", 1), /operation has timed out/);
      await client.stillServes(socket);
    },

    async recovery() {
      // It comes back when it is told to, so that what it misses is missed.
      const socket = await client.connectAndUpgrade({ at: breakable, reconnection: false });
      const other = await client.connect();
      const { id } = socket;
      await client.ask(socket, "join", "recovery");
      const heard = next(socket, "told");
      other.emit("tell", { room: "recovery", text: "seen" });
      await heard;

      const gone = next(socket, "disconnect");
      request("cut");
      await gone;
      other.emit("tell", { room: "recovery", text: "missed" });
      await client.stillServes(other);

      const [back, missed] = [next(socket, "connect"), next(socket, "told")];
      socket.connect();
      await back;
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, id);
      assert.equal((await missed)[0].text, "missed");
      assert.deepEqual(await client.ask(socket, "rooms"), [id, "recovery"].sort());
    },
  },
  () => client.close(),
);
