/** Private messages: a toast when one arrives, a small dialog to read on and to answer. */

import type { Message } from "./contract";
import { find, make } from "./dom";
import { initials, type Present } from "./people";
import type { Toasts } from "./toasts";

interface Line {
  mine: boolean;
  text: string;
}

export class Letters {
  private readonly dialog = find("letter", HTMLDialogElement);
  private readonly title = find("letter-title", HTMLHeadingElement);
  private readonly log = find("letter-log", HTMLOListElement);
  private readonly field = find("letter-text", HTMLInputElement);
  private readonly threads = new Map<string, Line[]>();
  private partner: string | undefined;
  private present: ReadonlyMap<string, Present> = new Map();

  constructor(
    private readonly toasts: Toasts,
    private readonly send: (to: string, text: string) => Promise<void>,
  ) {
    find("letter-close", HTMLButtonElement).addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => (this.partner = undefined));
    this.dialog.querySelector("form")!.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
  }

  people(present: ReadonlyMap<string, Present>): void {
    this.present = present;
  }

  open(name: string): void {
    this.partner = name;
    this.title.textContent = `Message to ${name}`;
    this.log.replaceChildren(...this.thread(name).map(line));
    if (!this.dialog.open) this.dialog.showModal();
    this.field.focus();
  }

  receive({ name, text }: Message): void {
    this.add(name, { mine: false, text });
    if (this.partner === name) return;
    this.toasts.show({
      text,
      from: { name, initials: initials(name), color: this.present.get(name)?.color ?? "gray" },
      action: { label: "Reply", run: () => this.open(name) },
    });
  }

  private async submit(): Promise<void> {
    const text = this.field.value.trim();
    const name = this.partner;
    if (!text || !name) return;
    const windows = this.present.get(name)?.windows ?? [];
    if (windows.length === 0) return this.toasts.show({ text: `${name} is not here any more`, problem: true });
    try {
      // A message goes to one socket. It has arrived when any window shows it: another may be closing just now.
      await Promise.any(windows.map((window) => this.send(window, text)));
      this.add(name, { mine: true, text });
      if (this.field.value.trim() === text) this.field.value = "";
    } catch (failed) {
      const [reason] = (failed as AggregateError).errors as Error[];
      this.toasts.show({ text: `Not sent: ${reason?.message}`, problem: true });
    }
  }

  private add(name: string, added: Line): void {
    this.thread(name).push(added);
    if (this.partner !== name) return;
    this.log.append(line(added));
    this.log.scrollTop = this.log.scrollHeight;
  }

  private thread(name: string): Line[] {
    let thread = this.threads.get(name);
    if (!thread) this.threads.set(name, (thread = []));
    return thread;
  }
}

function line({ mine, text }: Line): HTMLLIElement {
  return make("li", { class: mine ? "mine" : "theirs" }, text);
}
