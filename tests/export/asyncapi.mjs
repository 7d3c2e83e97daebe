// Reads each of the named AsyncAPI documents with the official parser, and fails on whatever it calls an error.

import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const ERROR = 0;

for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await new Parser().parse(await readFile(file, "utf8"));
  for (const { message, path, severity } of diagnostics) {
    if (severity === ERROR) {
      console.error(`${file}: ${path.join(".")}: ${message}`);
      process.exitCode = 1;
    }
  }
  if (!document) continue;
  const operations = document.operations().all();
  const count = (action) => operations.filter((operation) => operation.action() === action).length;
  const replies = operations.filter((operation) => operation.reply()).length;
  console.log(`${file}: ${count("send")} sent, ${count("receive")} received, ${replies} acknowledged`);
}
