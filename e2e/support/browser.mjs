// One Chromium for a test file, and a fresh, separate person in it whenever one is asked for.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { CHROMIUM } from "./places.mjs";
import { freePort } from "./ports.mjs";

const FLAGS = [
  "--disable-gpu",
  // Containers give /dev/shm 64 MiB, which a page can fill.
  "--disable-dev-shm-usage",
  // The browser's own calls home have no place in a test.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

const OPTIONS = {
  executablePath: CHROMIUM,
  headless: true,
  // Chromium refuses its sandbox to root.
  chromiumSandbox: process.getuid() !== 0,
  args: FLAGS,
};

/** Starts the browser. */
export function launch() {
  return chromium.launch(OPTIONS);
}

/** Starts a browser that Lighthouse can reach at `port`. It looks at pages with the cookies of `context`. */
export async function launchForLighthouse() {
  const profile = await mkdtemp(join(tmpdir(), "instagram-connect-lighthouse-"));
  const port = await freePort();
  const context = await chromium.launchPersistentContext(profile, {
    ...OPTIONS,
    // A tab that Chromium takes for hidden is painted late or never.
    args: [
      ...FLAGS,
      `--remote-debugging-port=${port}`,
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
    ],
    locale: "en-US",
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { port, context, close };
}

/**
 * A person with a browser profile of their own: no cookies, English, UTC.
 *
 * `person.problems` collects what the page itself got wrong: uncaught errors and console errors. A response that says
 * no (401, 404, …) is a normal answer of the API, though Chromium writes it to the console, and is not counted.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").BrowserContextOptions} options what is different about this one
 */
export async function newPerson(browser, options = {}) {
  const context = await browser.newContext({
    ...options,
    locale: "en-US",
    timezoneId: "UTC",
    viewport: { width: 1280, height: 800 },
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    const answeredNo = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !answeredNo) problems.push(message.text());
  });
  return { context, page, problems };
}
