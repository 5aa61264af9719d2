/**
 * Lets Node run TypeScript sources: `node --import ./bin/typescript.js main.ts`. A relative
 * import may say `.js` or nothing where the file says `.ts`; nothing else of how Node loads modules is
 * changed.
 */

import { register } from "node:module";

// An error's stack shows the lines of the source.
process.setSourceMapsEnabled(true);
register("./strip-types.js", import.meta.url);
