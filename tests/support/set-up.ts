/** Runs before each test file that uses services. */
import { registerHooks } from "./closing.ts";

registerHooks();
