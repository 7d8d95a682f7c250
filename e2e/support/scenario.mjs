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

/** No scenario takes longer, in milliseconds; the slowest visits every state four times. */
const TIMEOUT = 180_000;

/**
 * Registers a test that gets fresh servers and a person in front of a browser.
 *
 * `body` receives `stack` (see stack.mjs), the person's `page`, `context` and `problems` (see browser.mjs), and
 * `someoneElse()`, which makes another person. The test fails also when there is a problem at the end. What the backend logged is shown when it fails.
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
    const someoneElse = async () => {
      const person = await newPerson(browser);
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
      context.diagnostic(`at ${people.map(({ page }) => page.url()).join(", ")}`);
      context.diagnostic(`the backend's last lines:\n${stack.logs().split("\n").slice(-40).join("\n")}`);
      throw error;
    } finally {
      for (const person of people) await person.context.close();
      await stack.stop();
    }
  });
}
