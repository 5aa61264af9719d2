/** The operator's morning in a real browser: a load failed on a bad row; Bull Board shows it and retries it. */
import { expect, test } from "vitest";
import { openBrowser } from "./support/browser.ts";
import { sluice, startSluice } from "./support/command.ts";
import { freshPlace } from "./support/place.ts";
import { until } from "./support/until.ts";

const DATE = "2026-11-21";
const login = { username: "operator", password: "a login of this test" };

test("what failed is found in Bull Board with its error, and a click on Retry completes the run", async () => {
  const place = await freshPlace();
  const env = {
    ...place.env,
    SLUICE_CONFIG: "tests/e2e/pipelines/operator/sluice.config.ts",
    SLUICE_DASHBOARD_PORT: "0",
    SLUICE_DASHBOARD_USER: login.username,
    SLUICE_DASHBOARD_PASSWORD: login.password,
  };
  await place.warehouse(`
    CREATE SCHEMA landing; CREATE SCHEMA mart;
    CREATE TABLE landing.orders (id int, day date, amount text);
    CREATE TABLE mart.orders (id int, day date, amount numeric(12,2));
    CREATE TABLE mart.revenue (day date, amount numeric);
    INSERT INTO landing.orders VALUES (1, '${DATE}', '10.00'), (2, '${DATE}', '12,99')`);
  startSluice(["worker"], { env });
  const dashboard = startSluice(["dashboard"], { env });
  const night = sluice(["run", "AllTasks", "--date", DATE], env);
  const browser = await openBrowser();
  expect((await night).code).toBe(1);
  const [, address = ""] = await dashboard.says(/Bull Board at (http:\S+)/);

  const stranger = await browser.newPage();
  expect((await stranger.goto(address))?.status()).toBe(401);

  const context = await browser.newContext({ httpCredentials: login });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
  await page.goto(address);
  await page.getByRole("link", { name: "load" }).first().click();
  await page.getByRole("link", { name: /^Failed/i }).click();
  await page.getByText(`LoadOrders(date=${DATE})`).first().waitFor();
  await page
    .getByText(/invalid input syntax for type numeric: "12,99"/)
    .first()
    .waitFor();

  await place.warehouse("UPDATE landing.orders SET amount = '12.99' WHERE id = 2");
  // The buttons of a job are icons: what they do is said when the mouse is over them.
  const retry = page
    .getByRole("link", { name: /^LoadOrders_/ })
    .locator("xpath=following::button[1]");
  await retry.hover();
  await page.getByText("Retry", { exact: true }).waitFor();
  await retry.click();
  await page.getByRole("button", { name: "Confirm" }).click();
  await until("the run completes", async () => {
    const [row] = await place.warehouse("SELECT count(*)::int AS days FROM mart.revenue");
    return row?.["days"] === 1;
  });
  expect(await place.warehouse("SELECT amount::text FROM mart.revenue")).toEqual([
    { amount: "22.99" },
  ]);
  await page.getByRole("link", { name: /^Completed/i }).click();
  await page.getByText(`LoadOrders(date=${DATE})`).first().waitFor();
  expect(complaints).toEqual([]);
});
