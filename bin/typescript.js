/**
 * Lets Node run TypeScript sources: `node --import ./bin/typescript.js main.ts`. Imports are written as
 * Node resolves them, with their extension; nothing else of how Node loads modules is changed.
 */

import { register } from "node:module";

// An error's stack shows the lines of the source.
process.setSourceMapsEnabled(true);
register("./strip-types.js", import.meta.url);
