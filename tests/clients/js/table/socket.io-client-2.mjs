// npm socket.io-client 2: Engine.IO 3 and Socket.IO 4, which have no `auth` and no timeouts.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import io from "socket.io-client-2";
import { run } from "./program.mjs";
import { Client, rows } from "./socket.io.mjs";

const client = new Client({
  io,
  credentials: (token) => ({ query: { token } }),
  ask: (socket, event, ...args) => new Promise((answer) => socket.emit(event, ...args, answer)),
  // Its protocol has room for the message or for the data. Servers send the data where there is some.
  refusal: "error",
  refused: (data) => assert.deepEqual(data, { code: 401 }),
});

const { version } = createRequire(import.meta.url)("socket.io-client-2/package.json");
await run("socket.io-client 2", version, rows(client), () => client.close());
