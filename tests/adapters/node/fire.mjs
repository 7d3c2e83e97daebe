// Recovery under fire: stock clients on a few servers that publish at a rate, while clients lose their connection and come back to
// another server, and harm is done to servers. Prints one JSON object with what became of the events:
//
//   node fire.mjs '{"server": ["target/debug/cluster-server", "streams", "redis://127.0.0.1:6379"], "ports": [3001, 3002], "rate": 200, "seconds": 10}'
//
// A client that is recovered may have missed nothing and got nothing twice. One that is new was told so; what was published between is
// not counted as lost.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";

const { server, ports, rate, seconds, clients: clientCount = 40, dropEvery = 250, harms = [{ kind: "kill" }], harmEvery = 3000, clock, seed = 1 } = JSON.parse(process.argv[2]);

const total = { events: 0, deliveries: 0, refused: 0, lost: 0, doubled: 0, again: 0, misordered: 0, returns: 0, recovered: 0, fresh: 0, unseen: 0, harms: 0, drops: 0 };
const details = [];
const complain = (what) => details.length < 20 && details.push(what);

/** The same numbers for the same seed. */
let state = seed;
function random(below) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

// --- servers, each with one publisher for each of its lives

const servers = ports.map((port, index) => ({ port, index, lives: 0, up: false }));
/** What was asked for of each publisher, what its server has confirmed: numbers from 0 up to here, and what it could not pass on, and said so. */
const published = new Map();

/** Where it is written how wrong the clock of each server is; `clock` is the library that has it believe that. */
const folder = mkdtempSync(path(tmpdir(), "fire-"));
process.on("exit", () => rmSync(folder, { recursive: true }));

function environment({ index }) {
  if (!clock) return process.env;
  return {
    ...process.env, LD_PRELOAD: clock, FAKETIME_TIMESTAMP_FILE: path(folder, String(index)), FAKETIME_DONT_FAKE_MONOTONIC: "1",
    FAKETIME_CACHE_DURATION: "1",
  };
}

async function start(member) {
  const [program, ...args] = server;
  member.process = spawn(program, [...args, String(member.port)], { stdio: ["ignore", "inherit", "inherit"], env: environment(member) });
  await new Promise((resolve, reject) => {
    member.process.once("error", reject);
    const attempt = () => {
      if (member.process.exitCode !== null) return reject(new Error(`a server ended with ${member.process.exitCode}`));
      const probe = connect(member.port, "127.0.0.1", () => (probe.destroy(), resolve()));
      probe.on("error", () => setTimeout(attempt, 20));
    };
    attempt();
  });
  member.publisher = `${member.index}.${member.lives++}`;
  published.set(member.publisher, { asked: 0, confirmed: 0, refused: new Set(), alive: true });
  member.control = io(`http://127.0.0.1:${member.port}/control`, { transports: ["websocket"], reconnection: false, forceNew: true });
  await new Promise((resolve, reject) => member.control.once("connect", resolve).once("connect_error", reject));
  member.up = true;
}

async function end(member, signal) {
  member.up = false;
  published.get(member.publisher).alive = false;
  const gone = new Promise((resolve) => member.process.once("exit", resolve));
  member.process.kill(signal);
  await gone;
  member.control.close();
}

/** What can be done to a server. It is there again when the promise is fulfilled. `number` counts what was done before. */
const kinds = {
  async kill(member) {
    await end(member, "SIGKILL");
    await sleep(500);
    await start(member);
  },
  async stop(member, { millis }) {
    member.up = false;
    member.process.kill("SIGSTOP");
    await sleep(millis);
    member.process.kill("SIGCONT");
    member.up = true;
  },
  async replace(member) {
    await end(member, "SIGTERM");
    await start(member);
  },
  async clock({ index }, _, number) {
    writeFileSync(path(folder, String(index)), number % 2 ? "-3600\n" : "+3600\n");
  },
};

function publish(member, count) {
  const { publisher } = member;
  const of = published.get(publisher);
  const first = of.asked;
  of.asked += count;
  total.events += count;
  return new Promise((resolve) => {
    member.control.once("disconnect", resolve);
    member.control.emit("publish", { publisher, room: "", first, count }, (confirmed) => {
      member.control.off("disconnect", resolve);
      if (confirmed && of.confirmed === first) of.confirmed = first + count;
      if (confirmed === false) for (let number = first; number < first + count; number++) of.refused.add(number);
      resolve();
    });
  });
}

// --- clients

const alive = () => servers.filter(({ up }) => up);

function join(index) {
  const home = servers[index % servers.length];
  const socket = io(`http://127.0.0.1:${home.port}`, {
    transports: ["websocket"], forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 300, timeout: 5000,
  });
  // Of each publisher: what must come next, and where nothing has come yet, what had been asked for when the client was let in; what
  // came since, and before it was a new client; and what did not come.
  const client = { index, socket, id: undefined, heard: false, next: new Map(), marks: new Map(), got: new Map(), before: new Map(), missing: new Map() };
  socket.io.on("reconnect_attempt", () => {
    const there = alive();
    if (there.length) socket.io.uri = `http://127.0.0.1:${there[random(there.length)].port}`;
  });
  socket.on("connect", () => {
    if (client.id !== undefined) {
      if (!client.heard) total.unseen++;
      else {
        total.returns++;
        if (socket.recovered) total.recovered++;
        else total.fresh++;
      }
    }
    if (!socket.recovered) session(client);
  });
  socket.on("tick", (publisher, _room, number) => {
    if (client.id !== socket.id) session(client);
    client.heard = true;
    total.deliveries++;
    const got = client.got.get(publisher) ?? 0;
    if (number < got) {
      const late = client.missing.get(publisher)?.delete(number);
      total[late ? "misordered" : "doubled"]++;
      complain(`client ${index}: ${publisher} ${number} after ${got - 1}`);
      return;
    }
    // The first of a session may be any up to what was asked for when it began.
    // The server of a new client may be behind the one that it had before.
    if (number < (client.before.get(publisher) ?? 0)) total.again++;
    const expected = client.next.get(publisher) ?? Math.min(client.marks.get(publisher) ?? 0, number);
    if (number > expected) lose(client, publisher, expected, number);
    client.next.set(publisher, number + 1);
    client.got.set(publisher, number + 1);
  });
  return client;
}

/** A client that is new was told so: what it has not got until now is not lost. */
function session(client) {
  if (client.id === client.socket.id) return;
  client.id = client.socket.id;
  client.heard = false;
  client.marks = new Map([...published].map(([publisher, { asked }]) => [publisher, asked]));
  client.next = new Map();
  for (const [publisher, next] of client.got) client.before.set(publisher, Math.max(next, client.before.get(publisher) ?? 0));
  client.got = new Map();
}

function lose(client, publisher, from, to) {
  if (!client.missing.has(publisher)) client.missing.set(publisher, new Set());
  for (let number = from; number < to; number++) client.missing.get(publisher).add(number);
  complain(`client ${client.index}, ${client.socket.recovered ? "recovered" : "new"}: ${publisher} ${from}..${to} missing`);
}

/** Breaks the connection as a network does, or as a client that goes away. */
function drop({ socket }) {
  if (!socket.connected) return;
  total.drops++;
  if (random(2)) socket.io.engine.transport.ws?.terminate?.();
  else socket.io.engine.close();
}

// --- the run

setTimeout(() => {
  console.error("the run does not end", total);
  process.exit(1);
}, (seconds + 60) * 1000).unref();
process.on("exit", () => servers.forEach(({ process }) => process?.kill("SIGKILL")));
await Promise.all(servers.map(start));
const clients = Array.from({ length: clientCount }, (_, index) => join(index));
while (!clients.every(({ socket }) => socket.connected)) await sleep(10);

const begun = Date.now();
const over = () => Date.now() - begun >= seconds * 1000;
/** Each server that is up takes its share of the rate, in batches, and not more than it can. */
async function publisher(member) {
  let due = 0;
  let last = Date.now();
  while (!over()) {
    await sleep(10);
    const now = Date.now();
    due = Math.min(due + ((now - last) * rate) / 1000 / servers.length, rate);
    last = now;
    const count = Math.floor(due);
    if (!member.up || count < 1) continue;
    due -= count;
    await publish(member, count);
  }
}
async function dropping() {
  while (!over()) {
    await sleep(dropEvery);
    drop(clients[random(clients.length)]);
  }
}
async function harming() {
  for (let number = 0; ; number++) {
    await sleep(harmEvery);
    if (over() || !harms.length) return;
    const harm = harms[number % harms.length];
    const victim = harm.kind === "replace" ? number : random(servers.length);
    await kinds[harm.kind](servers[victim % servers.length], harm, number);
    total.harms++;
  }
}
await Promise.all([...servers.map(publisher), dropping(), harming()]);
const lasted = (Date.now() - begun) / 1000;

// What is the last of each publisher: of those whose server was killed, what any client has got, and what was confirmed.
const ends = new Map();
const whole = () => {
  for (const [publisher, { asked, confirmed, alive }] of published) {
    const got = Math.max(0, ...clients.map(({ got }) => got.get(publisher) ?? 0));
    ends.set(publisher, alive ? asked : Math.max(got, confirmed));
  }
  return clients.every(
    ({ socket, next, marks }) =>
      socket.connected && [...ends].every(([publisher, end]) => (next.get(publisher) ?? Math.min(marks.get(publisher) ?? 0, end)) >= end),
  );
};
// Until all is there, or nothing has come for 5 s.
let quiet = Date.now();
let before = -1;
while (!whole() && Date.now() - quiet < 5000) {
  if (total.deliveries !== before) [before, quiet] = [total.deliveries, Date.now()];
  await sleep(50);
}
for (const client of clients) {
  // One that is not back yet knows that it misses something; `connected` tells of it.
  if (client.socket.connected) for (const [publisher, end] of ends) {
    const next = client.next.get(publisher) ?? Math.min(client.marks.get(publisher) ?? 0, end);
    if (next < end) lose(client, publisher, next, end);
  }
  // What was refused is not lost silently, whoever has got it all the same.
  for (const [publisher, numbers] of client.missing) {
    const { refused } = published.get(publisher);
    for (const number of numbers) if (!refused.has(number)) total.lost++;
  }
}
const connected = clients.filter(({ socket }) => socket.connected).length;
for (const { refused } of published.values()) total.refused += refused.size;
console.log(JSON.stringify({ ...total, connected, seconds: lasted, rate: Math.round(total.events / lasted), details }));
process.exit();
