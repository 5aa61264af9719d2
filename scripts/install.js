/**
 * Installs the dependencies when they are missing or not those of the lockfile. Plain Node that
 * imports no package, because there may be none yet.
 */

import { spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Resolves when everything that is needed is installed; exits with a message when it cannot be.
 * @param {{ production: boolean }} options `production`: the development tools are not needed.
 */
export async function ensureInstalled({ production }) {
  checkNode();
  if (isInstalled(production)) return;
  const release = await installLock();
  try {
    // Another command may have installed while we waited for the lock.
    if (!isInstalled(production)) await install(production);
  } finally {
    release();
  }
}

function checkNode() {
  const wanted = readJson("package.json").engines.node.replace(">=", "");
  const [major, minor] = wanted.split(".").map(Number);
  const [ourMajor, ourMinor] = process.versions.node.split(".").map(Number);
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return;
  fail(`Sluice needs Node.js ${wanted} or newer, and this is ${process.versions.node}`);
}

/**
 * Whether what npm says it installed has all that the lockfile asks for. Comparing the two, instead
 * of keeping a mark of our own, also sees what somebody installed by hand.
 */
function isInstalled(production) {
  const wanted = readJson("package-lock.json").packages;
  const present = readJson("node_modules/.package-lock.json")?.packages ?? {};
  return Object.entries(wanted).every(
    ([path, { version, dev, devOptional, optional }]) =>
      path === "" ||
      present[path]?.version === version ||
      // An optional one may be for another platform.
      (optional && present[path] === undefined) ||
      (production && (dev || devOptional)),
  );
}

async function install(production) {
  const begin = Date.now();
  const seconds = () => `${Math.round((Date.now() - begin) / 1000)} s`;
  process.stderr.write("installing dependencies … ");
  // Not `npm ci`: that refuses a lockfile without the optional packages of other platforms, and
  // empties node_modules below a command that is running. `--no-save` leaves the lockfile alone.
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  // The shell ends npm when the pipe from this process closes, as it does at any death of ours: an
  // npm that went on alone would collide with the next command's.
  const script = `exec 4<&0; npm "$@" </dev/null 4<&- & npm=$!
    { read -r _ <&4; kill -9 $npm; } 2>/dev/null & watch=$!
    wait $npm; code=$?; kill $watch; exit $code`;
  const npm = spawn(
    "/bin/sh",
    ["-c", script, "sh", ...args, ...(production ? ["--omit=dev"] : [])],
    {
      cwd: root,
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  npm.stdin.on("error", () => undefined);
  const problem = await new Promise((resolve) => {
    npm.on("error", (error) => resolve(`npm could not be started: ${error.message}`));
    npm.on("close", (code) => resolve(code === 0 ? undefined : output.trim()));
  });
  if (problem !== undefined) {
    process.stderr.write("failed\n");
    fail(`${problem}\nThe dependencies could not be installed; npm says why above`);
  }
  process.stderr.write(`${seconds()}\n`);
}

/**
 * Two commands may start at once in a fresh clone; the second waits for the first. The owner touches
 * the lock every second, so one that was left by a killed command is recognised by its age.
 */
async function installLock() {
  const folder = join(root, ".sluice");
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, "install.lock");
  for (let told = false; !created(lock); await sleep(500)) {
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 10_000) rmSync(lock, { force: true });
    if (!told) process.stderr.write("waiting for another command to install dependencies …\n");
    told = true;
  }
  const touch = setInterval(() => utimesSync(lock, new Date(), new Date()), 1000);
  const release = () => rmSync(lock, { force: true });
  // Also when a failed installation ends the process.
  process.once("exit", release);
  return () => {
    clearInterval(touch);
    process.off("exit", release);
    release();
  };
}

function created(file) {
  try {
    closeSync(openSync(file, "wx"));
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function readJson(path) {
  const text = readText(join(root, path));
  return text === undefined ? undefined : JSON.parse(text);
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
