// A test of the browser suite: its own servers, its own person, one shared browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, newPerson } from "./browser.mjs";
import { startStack } from "./stack.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser?.close();
});

/** Options of a service that looks for background work every second, so that a test need not wait for it. */
export const BUSY = { env: { REFRESH_POLL_SECONDS: "1" } };

/** No scenario takes longer, in milliseconds; the slowest visits every state four times. */
const TIMEOUT = 180_000;

/**
 * Registers a test that gets fresh servers and a person in front of a browser.
 *
 * `body` receives `stack` (see stack.mjs), the person's `page`, `context` and `problems` (see browser.mjs), and
 * `someoneElse()`, which makes another person, in a browser with the options of `newPerson` if need be. The test fails also when there is a problem at the end. When it fails,
 * it shows what everyone sees and what the backend logged last.
 *
 * @param {string} name
 * @param {object} [options] for the servers: see `startStack`
 * @param {(tools: object) => Promise<void>} body
 */
export function scenario(name, ...rest) {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  test(name, { timeout: TIMEOUT }, async (context) => {
    const stack = await startStack(options);
    const people = [];
    const someoneElse = async (options) => {
      const person = await newPerson(browser, options);
      people.push(person);
      return person;
    };
    try {
      const person = await someoneElse();
      await body({ ...person, stack, someoneElse });
      assert.deepEqual(
        people.flatMap(({ problems }) => problems),
        [],
        "errors that the pages reported",
      );
    } catch (error) {
      for (const person of people) context.diagnostic(await describe(person));
      context.diagnostic(`the backend's last lines:\n${stack.logs().split("\n").slice(-20).join("\n")}`);
      throw error;
    } finally {
      for (const person of people) await person.context.close();
      await stack.stop();
    }
  });
}

/** What a person has in front of them, as a screen reader would tell it. */
async function describe({ page, problems }) {
  const shown = await page.locator("body").ariaSnapshot().catch(String);
  return [`at ${page.url()}:`, shown, ...problems].join("\n");
}
