// One Chromium for a test file, and a fresh, separate person in it whenever one is asked for.

import { chromium } from "playwright-core";

import { CHROMIUM } from "./places.mjs";

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

/** Starts the browser. */
export function launch() {
  return chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    // Chromium refuses its sandbox to root.
    chromiumSandbox: process.getuid() !== 0,
    args: FLAGS,
  });
}

/**
 * A person with a browser profile of their own: no cookies, English, UTC.
 *
 * `person.problems` collects what the page itself got wrong: uncaught errors and console errors. A response that says
 * no (401, 404, …) is a normal answer of the API, though Chromium writes it to the console, and is not counted.
 *
 * @param {import("playwright-core").Browser} browser
 */
export async function newPerson(browser) {
  const context = await browser.newContext({
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
