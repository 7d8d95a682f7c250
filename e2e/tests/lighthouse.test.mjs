// Lighthouse's judgement on the pages that people see first, on its phone behind a slow network.

import assert from "node:assert/strict";
import { test } from "node:test";

import lighthouse from "lighthouse";
import * as constants from "lighthouse/core/config/constants.js";
import { pageFunctions } from "lighthouse/core/lib/page-functions.js";

import { launchForLighthouse } from "../support/browser.mjs";
import { connect, signUp } from "../support/journeys.mjs";
import { startStack } from "../support/stack.mjs";

const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];

/** What each category has to reach, of 100. */
const ENOUGH = 95;

/**
 * The fastest of this many runs counts: a machine that has other work makes a page slow, and nothing makes it fast. All other
 * categories have to be good in every run.
 */
const RUNS = 3;

/** How much slower than this machine the simulated phone is, where Lighthouse's benchmark gives the machine this many points. */
const SLOWDOWN = 4;
const POINTS = 2_000;

test("Lighthouse gives every category 95 at least", { timeout: 600_000 }, async (t) => {
  const stack = await startStack({ env: { RUST_LOG: "info" } });
  const browser = await launchForLighthouse();
  try {
    const judge = async (path) => {
      let fastest = 0;
      let last;
      let runs = 0;
      for (let tries = 0; tries < 2 * RUNS && runs < RUNS && fastest < ENOUGH; tries += 1) {
        ({ lhr: last } = await lighthouse(`${stack.origin}${path}`, {
          port: browser.port,
          logLevel: "error",
          onlyCategories: CATEGORIES,
          // Applied, not computed: here the program is there before the first paint, which is not so on a slow network.
          throttlingMethod: "devtools",
          throttling: { ...constants.throttling.mobileSlow4G, cpuSlowdownMultiplier: await slowdown(browser) },
        }));
        t.diagnostic(describe(path, last));
        // Now and then the browser paints nothing; that says nothing about the page.
        if (last.runtimeError) continue;
        runs += 1;
        assert.equal(last.finalDisplayedUrl, `${stack.origin}${path}`, "the page led to another one");
        const scores = CATEGORIES.map((name) => Math.round(last.categories[name].score * 100));
        const [performance, ...others] = scores;
        fastest = Math.max(fastest, performance);
        assert.ok(others.every((score) => score >= ENOUGH), `${path}\n${findings(last).join("\n")}`);
      }
      assert.ok(fastest >= ENOUGH, `${path}\n${findings(last).join("\n")}`);
    };

    await judge("/sign-in");
    const page = await browser.context.newPage();
    await signUp(page, stack.origin);
    await judge("/integrations");
    await connect(page);
    await page.close();
    await judge("/integrations");
    await judge("/integrations/instagram");
  } finally {
    await browser.close();
    await stack.stop();
  }
});

/** The same phone beside this machine, as busy as it is now. */
async function slowdown({ context }) {
  const page = await context.newPage();
  const points = await page.evaluate(pageFunctions.computeBenchmarkIndex);
  await page.close();
  return SLOWDOWN * Math.min(1, Math.max(1 / SLOWDOWN, points / POINTS));
}

function describe(path, { categories, configSettings, runtimeError }) {
  if (runtimeError) return `${path}: ${runtimeError.message}`;
  const scores = CATEGORIES.map((name) => `${name} ${Math.round(categories[name].score * 100)}`);
  return `${path}: ${scores.join(", ")} (${configSettings.throttling.cpuSlowdownMultiplier.toFixed(1)} times slower)`;
}

/** What cost points, one line an audit. */
function findings({ categories, audits, runtimeError }) {
  if (runtimeError) return [runtimeError.message];
  return CATEGORIES.flatMap((name) =>
    categories[name].auditRefs
      .filter(({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 1)
      .map(({ id, weight }) => `  ${name}: ${id} (${weight}): ${audits[id].score} ${audits[id].displayValue ?? ""}`),
  );
}
