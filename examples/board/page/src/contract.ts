/** What travels between the board's page and its server; API.md beside this folder says the same in words. */

export type Column = "todo" | "doing" | "done";

export interface Task {
  id: number;
  title: string;
  column: Column;
}

/** One window of somebody: a person with two tabs is here twice, under one name and one colour. */
export interface Person {
  id: string;
  name: string;
  color: string;
}

export type Change =
  | ({ kind: "created" } & Task)
  | { kind: "renamed"; id: number; title: string }
  | { kind: "moved"; id: number; column: Column; position: number }
  | { kind: "deleted"; id: number };

export interface ProjectUpdated {
  project: number;
  /** The version that this change leads to. */
  version: number;
  change: Change;
}

export interface Joined {
  tasks: Task[];
  version: number;
  people: Person[];
}

export interface CursorMoved extends Person {
  x: number;
  y: number;
}

export interface Message {
  from: string;
  name: string;
  text: string;
}

export interface ApiError {
  message: string;
}

/** How a `Result` of the server looks as an acknowledgement. */
export type Answer<T> = { ok: true; value: T } | { ok: false; error: ApiError };

export interface ServerToClientEvents {
  project_updated: (update: ProjectUpdated) => void;
  presence: (presence: { people: Person[] }) => void;
  cursor_moved: (cursor: CursorMoved) => void;
  message: (message: Message) => void;
  note_changed: (note: { text: string }) => void;
}

export interface ClientToServerEvents {
  join_project: (project: number, ack: (answer: Answer<Joined>) => void) => void;
  cursor: (x: number, y: number) => void;
  send_message: (message: { to: string; text: string }, ack: (answer: Answer<null>) => void) => void;
  save_note: (note: { text: string }) => void;
}
