/** Runs before each test file. */
import { registerHooks } from "./closing.ts";

registerHooks();
