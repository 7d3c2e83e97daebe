/** The board's REST calls. Their answers are not drawn: the project's room tells every window, this one included. */

import type { ApiError, Column, Task } from "./contract";

export function createTask(project: number, title: string, column: Column): Promise<Task> {
  return request("POST", `/api/projects/${project}/tasks`, { title, column });
}

export function renameTask(id: number, title: string): Promise<Task> {
  return request("PATCH", `/api/tasks/${id}`, { title });
}

export function moveTask(id: number, column: Column, position: number): Promise<Task> {
  return request("PATCH", `/api/tasks/${id}`, { column, position });
}

export function deleteTask(id: number): Promise<void> {
  return request("DELETE", `/api/tasks/${id}`);
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method,
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  if (!response.ok) {
    const problem: { error?: ApiError } = await response.json().catch(() => ({}));
    throw new Error(problem.error?.message ?? `the server answered ${response.status}`);
  }
  return response.status === 204 ? (undefined as T) : response.json();
}
