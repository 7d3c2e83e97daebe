/** Short notices in the corner. They go by themselves, but never from under a pointer or the focus. */

import { iconButton, make } from "./dom";

export interface Toast {
  text: string;
  from?: { name: string; initials: string; color: string };
  action?: { label: string; run: () => void };
  problem?: boolean;
}

const STAY_MS = 12_000;

export class Toasts {
  constructor(private readonly corner: HTMLElement) {}

  show({ text, from, action, problem = false }: Toast): void {
    const toast = make("div", {
      class: problem ? "toast problem" : "toast",
      "data-testid": "toast",
      role: problem && "alert",
    });
    if (from) {
      const face = make("span", { class: "avatar", "aria-hidden": "true" }, from.initials);
      face.style.setProperty("--person", from.color);
      toast.append(face);
    }
    const words = make("p", {}, text);
    if (from) words.prepend(make("strong", {}, from.name), " ");
    toast.append(words);
    if (action) {
      const button = make("button", { type: "button" }, action.label);
      button.addEventListener("click", () => {
        toast.remove();
        action.run();
      });
      toast.append(button);
    }
    toast.append(iconButton("✕", "Dismiss", "dismiss", () => toast.remove()));

    const leave = () => setTimeout(() => toast.remove(), STAY_MS);
    let timer = leave();
    for (const stay of ["pointerenter", "focusin"]) toast.addEventListener(stay, () => clearTimeout(timer));
    for (const go of ["pointerleave", "focusout"])
      toast.addEventListener(go, () => (clearTimeout(timer), (timer = leave())));
    this.corner.append(toast);
  }
}
