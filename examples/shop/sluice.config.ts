/** The sample shop: every night, yesterday's data is in the warehouse. `npm run demo` runs it. */
import { daily, defineConfig } from "sluice";
import * as tasks from "./tasks.ts";

export default defineConfig({
  tasks,
  schedules: [daily(tasks.AllTasks, { at: "02:30", timezone: "Europe/Berlin" })],
});
