// Accessibility, as far as a program can judge it: axe-core's rules for WCAG 2.2 AA and its best practices.

import assert from "node:assert/strict";

import axe from "axe-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * Fails when axe-core finds anything on the page as it is now.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} state what the page shows, for the message
 */
export async function assertAccessible(page, state) {
  // By evaluation: the page's Content-Security-Policy forbids a foreign script element, as it should.
  if (!(await page.evaluate(() => "axe" in globalThis))) {
    await page.evaluate(axe.source);
  }
  const { passes, violations } = await page.evaluate(
    (values) => globalThis.axe.run({ runOnly: { type: "tag", values } }),
    RULES,
  );
  const lines = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}\n  ${target.join(" ")}\n  ${failureSummary}`),
  );
  // Tags that no rule has would find nothing anywhere.
  assert.ok(passes.length > 0, `axe-core looked at nothing on "${state}"`);
  assert.equal(lines.length, 0, `axe-core on "${state}":\n${lines.join("\n")}`);
}
