/** Puts the page together: the connection on one side, what is drawn on the other. */

import { BoardView } from "./board-view";
import { connect, type Status } from "./connection";
import type { Task, TaskChange } from "./contract";
import { Cursors, trackPointer } from "./cursors";
import { find } from "./dom";
import { Letters } from "./letters";
import { Note } from "./note";
import { byName, PeopleView } from "./people";
import { COLUMNS } from "./tasks";
import { Toasts } from "./toasts";

const STATUS_TEXT: Record<Status, string> = {
  connecting: "Connecting…",
  live: "Live",
  offline: "Disconnected",
  refused: "Refused",
};

const query = new URLSearchParams(location.search);
const name = query.get("name")?.trim() ?? "";
const project = Math.max(1, Math.trunc(Number(query.get("project") ?? 1)) || 1);

if (name) openBoard();
else welcome();

function openBoard(): void {
  document.title = `${name} · Project ${project}`;
  find("project-title", HTMLHeadingElement).textContent = `Project ${project}`;

  const toasts = new Toasts(find("toasts", HTMLElement));
  const root = find("board", HTMLElement);
  const board = new BoardView(root, project, (text) => toasts.show({ text, problem: true }));
  const cursors = new Cursors(find("cursors", HTMLElement));
  const letters = new Letters(toasts, (to, text) => connection.sendMessage(to, text));
  const people = new PeopleView(find("people", HTMLUListElement), name, (to) => letters.open(to));
  const note = new Note(find("note", HTMLTextAreaElement), (text) => connection.saveNote(text));
  let alone = true;
  let shown: readonly Task[] = [];

  const connection = connect(name, project, query.get("server"), {
    status(status, reason) {
      showStatus(status);
      note.connection(status === "live");
      if (status === "refused") welcome(reason);
    },
    tasks(tasks, changed) {
      if (changed) announce(changed, shown);
      shown = tasks;
      board.draw(tasks, changed);
      showCommand(tasks);
    },
    people(list) {
      const present = byName(list);
      alone = list.length < 2;
      people.draw(present.values());
      letters.people(present);
      cursors.keep(list);
      showServer(list.find(({ id }) => id === connection.id())?.server);
      showTabs(present.get(name)?.windows.length ?? 1);
    },
    cursor: (cursor) => cursors.show(cursor),
    message: (message) => letters.receive(message),
    note: (text) => note.changed(text),
  });

  showStatus("connecting");
  trackPointer(root, (x, y) => {
    if (!alone) connection.moveCursor(x, y);
  });
  offerCopy();
}

function welcome(problem = ""): void {
  const dialog = find("welcome", HTMLDialogElement);
  const form = dialog.querySelector("form")!;
  (form.elements.namedItem("name") as HTMLInputElement).value = name;
  (form.elements.namedItem("project") as HTMLInputElement).value = String(project);
  find("welcome-problem", HTMLParagraphElement).textContent = problem;
  // There is nothing behind the dialog to go back to.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  if (!dialog.open) dialog.showModal();
}

function showStatus(status: Status): void {
  find("status", HTMLParagraphElement).dataset.status = status;
  find("status-text", HTMLSpanElement).textContent = STATUS_TEXT[status];
}

/** Which of several servers this window is on. */
function showServer(server?: number | null): void {
  find("server", HTMLSpanElement).textContent = server ? `on server ${server}` : "";
}

function showTabs(count: number): void {
  find("note-tabs", HTMLElement).textContent =
    count > 1 ? `shared by your ${count} tabs` : "open a second tab to share it";
}

function showCommand(tasks: readonly Task[]): void {
  const id = tasks[0]?.id;
  find("command", HTMLPreElement).textContent = id
    ? `curl -X PATCH ${location.origin}/api/tasks/${id} --json '{"title":"Renamed by curl"}'`
    : `curl ${location.origin}/api/projects/${project}/tasks --json '{"title":"Made by curl"}'`;
}

function offerCopy(): void {
  const button = find("copy-command", HTMLButtonElement);
  // Browsers have a clipboard for localhost and https only.
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(find("command", HTMLPreElement).textContent ?? "");
    button.textContent = "Copied";
  });
  button.addEventListener("blur", () => (button.textContent = "Copy"));
}

/** Says what changed, for those who do not see it. */
function announce(change: TaskChange, before: readonly Task[]): void {
  const old = before.find((task) => task.id === change.id)?.title ?? "A task";
  const title = "title" in change ? change.title : old;
  const column = "column" in change && COLUMNS.find(({ id }) => id === change.column)?.title;
  const words: Record<TaskChange["kind"], string> = {
    created: `${title} was added to ${column}`,
    renamed: `${old} is now called ${title}`,
    moved: `${title} was moved to ${column}`,
    deleted: `${title} was deleted`,
  };
  find("news", HTMLParagraphElement).textContent = words[change.kind];
}
