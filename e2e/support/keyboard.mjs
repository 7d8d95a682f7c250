// A person without a pointer.

import assert from "node:assert/strict";

/** More controls than any page has. */
const MOST_TABS = 40;

/** Presses Tab until the control has the focus; fails when Tab never gets there. */
export async function tabTo(page, control) {
  for (let presses = 0; presses < MOST_TABS; presses += 1) {
    if (await isFocused(control)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${control}.`);
}

/** Waits until the control has the focus. */
export async function waitForFocus(control) {
  await control.waitFor();
  const element = await control.elementHandle();
  await control.page().waitForFunction((element) => element === document.activeElement, element);
}

/** Waits until something has the focus. While nothing has it, the next Tab starts at the top of the page. */
export async function waitForSomeFocus(page) {
  await page.waitForFunction(() => document.activeElement !== document.body);
}

async function isFocused(control) {
  return (await control.count()) === 1 && control.evaluate((element) => element === document.activeElement);
}
