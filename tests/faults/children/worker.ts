/** A worker of the crash sweep, ended by whoever counts its calls. */
import { startSweepWorker, type WorkerOrders } from "../one-case.ts";

const orders: WorkerOrders = JSON.parse(process.argv[2] ?? "");
await startSweepWorker(orders);
process.stdout.write("ready\n");
