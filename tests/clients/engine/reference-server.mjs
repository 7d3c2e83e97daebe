// The app of ../../suites/engine.rs on Node's own Engine.IO. The suite runs against it to prove that it describes Engine.IO.

import { createServer } from "node:http";
import { Server } from "engine.io";

export async function startReferenceServer() {
  const http = createServer();
  const engine = new Server({
    pingInterval: 100,
    allowRequest: (request, decide) => {
      const refused = new URL(request.url, "http://x").searchParams.has("refuse");
      decide(refused ? "not you" : null, !refused);
    },
  });
  engine.attach(http);
  engine.on("connection", (socket) => {
    socket.on("message", (message) => {
      if (message === "close") socket.close();
      else if (message === "transport") socket.send(socket.transport.name);
      else socket.send(message);
    });
  });
  await new Promise((listening) => http.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    close: () => {
      engine.close();
      http.close();
      http.closeAllConnections();
    },
  };
}
