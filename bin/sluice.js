#!/usr/bin/env node
/** The command line, run from its TypeScript sources. */

import { register } from "tsx/esm/api";

register();
await import("../src/cli/main.ts");
