/** `sluice sql`: the statements that a task would execute, with secrets masked. Executes none. */
import { UsageError } from "../../core/errors.ts";
import { maskSecrets } from "../../core/secret.ts";
import { taskContext } from "../../queue/task-context.ts";
import { openSettingsStores } from "../../workplace.ts";
import { type DevelopmentOption, withServices } from "../development.ts";
import type { Named, Session } from "../session.ts";

export async function sqlCommand(
  { environment, terminal, signal }: Session,
  { root: task }: Named,
  options: DevelopmentOption,
): Promise<void> {
  if (task.family.sql === undefined) {
    throw new UsageError(
      "SQL_UNKNOWN",
      `${task.family.name} does not say which SQL it executes: declare "sql" beside its "output"`,
    );
  }
  const { sql } = task.family;
  await withServices(environment, options, async (settings) => {
    const stores = openSettingsStores(settings);
    try {
      const statements = await sql(taskContext({ task, stores, signal }));
      for (const statement of statements) terminal.print(`${maskSecrets(statement)};`);
    } finally {
      await stores.close();
    }
  });
}
