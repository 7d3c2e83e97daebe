// A headless Chromium with windows of the board in it.

import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox", // Tests run as root in containers, where Chromium's sandbox can't be set up.
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The session that a request of a page that polls names. */
const session = (message) => new URL(message.url()).searchParams.get("sid");

/** How long anything may take before a test fails. Nothing waits for this time to pass. */
const DEADLINE_MS = 20_000;

/** A browser with a fresh profile, which goes when it closes. */
export class Browser {
  static async start() {
    return new Browser(
      await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS }),
    );
  }

  /** What went wrong inside the pages: a script error, or a request that the server did not answer well. */
  problems = [];

  constructor(chromium) {
    this.chromium = chromium;
  }

  /** An empty window. Not a tab: those behind another one get a frame a second. */
  async window() {
    const page = await this.chromium.newPage({ viewport: { width: 900, height: 700 } });
    page.setDefaultTimeout(DEADLINE_MS);
    page.on("pageerror", (error) => this.problems.push(`${page.url()}: ${error}`));
    // A page that is refused says goodbye in a POST while its GET is on the way. Behind a proxy these are two connections: the GET
    // may come second, and then its session is over.
    const closed = new Set();
    page.on("request", (request) => {
      if (request.method() === "POST" && request.postData()?.split("\x1e").at(-1) === "1") closed.add(session(request));
    });
    page.on("response", (response) => {
      if (response.status() === 400 && response.request().method() === "GET" && closed.has(session(response))) return;
      if (response.status() >= 400) this.problems.push(`${response.status()} for ${response.url()}`);
    });
    return page;
  }

  /** A window of the board that has joined the project. */
  async open(url, name, project, page) {
    page ??= await this.window();
    await page.goto(`${url}/?${new URLSearchParams({ name, project })}`);
    await page.locator('[data-testid=status][data-status="live"]').waitFor();
    return page;
  }

  async close() {
    await this.chromium.close();
  }
}

/** Waits until what `read` finds in the page equals what is expected; `argument` travels into the page with it. */
export async function becomes(page, read, expected, argument) {
  const wanted = JSON.stringify(expected);
  try {
    await page.waitForFunction(
      ([read, argument, wanted]) => JSON.stringify(new Function(`return (${read})`)()(argument)) === wanted,
      [String(read), argument, wanted],
      { polling: 20 },
    );
  } catch (error) {
    throw new Error(`expected ${wanted}, found ${JSON.stringify(await page.evaluate(read, argument))}`, {
      cause: error,
    });
  }
}

/** Waits until the columns hold exactly the tasks of these titles, in this order. */
export function boardShows(page, expected) {
  return becomes(
    page,
    () =>
      Object.fromEntries(
        ["todo", "doing", "done"].map((column) => [
          column,
          [...document.querySelectorAll(`[data-testid=cards-${column}] [data-testid=title]`)].map(
            (title) => title.textContent,
          ),
        ]),
      ),
    { todo: [], doing: [], done: [], ...expected },
  );
}
