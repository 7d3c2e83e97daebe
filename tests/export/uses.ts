// What a page does with exported contracts, and what it must not be able to do: each line below a `@ts-expect-error` has to be
// an error, or the compiler complains about the comment.

import { io, type Socket } from "socket.io-client";
import * as demo from "./demo";
import * as forms from "./forms";

type DemoSocket = Socket<demo.ServerToClientEvents, demo.ClientToServerEvents>;
type FormsSocket = Socket<forms.ServerToClientEvents, forms.ClientToServerEvents>;

const auth: demo.Auth = { token: "letmein" };
const socket: DemoSocket = io(demo.NAMESPACE, { auth });

// Events of the server: names, arguments, their number.

socket.on("project updated", ({ id, change }) => {
  const same: demo.ProjectId = id;
  console.log(same, change.title.length, change.done === true);
  // @ts-expect-error: a task has no owner
  console.log(change.owner);
});
socket.on("cursor_moved", (x, y) => console.log(x.toFixed(), y.toFixed()));
socket.on("maintenance", () => {});
socket.once("renamed", (renamed) => console.log(renamed.name.toUpperCase()));
// @ts-expect-error: no event of that name
socket.on("project_updated", () => {});
// @ts-expect-error: an event of the other direction
socket.on("add_task", () => {});
// @ts-expect-error: two arguments, no more
socket.on("cursor_moved", (x, y, z: number) => {});
// @ts-expect-error: an argument of another type
socket.on("renamed", (renamed: string) => {});

// The server asks for an acknowledgement.

socket.on("confirm_delete", ({ id }, ack) => ack(id > 3));
socket.on("confirm_delete", ({ id }, ack) => {
  // @ts-expect-error: it asks for a boolean
  ack("yes");
  // @ts-expect-error: and only one
  ack(true, true);
});

// Events of the client.

socket.emit("cursor_moved", 0.5, 0.5);
socket.emit("typing", { id: 1, field: "title" });
// @ts-expect-error: an argument is missing
socket.emit("cursor_moved", 0.5);
// @ts-expect-error: a field is missing
socket.emit("typing", { id: 1 });
// @ts-expect-error: a field of another type
socket.emit("typing", { id: "1", field: "title" });
// @ts-expect-error: a field too many
socket.emit("typing", { id: 1, field: "title", value: "" });
// @ts-expect-error: no event of that name
socket.emit("typed", { id: 1, field: "title" });
// @ts-expect-error: an event of the other direction
socket.emit("maintenance");

// Acknowledgements of the server, narrowed by `ok`.

socket.emit("add_task", { id: 1, title: "Paint" }, (answer) => {
  // @ts-expect-error: it may have failed
  console.log(answer.value);
  if (answer.ok) {
    console.log(answer.value.title.length);
    // @ts-expect-error: it has not
    console.log(answer.error);
  } else if (answer.error.code === "bad_request") {
    console.log(answer.error.message.length);
  } else {
    const rest: "not_found" | "internal" = answer.error.code;
    // @ts-expect-error: only a bad request has a message
    console.log(rest, answer.error.message);
  }
});
// @ts-expect-error: an event with an acknowledgement needs a callback
socket.emit("add_task", { id: 1, title: "Paint" });
// @ts-expect-error: an event without one takes none
socket.emit("typing", { id: 1, field: "title" }, () => {});

async function acknowledged() {
  const answer = await socket.timeout(1000).emitWithAck("add_task", { id: 1, title: "Paint" });
  if (answer.ok) {
    const task: demo.Task = answer.value;
    return task;
  }
  const joined = await socket.emitWithAck("join_project", 1);
  if (joined.ok) {
    const nothing: null = joined.value;
    // @ts-expect-error: nothing is in it
    return joined.value.title ?? nothing;
  }
  return joined.error;
}

// Attachments, as a browser receives and sends them, and as Node does.

socket.on("thumbnail", ({ png }) => {
  const bytes = new Uint8Array(png);
  const image = new Blob([bytes], { type: "image/png" });
  console.log(png.byteLength, URL.createObjectURL(image));
  // @ts-expect-error: it is no text
  console.log(png.toUpperCase());
});

declare const other: FormsSocket;
const files = { some: [], numbers: [1, 2] };
other.emit("files", { one: new ArrayBuffer(1), ...files });
other.emit("files", { one: new Uint8Array([1]), some: [new ArrayBuffer(1)], numbers: [], maybe: null });
// @ts-expect-error: numbers are no attachment
other.emit("files", { one: [1, 2], ...files });

// A type that is read in another form than it is written.

declare const task: forms.Task;
const due: string | null = task.due;
const revision: number = task.revision;
other.emit("save_task", { task: { taskId: 1, title: "Paint", column: "todo" } }, (answer) => {
  if (answer.ok) console.log(answer.value.items.map((task) => [task.revision, task.due, due, revision]));
  else if (answer.error.type === "Count") console.log(answer.error.data.toFixed());
  // @ts-expect-error: this variant has no data
  else if (answer.error.type === "Nothing") console.log(answer.error.data);
});
// What the server sends it takes back.
const taken: forms.TaskInput = task;
// @ts-expect-error: but not the other way around
const sent: forms.Task = taken;
// @ts-expect-error: no such column
other.emit("save_task", { task: { taskId: 1, title: "Paint", column: "later" } }, () => {});

// Every kind of enum.

other.on("every thing", ({ shape, change, notice, value, flat, maps, pair, either, any, open }) => {
  if (shape === "Empty") return;
  if ("Circle" in shape) console.log(shape.Circle.toFixed());
  else if ("Line" in shape) console.log(shape.Line[1].toFixed());
  else console.log(shape.Box.width.toFixed());

  if (change.kind === "created") console.log(change.position, change.column);
  else if (change.kind === "renamed") console.log(change.title);
  // @ts-expect-error: nothing else is known of what is deleted
  else console.log(change.title);

  if (notice.type === "Text") console.log(notice.data.length);
  if (typeof value === "string") console.log(value.length);
  else if (typeof value !== "number") console.log(value.length);
  if (flat.type === "Count") console.log(flat.data.toFixed(), flat.id, flat.column);

  // @ts-expect-error: a map may lack a key
  console.log(maps.by_name["a"].position);
  console.log(maps.by_name["a"]?.position, maps.maybe?.["b"]?.toFixed(), pair[1], either[0]?.length, open.id.toFixed());
  // @ts-expect-error: whatever it is, it has to be looked at first
  console.log(any.length);
});

const open: forms.Open = { id: 1, urgent: true };
// @ts-expect-error: the other keys hold booleans
const closed: forms.Open = { id: 1, urgent: "very" };

other.emit("tool", "eraser-tip", (answer) => {
  if ("Ok" in answer) console.log(answer.Ok.toFixed());
  else console.log(answer.Err === "red");
});
// @ts-expect-error: no such tool
other.emit("tool", "EraserTip", () => {});
other.emit("moved", 1, 2, new ArrayBuffer(1), null, "todo", "done");
other.emit("leave", {}, (answer) => console.log(answer.ok));
other.on("ask_for", (id, ack) => ack(id > 3 ? null : { taskId: id, title: "", column: "doing" }));

export { acknowledged, closed, open, sent };

// A namespace for each value.

import * as dynamic from "./dynamic";

const board: Socket<dynamic.ServerToClientEvents> = io(dynamic.NAMESPACE({ team: "red", id: 7 }));
board.on("moved", (by) => console.log(by.toFixed()));
// @ts-expect-error: which board of the team?
io(dynamic.NAMESPACE({ team: "red" }));
// @ts-expect-error: there is no one path
io(dynamic.NAMESPACE);
