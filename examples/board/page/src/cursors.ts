/** Other people's cursors as labelled arrows, and ours on its way to them. */

import type { CursorMoved, Person } from "./contract";
import { make } from "./dom";

const SEND_EVERY_MS = 40;
const FADE_AFTER_MS = 8_000;

const ARROW =
  '<svg width="18" height="20" viewBox="0 0 18 20"><path d="M2 2 L16 11 L9.5 12.2 L6.2 18 Z" fill="currentColor" stroke="white" stroke-width="1.5" stroke-linejoin="round"/></svg>';

interface Arrow {
  element: HTMLElement;
  fade: number;
}

export class Cursors {
  private readonly arrows = new Map<string, Arrow>();

  constructor(private readonly overlay: HTMLElement) {}

  show({ id, name, color, x, y }: CursorMoved): void {
    let arrow = this.arrows.get(id);
    if (arrow) {
      clearTimeout(arrow.fade);
      arrow.element.classList.remove("idle");
    } else {
      const element = make("div", { class: "cursor", "data-testid": `cursor-${name}` });
      element.innerHTML = ARROW;
      element.append(make("span", {}, name));
      element.style.setProperty("--person", color);
      this.overlay.append(element);
      arrow = { element, fade: 0 };
      this.arrows.set(id, arrow);
    }
    // Percentages of the overlay, so that the arrow stays in place when the window is resized.
    arrow.element.style.left = `${100 * clamp(x)}%`;
    arrow.element.style.top = `${100 * clamp(y)}%`;
    const { element } = arrow;
    arrow.fade = setTimeout(() => element.classList.add("idle"), FADE_AFTER_MS);
  }

  /** Takes away the cursors of those who have left. */
  keep(people: readonly Person[]): void {
    const here = new Set(people.map((person) => person.id));
    for (const [id, { element, fade }] of this.arrows) {
      if (here.has(id)) continue;
      clearTimeout(fade);
      element.remove();
      this.arrows.delete(id);
    }
  }
}

/** Reports the pointer's place on the board, from 0 to 1, not more often than others can see. */
export function trackPointer(board: HTMLElement, moved: (x: number, y: number) => void): void {
  let place: [number, number] | undefined;
  let waiting = false;

  const send = () => {
    waiting = false;
    if (!place) return;
    moved(...place);
    place = undefined;
    waiting = true;
    setTimeout(send, SEND_EVERY_MS);
  };
  const note = ({ clientX, clientY }: MouseEvent) => {
    const { left, top, width, height } = board.getBoundingClientRect();
    place = [clamp((clientX - left) / width), clamp((clientY - top) / height)];
    if (!waiting) send();
  };
  board.addEventListener("pointermove", note);
  board.addEventListener("dragover", note); // The pointer is silent during a drag.
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
