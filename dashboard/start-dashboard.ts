/** The dashboard on a port. It refuses to be open to a network without a login. */
import { createServer } from "node:http";
import { UsageError } from "../src/core/errors.ts";
import { listen, type ListenAddress, type Listening } from "../src/http/listen.ts";
import { createDashboard, type DashboardOptions } from "./app.ts";
import { isLoopback } from "./loopback.ts";

/** Throws a `UsageError` for a host that others can reach, unless `auth` is given. */
export async function startDashboard(
  options: DashboardOptions & ListenAddress,
): Promise<Listening> {
  const { host, port, auth } = options;
  if (auth === undefined && !isLoopback(host)) {
    throw new UsageError(
      "DASHBOARD_OPEN",
      `The dashboard would be open to everyone who can reach ${host}: set SLUICE_DASHBOARD_USER and SLUICE_DASHBOARD_PASSWORD, or SLUICE_DASHBOARD_HOST=127.0.0.1`,
    );
  }
  return listen(createServer(createDashboard(options)), { host, port }, "SLUICE_DASHBOARD");
}
