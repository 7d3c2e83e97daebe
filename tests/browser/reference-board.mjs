// The board's server on Node's own Socket.IO: examples/board/page/API.md, word for word. The browser suite runs against
// it to show that the page and the tests ask for Socket.IO as it is, not for what our server happens to do.
//
//   node reference-board.mjs [port]       prints the address

import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Server } from "socket.io";

const COLUMNS = ["todo", "doing", "done"];
const PALETTE = ["#b4533c", "#2f6f9f", "#3f7d4e", "#8a5a9e", "#a0662b", "#b0476f", "#4a6fb5", "#2e7d7a"];
const PAGE = fileURLToPath(new URL("../../examples/board/page/", import.meta.url));
const FILES = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/board.js": ["board.js", "text/javascript; charset=utf-8"],
  "/board.css": ["board.css", "text/css; charset=utf-8"],
};

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function startReferenceBoard(port = 0) {
  const built = spawnSync(process.execPath, ["build.mjs"], { cwd: PAGE, stdio: ["ignore", "inherit", "inherit"] });
  if (built.status !== 0) throw new Error("the page does not build");

  const http = createServer();
  const io = new Server(http);
  const board = new Board((project, news) => io.to(`project:${project}`).emit("project_updated", news));
  for (const [title, column] of [
    ["Draw the plan", "done"],
    ["Lay the cables", "doing"],
    ["Choose the paint", "todo"],
    ["Hang the lamps", "todo"],
  ]) {
    board.create(1, title, column);
  }

  http.on("request", (request, response) => {
    if (request.url.startsWith("/socket.io/")) return;
    answer(board, request).then(
      ([status, body, type = "application/json"]) => {
        response.writeHead(status, body === undefined ? {} : { "content-type": type }).end(body);
      },
      (error) => {
        const body = JSON.stringify({ error: { message: error.message } });
        response.writeHead(error.status ?? 500, { "content-type": "application/json" }).end(body);
      },
    );
  });
  serveSockets(io, board);

  await new Promise((listening) => http.listen(port, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${http.address().port}`,
    close: () => io.close(),
  };
}

class Board {
  #projects = new Map();
  #nextId = 1;
  #tell;

  constructor(tell) {
    this.#tell = tell;
  }

  project(id) {
    if (!this.#projects.has(id)) this.#projects.set(id, { id, tasks: [], version: 0 });
    return this.#projects.get(id);
  }

  create(projectId, title, column = "todo") {
    const project = this.project(projectId);
    const task = { id: this.#nextId++, title: checkTitle(title), column: checkColumn(column) };
    project.tasks.push(task);
    this.#changed(project, { kind: "created", ...task });
    return task;
  }

  patch(id, { title, column, position }) {
    const { project, task } = this.#find(id);
    const newTitle = title === undefined ? task.title : checkTitle(title);
    const newColumn = column === undefined ? task.column : checkColumn(column);

    if (newTitle !== task.title) {
      task.title = newTitle;
      this.#changed(project, { kind: "renamed", id, title: newTitle });
    }
    const before = project.tasks.filter((other) => other.column === task.column).indexOf(task);
    const others = project.tasks.filter((other) => other !== task);
    const neighbours = others.filter((other) => other.column === newColumn);
    const end = newColumn === task.column && position === undefined ? before : neighbours.length;
    const target = Math.min(position ?? end, neighbours.length);
    if (newColumn !== task.column || target !== before) {
      const next = neighbours[target];
      others.splice(next ? others.indexOf(next) : others.length, 0, task);
      project.tasks = others;
      task.column = newColumn;
      this.#changed(project, { kind: "moved", id, column: newColumn, position: target });
    }
    return task;
  }

  remove(id) {
    const { project, task } = this.#find(id);
    project.tasks = project.tasks.filter((other) => other !== task);
    this.#changed(project, { kind: "deleted", id });
  }

  #find(id) {
    for (const project of this.#projects.values()) {
      const task = project.tasks.find((task) => task.id === id);
      if (task) return { project, task };
    }
    throw new Refused(404, "no such task");
  }

  #changed(project, change) {
    project.version += 1;
    this.#tell(project.id, { project: project.id, version: project.version, change });
  }
}

function checkTitle(title) {
  const trimmed = typeof title === "string" ? title.trim() : "";
  if (trimmed.length < 1 || trimmed.length > 200) throw new Refused(422, "a title has 1 to 200 characters");
  return trimmed;
}

function checkColumn(column) {
  if (!COLUMNS.includes(column)) throw new Refused(422, `a column is one of ${COLUMNS.join(", ")}`);
  return column;
}

async function answer(board, request) {
  const { pathname } = new URL(request.url, "http://board");
  const [, id] = pathname.match(/^\/api\/(?:projects|tasks)\/(\d+)/) ?? [];
  const json = (status, value) => [status, JSON.stringify(value)];
  switch (`${request.method} ${pathname.replace(/\d+/, "N")}`) {
    case "GET /api/projects/N/tasks":
      return json(200, board.project(Number(id)).tasks);
    case "POST /api/projects/N/tasks": {
      const { title, column } = await body(request);
      return json(201, board.create(Number(id), title, column));
    }
    case "PATCH /api/tasks/N":
      return json(200, board.patch(Number(id), await body(request)));
    case "DELETE /api/tasks/N":
      board.remove(Number(id));
      return [204];
  }
  const file = request.method === "GET" && FILES[pathname];
  if (!file) throw new Refused(404, "nothing here");
  return [200, await readFile(join(PAGE, "dist", file[0])), file[1]];
}

async function body(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(400, "the body is not JSON");
  }
}

function serveSockets(io, board) {
  const colors = new Map();
  const notes = new Map();
  const people = new Map(); // socket id -> Person, of those who have joined a project

  const colorOf = (name) => {
    if (!colors.has(name)) colors.set(name, PALETTE[colors.size % PALETTE.length]);
    return colors.get(name);
  };
  const present = (project) =>
    [...people.values()].filter((entry) => entry.project === project).map(({ person }) => person);
  const tellPresence = (project) => io.to(`project:${project}`).emit("presence", { people: present(project) });

  io.use((socket, next) => {
    const name = String(socket.handshake.auth.name ?? "").trim();
    if (name.length < 1 || name.length > 40) return next(new Error("a name has 1 to 40 characters"));
    socket.data.person = { id: socket.id, name, color: colorOf(name) };
    next();
  });

  io.on("connection", (socket) => {
    const { person } = socket.data;
    const leave = () => {
      const entry = people.get(socket.id);
      if (!entry) return;
      people.delete(socket.id);
      socket.leave(`project:${entry.project}`);
      tellPresence(entry.project);
    };
    socket.join(`user:${person.name}`);
    socket.emit("note_changed", { text: notes.get(person.name) ?? "" });

    socket.on("join_project", (id, ack) => {
      leave();
      people.set(socket.id, { person, project: id });
      socket.join(`project:${id}`);
      const { tasks, version } = board.project(id);
      ack({ ok: true, value: { tasks, version, people: present(id) } });
      tellPresence(id);
    });
    socket.on("cursor", (x, y) => {
      const project = people.get(socket.id)?.project;
      if (project) socket.to(`project:${project}`).volatile.emit("cursor_moved", { ...person, x, y });
    });
    socket.on("send_message", ({ to, text }, ack) => {
      const refuse = (message) => ack({ ok: false, error: { message } });
      if (typeof text !== "string" || !text.trim() || text.length > 2000)
        return refuse("a message has 1 to 2,000 characters");
      if (!people.has(to)) return refuse("nobody has that id");
      io.to(to).emit("message", { from: socket.id, name: person.name, text });
      ack({ ok: true, value: null });
    });
    socket.on("save_note", ({ text }) => {
      notes.set(person.name, text.slice(0, 10_000));
      socket.to(`user:${person.name}`).emit("note_changed", { text: notes.get(person.name) });
    });
    socket.on("disconnect", leave);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startReferenceBoard(Number(process.argv[2] ?? 3000));
  console.log(`the board is at ${url}/?name=Ann&project=1`);
}
