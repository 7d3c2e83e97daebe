// Commands over stdin and stdout, a JSON object a line:
//
//   {"id": 1, "do": "open", "adapter": "classic", "redis": 6379, "prefix": "x"}   ->   {"id": 1, "ok": {"server": 0, "port": 41234}}
//
// What fails is answered with {"id": 1, "error": "..."}. Byte strings travel as {"$bin": "<base64>"}. The Rust side is
// tests/src/peer.rs.

import { createInterface } from "node:readline";

function withBinary(value) {
  if (Array.isArray(value)) return value.map(withBinary);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$bin === "string") return Buffer.from(value.$bin, "base64");
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withBinary(inner)]));
}

function withoutBinary(value) {
  if (Buffer.isBuffer(value) || value instanceof Uint8Array) return { $bin: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(withoutBinary);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutBinary(inner)]));
}

// The tests break the network on purpose, and the adapters leave some of what comes of it to nobody. What a command fails with is
// answered; the rest is seen in what the servers do.
process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

export function serveCommands(commands) {
  createInterface({ input: process.stdin })
    .on("line", async (line) => {
      const { id, do: name, ...parameters } = JSON.parse(line);
      try {
        say({ id, ok: withoutBinary((await commands[name](withBinary(parameters))) ?? null) });
      } catch (error) {
        say({ id, error: error.stack });
      }
    })
    // Whoever started this is gone.
    .on("close", () => process.exit());
}
