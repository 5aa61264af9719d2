/** The stand-in for Redshift: how a session begins, and what holds for all of its statements. */
import { describe, expect, it } from "vitest";
import { openRedshift } from "./support.ts";

describe("a session", () => {
  it("says that it is Redshift, and in its version that it is a stand-in", async () => {
    const redshift = await openRedshift();
    const [row] = await redshift.rows("SELECT version() AS version");
    expect(row?.["version"]).toMatch(/^PostgreSQL 8\.0\.2 .* Redshift .*stand-in/);
  });

  it("takes parameters by the extended protocol", async () => {
    const redshift = await openRedshift();
    const { rows } = await redshift.client.query("SELECT $1::int + 1 AS sum", [41]);
    expect(rows).toEqual([{ sum: 42 }]);
  });
});
