/** The scratch note that all tabs of one person share. */

const SAVE_AFTER_MS = 150;

export class Note {
  private timer: number | undefined;
  private unsaved = false;
  private live = false;

  constructor(
    private readonly field: HTMLTextAreaElement,
    private readonly save: (text: string) => void,
  ) {
    field.addEventListener("input", () => {
      this.unsaved = true;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.flush(), SAVE_AFTER_MS);
    });
  }

  /** What was typed while the connection was away is saved when it is back. */
  connection(live: boolean): void {
    this.live = live;
    this.flush();
  }

  /** Another tab has written. What is being typed here wins over it, as it will be the later text. */
  changed(text: string): void {
    if (this.unsaved || this.field.value === text) return;
    const { selectionStart, selectionEnd } = this.field;
    this.field.value = text;
    // The new text has put the caret at its end, which is only right where nobody is writing.
    if (document.activeElement === this.field) this.field.setSelectionRange(selectionStart, selectionEnd);
  }

  private flush(): void {
    if (!this.unsaved || !this.live) return;
    clearTimeout(this.timer);
    this.unsaved = false;
    this.save(this.field.value);
  }
}
