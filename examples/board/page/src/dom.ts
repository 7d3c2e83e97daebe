/** The two things this page needs from a framework: finding elements and making them. */

export function find<E extends HTMLElement>(id: string, type: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} with the id ${id}`);
  return element;
}

type Attributes = Record<string, string | boolean>;

/** Makes an element; an attribute that is `false` is left out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A button that shows a sign and is called by its label. */
export function iconButton(sign: string, label: string, testId: string, onClick: () => void): HTMLButtonElement {
  const button = make(
    "button",
    { type: "button", class: "quiet", title: label, "aria-label": label, "data-testid": testId },
    sign,
  );
  button.addEventListener("click", onClick);
  return button;
}
