// A page in every look: light and dark, wide and narrow. Each look is checked with axe-core and kept as a picture.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { assertAccessible } from "./axe.mjs";
import { SCREENSHOTS } from "./places.mjs";

const SCHEMES = ["light", "dark"];
const WIDTHS = [1280, 390];

/**
 * Checks the page as it is now in every look, and saves `NAME-SCHEME-WIDTH.png` of each.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} name of the page and its state, such as `card-connected`
 */
export async function inspect(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) {
      const look = `${name}-${colorScheme}-${width}`;
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({
        path: join(SCREENSHOTS, `${look}.png`),
        fullPage: true,
        animations: "disabled",
      });
      await assertAccessible(page, look);
      await assertNoSidewaysScroll(page, look);
    }
  }
}

async function assertNoSidewaysScroll(page, look) {
  const excess = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (excess > 0) throw new Error(`"${look}" is ${excess} px wider than the window.`);
}
