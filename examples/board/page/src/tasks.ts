/** The tasks of a project as plain data: a list in board order, and what each change makes of it. */

import type { Column, Task, TaskChange } from "./contract";

export const COLUMNS: readonly { id: Column; title: string }[] = [
  { id: "todo", title: "To do" },
  { id: "doing", title: "Doing" },
  { id: "done", title: "Done" },
];

export function tasksIn(tasks: readonly Task[], column: Column): Task[] {
  return tasks.filter((task) => task.column === column);
}

export function applyChange(tasks: readonly Task[], change: TaskChange): Task[] {
  switch (change.kind) {
    case "created": {
      const { kind: _, ...task } = change;
      return [...tasks, task];
    }
    case "renamed":
      return tasks.map((task) => (task.id === change.id ? { ...task, title: change.title } : task));
    case "moved":
      return moved(tasks, change);
    case "deleted":
      return tasks.filter((task) => task.id !== change.id);
  }
}

function moved(tasks: readonly Task[], { id, column, position }: Extract<TaskChange, { kind: "moved" }>): Task[] {
  const task = tasks.find((task) => task.id === id);
  if (!task) return [...tasks];
  const others = tasks.filter((other) => other.id !== id);
  const next = tasksIn(others, column)[position];
  others.splice(next ? others.indexOf(next) : others.length, 0, { ...task, column });
  return others;
}
