/** The live side of the board: one socket that joins the project, again after every reconnect. */

import { io, type Socket } from "socket.io-client";
import type {
  ApiError,
  Auth,
  ClientToServerEvents,
  CursorMoved,
  Joined,
  Message,
  Person,
  ProjectUpdated,
  Result,
  ServerToClientEvents,
  Task,
  TaskChange,
} from "./contract";
import { applyChange } from "./tasks";

export type Status = "connecting" | "live" | "offline" | "refused";

/** What the connection tells the page. */
export interface Listener {
  status(status: Status, reason?: string): void;
  /** `changed` is what led here, or nothing when the whole board was loaded. */
  tasks(tasks: readonly Task[], changed?: TaskChange): void;
  people(people: readonly Person[]): void;
  cursor(cursor: CursorMoved): void;
  message(message: Message): void;
  note(text: string): void;
}

export interface Connection {
  /** This window's socket id, while connected. */
  id(): string | undefined;
  moveCursor(x: number, y: number): void;
  sendMessage(to: string, text: string): Promise<void>;
  saveNote(text: string): void;
}

const ANSWER_WITHIN_MS = 10_000;

/** `server` is in the page's address where there are several: every request of the connection has to go to that one. */
export function connect(name: string, project: number, server: string | null, listener: Listener): Connection {
  const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io({
    auth: { name } satisfies Auth,
    query: server === null ? {} : { server },
  });

  let board: { tasks: readonly Task[]; version: number } | undefined;
  let early: ProjectUpdated[] = [];
  let joins = 0;

  function join() {
    const thisJoin = ++joins;
    board = undefined;
    early = [];
    socket.timeout(ANSWER_WITHIN_MS).emit("join_project", project, (failed, answer: Result<Joined, ApiError>) => {
      if (thisJoin !== joins) return;
      if (failed) {
        if (socket.connected) join();
      } else if (!answer.ok) {
        listener.status("refused", answer.error.message);
        socket.disconnect();
      } else {
        load(answer.value);
      }
    });
  }

  function load({ tasks, version, people }: Joined) {
    board = { tasks, version };
    listener.status("live");
    listener.people(people);
    listener.tasks(tasks);
    early.splice(0).forEach(update);
  }

  function update(news: ProjectUpdated) {
    if (!board) {
      early.push(news);
    } else if (news.version === board.version + 1) {
      board = { tasks: applyChange(board.tasks, news.change), version: news.version };
      listener.tasks(board.tasks, news.change);
    } else if (news.version > board.version) {
      join(); // A change was missed, so the board is loaded anew.
    }
  }

  socket.on("connect", join);
  socket.on("disconnect", (reason) => {
    listener.people([]);
    listener.status(socket.active ? "connecting" : "offline", reason);
  });
  socket.on("connect_error", (error) => {
    // An inactive socket will not try again: the server itself said no.
    if (socket.active) listener.status("connecting", error.message);
    else listener.status("refused", error.message);
  });
  socket.on("project_updated", update);
  socket.on("presence", ({ people }) => listener.people(people));
  socket.on("cursor_moved", (cursor) => listener.cursor(cursor));
  socket.on("message", (message) => listener.message(message));
  socket.on("note_changed", ({ text }) => listener.note(text));

  return {
    id: () => socket.id,
    moveCursor(x, y) {
      // A cursor's place is worth nothing later, so nothing is kept for a slow or absent connection.
      socket.volatile.emit("cursor", x, y);
    },
    async sendMessage(to, text) {
      const answer = await socket.timeout(ANSWER_WITHIN_MS).emitWithAck("send_message", { to, text });
      if (!answer.ok) throw new Error(answer.error.message);
    },
    saveNote(text) {
      socket.emit("save_note", { text });
    },
  };
}
