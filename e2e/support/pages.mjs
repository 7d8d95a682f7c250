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
      await assertLegible(page, look);
      await assertNoSidewaysScroll(page, look);
    }
  }
}

/** Every size of text that the design has, in pixels. */
const SIZES = [13, 14, 16, 20, 28];

/** Below this, Safari zooms into a field that gets the focus. */
const INPUT_SIZE = 16;

async function assertLegible(page, look) {
  const wrong = await page.evaluate(findWrongSizes, { sizes: SIZES, inputSize: INPUT_SIZE });
  if (wrong.length > 0) throw new Error(`"${look}" has text of a wrong size:\n${wrong.join("\n")}`);
}

/** Runs in the page. Every text is looked at: of elements, of what stands before and after them, and in fields. */
function findWrongSizes({ sizes, inputSize }) {
  const wrong = [];
  const check = (style, allowed, text) => {
    const size = Math.round(parseFloat(style.fontSize) * 100) / 100;
    if (!allowed.includes(size)) wrong.push(`${size} px: ${text}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    const isShown = data.trim() && !parentElement.closest("script, style, noscript");
    if (isShown) check(getComputedStyle(parentElement), sizes, data.trim());
  }
  for (const element of document.body.querySelectorAll("*")) {
    for (const place of ["::before", "::after"]) {
      const style = getComputedStyle(element, place);
      if (!["none", "normal", '""'].includes(style.content)) check(style, sizes, style.content);
    }
  }
  const fields = "input:not([type=checkbox], [type=radio], [type=hidden], [hidden]), select, textarea";
  for (const field of document.querySelectorAll(fields)) check(getComputedStyle(field), [inputSize], `the field ${field.name}`);
  return wrong;
}

async function assertNoSidewaysScroll(page, look) {
  const excess = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (excess > 0) throw new Error(`"${look}" is ${excess} px wider than the window.`);
}
