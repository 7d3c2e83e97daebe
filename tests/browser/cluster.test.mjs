// The board on two servers that Redis joins: windows next to each other are on different servers.
//
//   node cluster.test.mjs http://127.0.0.1:3000      (of `cargo run -p board -- cluster`, or ROOMS_URL=... node --test)

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { becomes, boardShows, Browser } from "./harness.mjs";

const url = process.argv[2] ?? process.env.ROOMS_URL;
assert.ok(url, "the address of a cluster is missing");

let browser;
let project = Date.now();

beforeEach(async () => {
  browser = await Browser.start();
  project += 1;
});
afterEach(async () => {
  const { problems } = browser;
  await browser.close();
  assert.deepEqual(problems, []);
});

const server = () => document.querySelector("[data-testid=server]").textContent;
const present = () =>
  [...document.querySelectorAll("[data-testid=people] .avatar")].map((avatar) => avatar.getAttribute("aria-label"));

/** Two windows, the first of them on server 1. */
async function openTwo() {
  const windows = [await browser.open(url, "Ann", project), await browser.open(url, "Bob", project)];
  const on = await Promise.all(windows.map((window) => window.getByTestId("server").textContent()));
  assert.deepEqual([...on].sort(), ["on server 1", "on server 2"]);
  return on[0] === "on server 1" ? windows : windows.reverse();
}

const addTask = async (page, title) => {
  await page.getByTestId("new-task-todo").fill(title);
  await page.getByTestId("new-task-todo").press("Enter");
};

test("windows on different servers see each other's changes", async () => {
  const windows = await openTwo();
  const [one, two] = windows;
  await addTask(one, "from the first");
  for (const page of windows) await boardShows(page, { todo: ["from the first"] });
  await addTask(two, "from the second");
  for (const page of windows) await boardShows(page, { todo: ["from the first", "from the second"] });

  // Over REST at each server in turn.
  for (const [index, title] of ["a", "b", "c", "d"].entries()) {
    const response = await fetch(`${url}/api/projects/${project}/tasks?server=${(index % 2) + 1}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title, column: "done" }),
    });
    assert.equal(response.status, 201);
  }
  const todo = ["from the first", "from the second"];
  for (const page of windows) await boardShows(page, { todo, done: ["a", "b", "c", "d"] });
});

test("people, cursors and messages cross from server to server", async () => {
  const [one, two] = await openTwo();
  const other = async (page) => ((await page.title()).startsWith("Ann") ? "Bob" : "Ann");
  const [second, first] = [await other(one), await other(two)];
  await becomes(one, present, [
    ...(first === "Ann" ? ["Ann, you, on server 1", "Write to Bob, on server 2"] : []),
    ...(first === "Bob" ? ["Write to Ann, on server 2", "Bob, you, on server 1"] : []),
  ]);

  const box = await one.getByTestId("board").boundingBox();
  await one.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await two.getByTestId(`cursor-${first}`).waitFor();

  await two.getByTestId(`person-${first}`).click();
  await two.getByTestId("letter-text").fill("Lunch?");
  await two.getByTestId("letter-send").click();
  await one.getByTestId("toast").getByText("Lunch?").waitFor();

  await two.close();
  await becomes(one, present, [`${first}, you, on server 1`]);
  assert.notEqual(first, second);
});

test("a window that polls has all its requests answered by its server", async () => {
  for (let windows = 0; windows < 2; windows += 1) {
    const page = await browser.window();
    // As where something on the way lets no WebSocket through.
    await page.routeWebSocket(/socket\.io/, (connection) => connection.close());
    const requests = [];
    page.on("request", (request) => {
      if (request.url().includes("transport=polling")) requests.push(new URL(request.url()).searchParams.get("server"));
    });
    await browser.open(url, "Ann", project, page);
    await addTask(page, `task ${windows}`);
    await page.getByTestId("title").getByText(`task ${windows}`, { exact: true }).waitFor();
    const own = (await page.evaluate(server)).at(-1);
    assert.ok(requests.length > 3, `${requests}`);
    assert.deepEqual(new Set(requests), new Set([own]));
  }
});
