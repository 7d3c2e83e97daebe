// People in front of the board, in headless Chromium.
//
//   node board.test.mjs http://127.0.0.1:3000      (or ROOMS_URL=... node --test)
//
// Without an address it runs against reference-board.mjs, which proves the page and these tests themselves.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { becomes, boardShows, Browser } from "./harness.mjs";
import { startReferenceBoard } from "./reference-board.mjs";

let url = process.argv[2] ?? process.env.ROOMS_URL;
let reference;
let browser;
// Every test has a project of its own, so that it meets an empty board however often it runs.
let project = Date.now();

before(async () => {
  if (!url) {
    reference = await startReferenceBoard();
    url = reference.url;
  }
});
after(() => reference?.close());
beforeEach(async () => {
  browser = await Browser.start();
  project += 1;
});
afterEach(async () => {
  const { problems } = browser;
  await browser.close();
  assert.deepEqual(problems, []);
});

const open = (name, page) => browser.open(url, name, project, page);
const addTask = async (page, title) => {
  await page.getByTestId("new-task-todo").fill(title);
  await page.getByTestId("new-task-todo").press("Enter");
};
const card = (page, title) =>
  page.getByRole("listitem").filter({ has: page.getByTestId("title").getByText(title, { exact: true }) });
const press = async (page, title, button) => {
  await card(page, title).hover();
  await card(page, title).getByTestId(button).click();
};
const taskId = async (page, title) => (await card(page, title).getAttribute("data-testid")).replace("task-", "");

/** Calls the REST interface as a user in a terminal does. */
async function curl(method, path, body) {
  const args = ["--silent", "--show-error", "--fail-with-body", "--request", method, `${url}${path}`];
  if (body) args.push("--header", "content-type: application/json", "--data", JSON.stringify(body));
  const { stdout } = await promisify(execFile)("curl", args);
  return stdout && JSON.parse(stdout);
}

test("a task renamed by curl has its new name in both windows", async () => {
  const [ann, bob] = [await open("Ann"), await open("Bob")];
  await addTask(ann, "Paint the door");
  for (const page of [ann, bob]) await boardShows(page, { todo: ["Paint the door"] });

  await curl("PATCH", `/api/tasks/${await taskId(ann, "Paint the door")}`, { title: "Paint the door blue" });
  for (const page of [ann, bob]) await boardShows(page, { todo: ["Paint the door blue"] });
});

test("curl can do all that the page can", async () => {
  const ann = await open("Ann");
  const { id } = await curl("POST", `/api/projects/${project}/tasks`, { title: "Lay the carpet", column: "doing" });
  await boardShows(ann, { doing: ["Lay the carpet"] });
  await curl("POST", `/api/projects/${project}/tasks`, { title: "Sweep" });
  await boardShows(ann, { todo: ["Sweep"], doing: ["Lay the carpet"] });
  await curl("PATCH", `/api/tasks/${id}`, { column: "todo", position: 0, title: "Lay it" });
  await boardShows(ann, { todo: ["Lay it", "Sweep"] });
  await curl("DELETE", `/api/tasks/${id}`);
  await boardShows(ann, { todo: ["Sweep"] });
  assert.deepEqual(
    (await curl("GET", `/api/projects/${project}/tasks`)).map(({ title, column }) => [title, column]),
    [["Sweep", "todo"]],
  );
});

test("a task renamed in its card has its new name in the other window", async () => {
  const [ann, bob] = [await open("Ann"), await open("Bob")];
  await addTask(ann, "Hang the lamp");
  await boardShows(bob, { todo: ["Hang the lamp"] });

  await press(bob, "Hang the lamp", "rename");
  await bob.getByTestId("title-input").fill("Hang both lamps");
  await bob.getByTestId("title-input").press("Enter");
  for (const page of [ann, bob]) await boardShows(page, { todo: ["Hang both lamps"] });

  await press(bob, "Hang both lamps", "rename");
  await bob.getByTestId("title-input").fill("Forget it");
  await bob.getByTestId("title-input").press("Escape");
  await boardShows(bob, { todo: ["Hang both lamps"] });
});

test("tasks move by buttons, by the keyboard and by drag and drop", async () => {
  const [ann, bob] = [await open("Ann"), await open("Bob")];
  for (const title of ["one", "two", "three"]) await addTask(ann, title);
  for (const page of [ann, bob]) await boardShows(page, { todo: ["one", "two", "three"] });

  await press(ann, "one", "move-right");
  for (const page of [ann, bob]) await boardShows(page, { todo: ["two", "three"], doing: ["one"] });

  // The button keeps the focus while its card moves under it, so it can be pressed again.
  await card(bob, "three").getByTestId("move-up").focus();
  await bob.keyboard.press("Enter");
  for (const page of [ann, bob]) await boardShows(page, { todo: ["three", "two"], doing: ["one"] });
  await card(bob, "three").getByTestId("move-right").focus();
  await bob.keyboard.press("Enter");
  for (const page of [ann, bob]) await boardShows(page, { todo: ["two"], doing: ["one", "three"] });
  await bob.keyboard.press("Enter");
  for (const page of [ann, bob]) await boardShows(page, { todo: ["two"], doing: ["one"], done: ["three"] });

  await card(ann, "two").dragTo(card(ann, "one"), { targetPosition: { x: 20, y: 4 } });
  for (const page of [ann, bob]) await boardShows(page, { doing: ["two", "one"], done: ["three"] });
  await card(bob, "two").dragTo(bob.getByTestId("column-done"));
  for (const page of [ann, bob]) await boardShows(page, { doing: ["one"], done: ["three", "two"] });
});

test("a deleted task is gone from both windows", async () => {
  const [ann, bob] = [await open("Ann"), await open("Bob")];
  await addTask(ann, "keep");
  await addTask(ann, "drop");
  await boardShows(bob, { todo: ["keep", "drop"] });
  await press(bob, "drop", "delete");
  for (const page of [ann, bob]) await boardShows(page, { todo: ["keep"] });
});

test("projects do not hear of each other", async () => {
  const here = await open("Ann");
  const there = await browser.open(url, "Bob", ++project);
  await addTask(here, "only here");
  await boardShows(here, { todo: ["only here"] });
  for (const title of ["there", "there too"]) await addTask(there, title);
  await boardShows(there, { todo: ["there", "there too"] });
  await addTask(here, "still only here");
  await boardShows(here, { todo: ["only here", "still only here"] });
});

test("everybody sees who is here, once for each person", async () => {
  const present = () =>
    [...document.querySelectorAll("[data-testid=people] .avatar")].map(({ dataset }) => [
      dataset.testid,
      dataset.windows,
    ]);
  const ann = await open("Ann");
  await becomes(ann, present, [["person-Ann", "1"]]);
  const bob = await open("Bob");
  const both = [
    ["person-Ann", "1"],
    ["person-Bob", "1"],
  ];
  for (const page of [ann, bob]) await becomes(page, present, both);
  const second = await open("Ann");
  for (const page of [ann, bob, second]) await becomes(page, present, [["person-Ann", "2"], both[1]]);
  await second.close();
  for (const page of [ann, bob]) await becomes(page, present, both);
  await bob.close();
  await becomes(ann, present, [["person-Ann", "1"]]);
});

test("a cursor is an arrow at the same place in the other window", async () => {
  const [ann, bob] = [await open("Ann"), await open("Bob")];
  await ann.getByTestId("person-Bob").waitFor();
  const box = await ann.getByTestId("board").boundingBox();
  await ann.mouse.move(box.x + box.width / 4, box.y + box.height / 2);

  const place = () => {
    const { left, top } = document.querySelector("[data-testid=cursor-Ann]")?.style ?? {};
    return [left, top].map((percent) => Math.round(Number.parseFloat(percent)));
  };
  await becomes(bob, place, [25, 50]);
  await ann.mouse.move(box.x + box.width / 2, box.y + box.height / 4);
  await becomes(bob, place, [50, 25]);
  assert.equal(await ann.locator(".cursor").count(), 0, "nobody sees an arrow for themselves");

  await ann.close();
  await bob.getByTestId("cursor-Ann").waitFor({ state: "detached" });
});

test("a private message reaches one person, who can answer", async () => {
  const [ann, bob, eve] = [await open("Ann"), await open("Bob"), await open("Eve")];
  await ann.getByTestId("person-Bob").click();
  await ann.getByTestId("letter-text").fill("Lunch?");
  await ann.getByTestId("letter-send").click();

  await bob.getByTestId("toast").getByText("Lunch?").waitFor();
  await bob.getByTestId("toast").getByRole("button", { name: "Reply" }).click();
  await bob.getByTestId("letter-text").fill("At noon");
  await bob.getByTestId("letter-text").press("Enter");
  await ann.getByTestId("letter-log").getByText("At noon").waitFor();
  const lines = () => [...document.querySelectorAll("[data-testid=letter-log] li")].map((line) => line.textContent);
  await becomes(ann, lines, ["Lunch?", "At noon"]);

  // A later event of the same room has reached Eve, so an earlier message would have, too.
  await curl("POST", `/api/projects/${project}/tasks`, { title: "later" });
  await boardShows(eve, { todo: ["later"] });
  assert.equal(await eve.getByTestId("toast").count(), 0);
});

test("the scratch note is the same in all tabs of one person, and nobody else's", async () => {
  const name = `Ann ${project}`; // Notes belong to names, not to projects.
  const text = () => document.querySelector("[data-testid=note]").value;
  const [first, second, bob] = [await open(name), await open(name), await open(`Bob ${project}`)];
  await first.getByTestId("note").fill("milk");
  await becomes(second, text, "milk");
  await second.getByTestId("note").pressSequentially(", bread");
  await becomes(first, text, "milk, bread");
  await becomes(await open(name), text, "milk, bread");
  assert.equal(await bob.getByTestId("note").inputValue(), "");
});

test("a window that lost its connection catches up when it is back", async () => {
  let down = false;
  const connections = [];
  const ann = await browser.window();
  await ann.routeWebSocket(/socket\.io/, (connection) => {
    if (down) return connection.close();
    connection.connectToServer();
    connections.push(connection);
  });
  await open("Ann", ann);
  await addTask(ann, "before");
  await boardShows(ann, { todo: ["before"] });

  down = true;
  for (const connection of connections) await connection.close();
  const status = () => document.querySelector("[data-testid=status]").dataset.status;
  await becomes(ann, status, "connecting");
  await curl("PATCH", `/api/tasks/${await taskId(ann, "before")}`, { title: "meanwhile" });

  down = false;
  await becomes(ann, status, "live");
  await boardShows(ann, { todo: ["meanwhile"] });
  await curl("PATCH", `/api/tasks/${await taskId(ann, "meanwhile")}`, { title: "after" });
  await boardShows(ann, { todo: ["after"] });
});

test("without a name the page asks for one, and a refused name is explained", async () => {
  const page = await browser.window();
  await page.goto(`${url}/?project=${project}`);
  await page.getByTestId("name").fill("Zoë");
  await page.getByTestId("enter").click();
  await page.locator('[data-testid=status][data-status="live"]').waitFor();
  await page.getByTestId("person-Zoë").waitFor();

  await page.goto(`${url}/?${new URLSearchParams({ name: "x".repeat(41), project })}`);
  await page.locator('[data-testid=status][data-status="refused"]').waitFor();
  assert.notEqual(await page.getByTestId("welcome-problem").textContent(), "");
});
