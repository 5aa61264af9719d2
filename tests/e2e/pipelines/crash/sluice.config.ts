/** A table large enough to be caught in the middle of its dump and of its load. */
import {
  copyTableToS3,
  defineConfig,
  defineTask,
  loadTable,
  p,
  s3Dataset,
  tableMarker,
} from "sluice";

const params = { date: p.date() };
const retry = { attempts: 1 };

const DumpBig = defineTask(
  {
    name: "DumpBig",
    params,
    output: ({ date }) => s3Dataset(`dumps/big/${date}/`),
    queue: "copy",
    retry,
  },
  ({ source, output, signal, progress }) =>
    // File after file, each of several parts: one killed later leaves objects and an open upload.
    copyTableToS3(source, "shop.big", output, {
      signal,
      progress,
      fileBytes: 24 * 1024 * 1024,
      lanes: 1,
    }),
);

const LoadBig = defineTask(
  {
    name: "LoadBig",
    params,
    requires: (each) => DumpBig(each),
    output: () => tableMarker("landing.big"),
    queue: "load",
    retry,
  },
  async ({ input, output, warehouse, progress }) => {
    const { rows } = await warehouse.atomically(
      output,
      loadTable("landing.big", input, { progress }),
    );
    return { rows };
  },
);

export default defineConfig({ tasks: [DumpBig, LoadBig] });
