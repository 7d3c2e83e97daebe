// What every program of the table has in common: ../../FIXTURE.md, "The table".

import { setTimeout as sleep } from "node:timers/promises";

/** How long a row may take before it fails. What a row waits for has a shorter deadline, and a clearer message. */
const DEADLINE_MS = 30_000;

/** The addresses of the command line. */
export const [url, breakable] = process.argv.slice(2);

/** Runs the rows of the command line, one after the other, and prints a line for each. */
export async function run(client, version, rows, cleanUp) {
  // What a failed row was still waiting for must not end the rows after it.
  process.on("unhandledRejection", (error) => console.error(error));
  print({ client, version });
  for (const row of process.argv.slice(4)) {
    try {
      if (!rows[row]) throw new Error("this program has no such row");
      await within(DEADLINE_MS, rows[row]());
      print({ row, pass: true });
    } catch (error) {
      // It may quote what a row has sent, and half a character is no JSON to everybody.
      print({ row, pass: false, why: (error.stack ?? String(error)).toWellFormed() });
    } finally {
      cleanUp();
    }
  }
  process.exit();
}

/** Asks whoever runs the table for `cut` or `restart`. */
export function request(what) {
  print({ request: what });
}

function print(line) {
  console.log(JSON.stringify(line));
}

async function within(ms, promise) {
  const late = new AbortController();
  const timeout = sleep(ms, null, { signal: late.signal, ref: false }).then(() => {
    throw new Error(`not done within ${ms} ms`);
  });
  timeout.catch(() => {});
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    late.abort();
  }
}
