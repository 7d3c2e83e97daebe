// The contract of the board, as its page uses it and as it must not.

import { io, type Socket } from "socket.io-client";
import type { Auth, ClientToServerEvents, Joined, ServerToClientEvents, Task } from "../../examples/board/page/src/contract";

const auth: Auth = { name: "Ann" };
// @ts-expect-error: nobody connects without a name
const anonymous: Auth = {};
const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io({ auth });

socket.on("project_updated", ({ version, change }) => {
  if (change.kind === "moved") console.log(version + 1, change.position + 1);
  // @ts-expect-error: a deleted task has no title
  if (change.kind === "deleted") console.log(change.title);
  // @ts-expect-error: no such kind of change
  if (change.kind === "painted") console.log(change.id);
});
// @ts-expect-error: presence lists people, not names
socket.on("presence", (presence: { people: string[] }) => console.log(presence));
// @ts-expect-error: clients save notes, servers say that they changed
socket.on("save_note", () => {});

socket.emit("cursor", 0.5, 0.5);
// @ts-expect-error: x and y
socket.emit("cursor", { x: 0.5, y: 0.5 });
// @ts-expect-error: to whom?
socket.emit("send_message", { text: "hello" }, () => {});

socket.timeout(1000).emit("join_project", 1, (failed, answer) => {
  if (failed) return;
  // @ts-expect-error: it may have been refused
  const early: Joined = answer.value;
  const tasks: Task[] = answer.ok ? answer.value.tasks : [];
  if (!answer.ok) console.log(answer.error.message.length, tasks, early);
});
// @ts-expect-error: the id of a project is a number
socket.emit("join_project", "1", () => {});

export { anonymous };
