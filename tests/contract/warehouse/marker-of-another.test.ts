/** Who may say that rows are his: a session that dies as it waits to write its marker has none. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Marker } from "../../../src/core/stores.ts";
import { opened } from "../../integration/data/data-stores.ts";
import { Barrier } from "../../support/barrier.ts";
import { proxied } from "../../support/proxied.ts";
import { IS_CLUSTER } from "../../support/redshift.ts";
import { type OpenedWarehouse, WAREHOUSES } from "./warehouses.ts";

/** What keeps others from writing a marker, and lets them read. */
const KEEP_OUT = {
  postgres: "LOCK TABLE table_updates IN SHARE ROW EXCLUSIVE MODE",
  redshift: "LOCK table_updates_fence",
} as const;

const WAITING =
  "SELECT DISTINCT l.pid FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE NOT l.granted AND d.datname = current_database()";

describe.each(WAREHOUSES)("on $name", ({ dialect, open }) => {
  let place: OpenedWarehouse;

  beforeAll(async () => {
    place = await open();
    await place.administer("CREATE TABLE log (entry varchar(100))");
  });

  const marker = (updateId: string, change: Partial<Marker> = {}): Marker => ({
    updateId,
    table: "log",
    signal: new AbortController().signal,
    confirmLease: async () => {},
    ...change,
  });

  test.each(["atomically", "serially"] as const)(
    "an attempt that dies as it waits to write its marker does not take another's for its own: %s",
    async (how) => {
      const { administer, stores } = place;
      const { warehouse } = stores;
      const updateId = `Raced_${how}`;
      const locked = new Barrier();
      const released = new Barrier();
      let holding: Promise<unknown> = Promise.resolve();
      const keepOut = async () => {
        // Somebody else's attempt was first, and a third one is at the door.
        await administer(`INSERT INTO table_updates VALUES ('${updateId}', 'log', NULL)`);
        holding = warehouse
          .atomically(marker(`Holder_${how}`), KEEP_OUT[dialect], async () => {
            locked.open();
            await released.opened;
            throw new Error("let go");
          })
          .catch((error: unknown) => String(error));
        await locked.opened;
      };
      const attempt = warehouse[how](marker(updateId), async () => {
        await keepOut();
        return 0;
      }).then(
        ({ already }) => (already ? "another's" : "ours"),
        () => "failed",
      );
      await expect.poll(() => administer(WAITING)).toHaveLength(1);
      const [waiting] = await administer(WAITING);
      await administer(`SELECT pg_terminate_backend(${String(waiting?.["pid"])})`);
      expect(await attempt).not.toBe("ours");
      released.open();
      expect(await holding).toContain("let go");
      expect(await warehouse[how](marker(updateId), "SELECT 1")).toEqual({
        rows: 0,
        already: true,
      });
    },
  );

  // What is between us and a cluster is encrypted, so nobody sees a COMMIT go by.
  test.skipIf(IS_CLUSTER && dialect === "redshift")(
    "a COMMIT that got lost, and another attempt in its place: the marker is the other's",
    async () => {
      const { administer, settings, stores } = place;
      const { proxy, url } = await proxied(String(settings.warehouseUrl));
      const { warehouse } = opened({ ...settings, warehouseUrl: url });
      const own = marker("Lost_commit", {
        confirmLease: async () => {
          if (taken) throw new Error("lease lost");
        },
      });
      let taken = false;
      let pid: unknown;
      const lost = new Barrier();
      proxy.rules = {
        onClient: (bytes) => {
          if (!bytes.includes("COMMIT\0") || pid === undefined || taken) return true;
          // The server never hears of it, and what it says from now on is not heard here.
          taken = true;
          proxy.freeze();
          lost.open();
          return false;
        },
      };
      const add = "INSERT INTO log VALUES ('lost commit')";
      const first = warehouse
        .atomically(own, add, async (transaction) => {
          const [session] = (await transaction.select("SELECT pg_backend_pid() AS pid")) ?? [];
          pid = session?.["pid"];
          return 0;
        })
        .then(
          ({ already }) => (already ? "another's" : "ours"),
          () => "failed",
        );
      await lost.opened;
      await administer(`SELECT pg_terminate_backend(${String(pid)})`);
      const second = await stores.warehouse.atomically(marker(own.updateId), add);
      expect(second).toEqual({ rows: 1, already: false });
      proxy.cutAll();
      expect(await first).toBe("failed");
      const found = "SELECT entry FROM log WHERE entry = 'lost commit'";
      expect(await administer(found)).toHaveLength(1);
    },
  );

  test.skipIf(IS_CLUSTER || dialect === "postgres")(
    "a COMMIT that is done only when the transaction is repeated: its rows are counted, once",
    async () => {
      const { administer, settings } = place;
      const { proxy, url } = await proxied(String(settings.warehouseUrl));
      const { warehouse } = opened({ ...settings, warehouseUrl: url });
      const add = "INSERT INTO log VALUES ('late commit')";
      let tries = 0;
      const own = marker("Late_commit", {
        confirmLease: async () => {
          // What a server does that was slow.
          if (++tries === 2) await administer(`${add}; ${late}`);
        },
      });
      const late = `INSERT INTO table_updates VALUES ('${own.updateId}', 'log', NULL)`;
      proxy.rules = {
        onClient: (bytes, link) => {
          if (!bytes.includes("COMMIT\0") || tries !== 1) return true;
          link.cut();
          return false;
        },
      };
      expect(await warehouse.atomically(own, add)).toEqual({ rows: 1, already: false });
      const found = "SELECT entry FROM log WHERE entry = 'late commit'";
      expect(await administer(found)).toHaveLength(1);
    },
  );
});
