/** Runs an entry point in this process, once its dependencies are installed. */

import { endWithNpm } from "./end-with-npm.js";
import { ensureInstalled } from "./install.js";

// The SDK's version is pinned, so its advice about future versions is not for the user.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** @param {string} entry Relative to this file; TypeScript runs from its sources. */
export async function runSource(entry) {
  endWithNpm();
  await ensureInstalled({ production: true });
  if (entry.endsWith(".ts")) await import("../bin/typescript.js");
  await import(new URL(entry, import.meta.url).href);
}
