// Builds the page into dist/. Needs nothing but Node: the locked packages are installed first when they are missing.
//
//   node build.mjs            once
//   node build.mjs --watch    again after every change

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const at = (...parts) => join(here, ...parts);

installLockedPackages();
const { build, context } = await import("esbuild");

const options = {
  absWorkingDir: here,
  entryPoints: ["src/index.html", "src/board.css", "src/board.ts"],
  loader: { ".html": "copy", ".css": "copy" },
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning",
};

if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
} else {
  await build(options);
}

// A copy of the lock file inside node_modules says which lock file that folder was installed from; tests/setup.sh keeps
// to the same convention. Time stamps would not do: a checkout sets them as it likes.
function installLockedPackages() {
  const lock = at("package-lock.json");
  const installed = at("node_modules", ".installed-lock.json");
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(lock))) return;

  console.error("installing the page's npm packages (once)");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: here,
    stdio: ["ignore", process.stderr, process.stderr],
    shell: process.platform === "win32", // npm is a .cmd file there, which only a shell can start.
  });
  if (npm.error || npm.status !== 0) {
    console.error(`npm ci failed in ${here}: ${npm.error?.message ?? `status ${npm.status}`}`);
    process.exit(1);
  }
  copyFileSync(lock, installed);
}
