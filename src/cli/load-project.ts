/** Loads `sluice.config.ts`: its default export is the project. */
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Project } from "../core/config.ts";
import { messageOf, SluiceError, UsageError } from "../core/errors.ts";

export async function loadProject(file: string): Promise<Project> {
  const absolute = path.resolve(file);
  if (!existsSync(absolute)) {
    throw new UsageError(
      "CONFIG_MISSING",
      `There is no ${file}: go to the folder of your pipeline, or name its configuration with --config`,
    );
  }
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(pathToFileURL(absolute).href);
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const why = messageOf(cause);
    // What Node says of `import` in a file that it takes for CommonJS helps nobody.
    const remedy = why.includes("require() ES Module")
      ? 'add "type": "module" to the package.json of its folder'
      : why;
    throw new UsageError("CONFIG_BROKEN", `${file} cannot be loaded: ${remedy}`, { cause });
  }
  if (!(loaded.default instanceof Project)) {
    throw new UsageError(
      "CONFIG_INVALID",
      `${file} does not export a project: end it with "export default defineConfig({ tasks })"`,
    );
  }
  return loaded.default;
}
