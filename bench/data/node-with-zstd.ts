/** A Node whose zlib has zstd, 22.15 or newer: this one, or one from the registry. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { messageOf } from "../../src/core/errors.ts";

const run = promisify(execFile);

export async function nodeWithZstd(
  dir: string,
): Promise<{ readonly path: string | undefined; readonly is: string }> {
  if ("createZstdCompress" in zlib) return { path: process.execPath, is: "by this Node" };
  const folder = path.join(dir, "node");
  const { platform, arch } = process;
  // What the package `node` installs by a script; scripts may be off.
  const name = `node-${platform === "darwin" && arch === "arm64" ? "bin-" : ""}${platform}-${arch}`;
  const node = path.join(folder, "node_modules", name, "bin", "node");
  try {
    await run("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", `${name}@22`]);
    const { stdout } = await run(node, ["--version"]);
    return {
      path: node,
      is: `by Node ${stdout.trim().slice(1)} of the registry's package ${name}`,
    };
  } catch (error) {
    return {
      path: undefined,
      is: `not measured: this Node has none, and the registry gave no other: ${messageOf(error)}`,
    };
  }
}
