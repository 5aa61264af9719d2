/** Holds a stack until it is killed: `node --import sluice/typescript stack-child.ts <folder>`. */

import { startStack } from "../../../src/embedded/stack.ts";

const stack = await startStack({ dir: process.argv[2] ?? "", settings: {}, env: process.env });
process.stdout.write(`${JSON.stringify(stack.environment)}\n`);
setInterval(() => undefined, 1000);
