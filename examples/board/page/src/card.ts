/** One task on the board: its title, which turns into a field to rename it, and buttons for all that a mouse can do. */

import type { Task } from "./contract";
import { iconButton, make } from "./dom";

export type Step = "left" | "right" | "up" | "down";

export interface CardActions {
  rename(id: number, title: string): void;
  move(id: number, step: Step): void;
  remove(id: number): void;
}

/** The type of a drag that carries a task's id; what else people drag over the board is not for us. */
export const DRAGGED_TASK = "application/x-board-task";

export class Card {
  readonly element: HTMLLIElement;
  private readonly title: HTMLSpanElement;
  private readonly steps: Record<Step, HTMLButtonElement>;
  private field: HTMLInputElement | undefined;

  constructor(
    private task: Task,
    private readonly actions: CardActions,
  ) {
    const { id } = task;
    const step = (sign: string, step: Step, label: string) =>
      iconButton(sign, label, `move-${step}`, () => actions.move(id, step));
    this.steps = {
      left: step("←", "left", "Move to the column before"),
      right: step("→", "right", "Move to the next column"),
      up: step("↑", "up", "Move up"),
      down: step("↓", "down", "Move down"),
    };
    this.title = make("span", { class: "title", "data-testid": "title" });
    this.title.addEventListener("click", () => this.edit());
    this.element = make(
      "li",
      { class: "card", draggable: "true", "data-testid": `task-${id}` },
      this.title,
      make(
        "div",
        { class: "actions", role: "group" },
        ...Object.values(this.steps),
        iconButton("✎", "Rename", "rename", () => this.edit()),
        iconButton("✕", "Delete", "delete", () => actions.remove(id)),
      ),
    );
    this.element.addEventListener("dragstart", (event) => this.drag(event));
    this.element.addEventListener("dragend", () => this.element.classList.remove("dragged"));
    this.update(task);
  }

  update(task: Task): void {
    this.task = task;
    this.title.textContent = task.title;
    this.element.querySelector(".actions")?.setAttribute("aria-label", `Actions for ${task.title}`);
  }

  /** Switches off the steps that lead nowhere. */
  allow(steps: Record<Step, boolean>): void {
    for (const step of Object.keys(steps) as Step[]) {
      const button = this.steps[step];
      // `aria-disabled` and not `disabled`: the button that was just used must not lose the focus.
      button.setAttribute("aria-disabled", String(!steps[step]));
    }
  }

  /** Draws the eye to a card that somebody has just changed, but not away from a list that is being worked in. */
  flash(): void {
    if (!this.element.parentElement?.contains(document.activeElement))
      this.element.scrollIntoView({ block: "nearest" });
    this.element.classList.remove("changed");
    void this.element.offsetWidth; // Restarts the animation when the class was already there.
    this.element.classList.add("changed");
  }

  private drag(event: DragEvent): void {
    if (this.field || !event.dataTransfer) return event.preventDefault();
    event.dataTransfer.setData(DRAGGED_TASK, String(this.task.id));
    event.dataTransfer.setData("text/plain", this.task.title);
    event.dataTransfer.effectAllowed = "move";
    this.element.classList.add("dragged");
  }

  private edit(): void {
    if (this.field) return this.field.focus();
    const field = make("input", {
      class: "title",
      "data-testid": "title-input",
      "aria-label": `New title for ${this.task.title}`,
      maxlength: "200",
    });
    field.value = this.task.title;
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return; // Enter that ends an input method's composition is not meant for us.
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // Otherwise the same Enter presses the button that has the focus next.
      this.finish(event.key === "Enter");
    });
    // A card that is being moved by somebody else loses the focus for a moment, too; it is still connected, then.
    field.addEventListener("blur", () =>
      queueMicrotask(() => document.activeElement !== field && this.finish(true, false)),
    );
    this.field = field;
    this.title.replaceWith(field);
    this.element.draggable = false;
    field.select();
  }

  private finish(save: boolean, keepFocus = true): void {
    const field = this.field;
    if (!field) return;
    this.field = undefined;
    field.replaceWith(this.title);
    this.element.draggable = true;
    if (keepFocus) this.element.querySelector<HTMLElement>('[data-testid="rename"]')?.focus();
    const title = field.value.trim();
    if (save && title && title !== this.task.title) this.actions.rename(this.task.id, title);
  }
}
