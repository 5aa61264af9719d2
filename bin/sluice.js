#!/usr/bin/env node
/** The command line, run from its TypeScript sources: as the bundle that was made of them. */

import { register } from "node:module";
import { bundled } from "./bundle.js";

// The SDK's version is pinned, so its advice about future versions is not for the user.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
// An error's stack shows the lines of the source.
process.setSourceMapsEnabled(true);
const modules = await bundled();
const main = new URL("../src/cli/main.ts", import.meta.url).href;
// For the user's own sources.
register("./strip-types.js", import.meta.url, { data: modules });
await import(modules[main] ?? main);
