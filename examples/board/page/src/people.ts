/** Who is here: one avatar for each person, however many windows they have open. */

import type { Person } from "./contract";
import { make } from "./dom";

export interface Present {
  name: string;
  color: string;
  /** Their socket ids, oldest first. */
  windows: string[];
  /** The servers that these are on, where there are several. */
  servers: number[];
}

export function byName(people: readonly Person[]): Map<string, Present> {
  const present = new Map<string, Present>();
  for (const { id, name, color, server } of people) {
    const person = present.get(name) ?? { name, color, windows: [], servers: [] };
    person.windows.push(id);
    if (server && !person.servers.includes(server)) person.servers.push(server);
    present.set(name, person);
  }
  return present;
}

export class PeopleView {
  constructor(
    private readonly list: HTMLUListElement,
    private readonly me: string,
    private readonly write: (name: string) => void,
  ) {}

  draw(present: Iterable<Present>): void {
    const focused =
      this.list.contains(document.activeElement) && (document.activeElement as HTMLElement).dataset.testid;
    this.list.replaceChildren(...[...present].map((person) => this.item(person)));
    if (focused) this.list.querySelector<HTMLElement>(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
  }

  private item({ name, color, windows, servers }: Present): HTMLLIElement {
    const where = servers.length ? `, on server ${[...servers].sort().join(" and ")}` : "";
    const tabs = (windows.length > 1 ? `, ${windows.length} windows` : "") + where;
    const attributes = { class: "avatar", "data-testid": `person-${name}`, "data-windows": String(windows.length) };
    const face =
      name === this.me
        ? make("span", {
            ...attributes,
            role: "img",
            "aria-label": `${name}, you${tabs}`,
            title: `${name} (you${tabs})`,
          })
        : make("button", {
            ...attributes,
            type: "button",
            "aria-label": `Write to ${name}${tabs}`,
            title: `Write to ${name}${where}`,
          });
    face.append(initials(name));
    if (windows.length > 1)
      face.append(make("span", { class: "badge", "aria-hidden": "true" }, String(windows.length)));
    face.style.setProperty("--person", color);
    if (name !== this.me) face.addEventListener("click", () => this.write(name));
    return make("li", { class: name === this.me ? "me" : "other" }, face);
  }
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/u);
  const letters =
    words.length > 1 ? [words[0], words.at(-1)].map((word) => [...(word ?? "")][0]) : [...name.trim()].slice(0, 2);
  return letters.join("").toUpperCase();
}
