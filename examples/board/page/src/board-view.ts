/** The columns with their cards: draws a list of tasks, and turns clicks and drags into REST calls. */

import { Card, DRAGGED_TASK, type Step } from "./card";
import type { Column, Task, TaskChange } from "./contract";
import { make } from "./dom";
import { createTask, deleteTask, moveTask, renameTask } from "./rest";
import { COLUMNS, tasksIn } from "./tasks";

interface ColumnView {
  element: HTMLElement;
  list: HTMLOListElement;
  count: HTMLElement;
}

export class BoardView {
  private readonly columns = new Map<Column, ColumnView>();
  private readonly cards = new Map<number, Card>();
  private tasks: readonly Task[] = [];

  constructor(
    root: HTMLElement,
    private readonly project: number,
    private readonly complain: (problem: string) => void,
  ) {
    for (const { id, title } of COLUMNS) {
      const view = this.makeColumn(id, title);
      this.columns.set(id, view);
      root.append(view.element);
    }
  }

  draw(tasks: readonly Task[], changed?: TaskChange): void {
    this.tasks = tasks;
    const focused = document.activeElement;
    const before = this.places();

    const ids = new Set(tasks.map((task) => task.id));
    for (const [id, card] of this.cards) {
      if (ids.has(id)) continue;
      card.element.remove();
      this.cards.delete(id);
    }
    COLUMNS.forEach(({ id }, columnIndex) => this.drawColumn(id, columnIndex));

    // Moving an element takes the focus from it.
    if (focused instanceof HTMLElement && focused.isConnected && focused !== document.activeElement) focused.focus();
    this.slideFrom(before);
    if (changed) this.cards.get(changed.id)?.flash();
  }

  private drawColumn(column: Column, columnIndex: number): void {
    const view = this.columns.get(column)!;
    const tasks = tasksIn(this.tasks, column);
    view.count.textContent = String(tasks.length);
    tasks.forEach((task, index) => {
      const card = this.card(task);
      card.allow({
        left: columnIndex > 0,
        right: columnIndex < COLUMNS.length - 1,
        up: index > 0,
        down: index < tasks.length - 1,
      });
      // Only what stands wrong is moved, so that an untouched card keeps its focus and its animation.
      const there = view.list.children[index];
      if (there !== card.element) view.list.insertBefore(card.element, there ?? null);
    });
  }

  private card(task: Task): Card {
    let card = this.cards.get(task.id);
    if (card) {
      card.update(task);
    } else {
      card = new Card(task, {
        rename: (id, title) => this.ask(renameTask(id, title)),
        move: (id, step) => this.step(id, step),
        remove: (id) => this.ask(deleteTask(id)),
      });
      this.cards.set(task.id, card);
    }
    return card;
  }

  private step(id: number, step: Step): void {
    const task = this.tasks.find((task) => task.id === id);
    if (!task) return;
    if (step === "up" || step === "down") {
      const column = tasksIn(this.tasks, task.column);
      const position = column.indexOf(task) + (step === "up" ? -1 : 1);
      if (position >= 0 && position < column.length) this.ask(moveTask(id, task.column, position));
    } else {
      const index = COLUMNS.findIndex(({ id }) => id === task.column) + (step === "left" ? -1 : 1);
      const column = COLUMNS[index]?.id;
      if (column) this.ask(moveTask(id, column, tasksIn(this.tasks, column).length));
    }
  }

  /** Failures are shown; success shows itself when the room hears of it. */
  private ask(request: Promise<unknown>): void {
    request.catch((error: Error) => this.complain(error.message));
  }

  private makeColumn(id: Column, title: string): ColumnView {
    const list = make("ol", { class: "cards", "data-testid": `cards-${id}`, "aria-label": title });
    const count = make("span", { class: "count" });
    const field = make("input", {
      placeholder: "Add a task",
      "aria-label": `New task in ${title}`,
      "data-testid": `new-task-${id}`,
      maxlength: "200",
      autocomplete: "off",
    });
    const form = make(
      "form",
      { class: "add" },
      field,
      make("button", { type: "submit", class: "quiet", "aria-label": `Add to ${title}` }, "+"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const title = field.value.trim();
      if (!title) return;
      field.value = "";
      this.ask(createTask(this.project, title, id));
    });
    const element = make(
      "section",
      { class: `column ${id}`, "data-testid": `column-${id}`, "aria-label": title },
      make("h2", {}, title, count),
      list,
      form,
    );
    this.acceptDrops(element, list, id);
    return { element, list, count };
  }

  private acceptDrops(element: HTMLElement, list: HTMLElement, column: Column): void {
    const clear = () => {
      element.classList.remove("target");
      for (const marked of list.querySelectorAll(".drop-before, .drop-after"))
        marked.classList.remove("drop-before", "drop-after");
    };
    /** The cards a drop would land among: all but the one in hand. */
    const others = () => [...list.children].filter((card) => !card.classList.contains("dragged"));
    const positionAt = (y: number, cards: Element[]) => {
      const next = cards.findIndex((card) => {
        const { top, height } = card.getBoundingClientRect();
        return y < top + height / 2;
      });
      return next < 0 ? cards.length : next;
    };

    element.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes(DRAGGED_TASK)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      clear();
      element.classList.add("target");
      const cards = others();
      const next = cards[positionAt(event.clientY, cards)];
      if (next) next.classList.add("drop-before");
      else cards.at(-1)?.classList.add("drop-after");
    });
    element.addEventListener("dragleave", (event) => {
      if (!(event.relatedTarget instanceof Node && element.contains(event.relatedTarget))) clear();
    });
    element.addEventListener("drop", (event) => {
      const id = Number(event.dataTransfer?.getData(DRAGGED_TASK));
      clear();
      if (!id) return;
      event.preventDefault();
      this.ask(moveTask(id, column, positionAt(event.clientY, others())));
    });
  }

  private places(): Map<Card, DOMRect> {
    return new Map([...this.cards.values()].map((card) => [card, card.element.getBoundingClientRect()]));
  }

  private slideFrom(before: Map<Card, DOMRect>): void {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const [card, old] of before) {
      const now = card.element.getBoundingClientRect();
      const [x, y] = [old.x - now.x, old.y - now.y];
      if (!card.element.isConnected || (x === 0 && y === 0)) continue;
      card.element.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], {
        duration: 180,
        easing: "ease-out",
      });
    }
  }
}
