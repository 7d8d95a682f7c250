// The whole way without a pointer: every control is reached by Tab, shows its focus, and works; the focus is never lost.

import assert from "node:assert/strict";

import { card, integrations, newDetails, profile } from "../support/journeys.mjs";
import { tabTo, waitForFocus, waitForSomeFocus } from "../support/keyboard.mjs";
import { scenario } from "../support/scenario.mjs";

scenario("signing up, connecting and disconnecting by keyboard alone", async ({ page, stack }) => {
  const details = newDetails();
  const { keyboard } = page;

  await page.goto(`${stack.origin}/sign-up`);
  await page.getByRole("heading", { level: 1, name: "Create an account" }).waitFor();
  await tabTo(page, page.getByLabel("Name"));
  await keyboard.type(details.name);
  await tabTo(page, page.getByLabel("Email"));
  await keyboard.type(details.email);
  await tabTo(page, page.getByLabel("Password", { exact: true }));
  await keyboard.type(details.password);
  await keyboard.press("Enter");
  await integrations(page).waitFor();
  await waitForSomeFocus(page);

  const connectButton = page.getByRole("button", { name: "Connect Instagram" });
  await connectButton.waitFor();
  await tabTo(page, connectButton);
  await keyboard.press("Enter");
  const allowButton = page.getByRole("button", { name: "Allow" });
  await allowButton.waitFor();
  await tabTo(page, allowButton);
  await keyboard.press("Enter");
  await profile(page, "wreckshoprecords").waitFor();

  const menuButton = page.getByRole("button", { name: "More actions" });
  const openDialog = async () => {
    await tabTo(page, menuButton);
    await keyboard.press("Enter");
    const entry = page.getByRole("menuitem", { name: "Disconnect" });
    // An open menu has the focus on its first entry.
    await waitForFocus(page.getByRole("menuitem").first());
    // The last entry: one key, as in every menu.
    await keyboard.press("End");
    await waitForFocus(entry);
    await keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
  };

  await openDialog();
  const dialog = page.getByRole("dialog");
  const buttons = await dialog.getByRole("button").count();
  await waitForFocus(dialog.getByRole("button", { name: "Keep connected" }));
  for (let press = 0; press <= buttons; press += 1) {
    await keyboard.press("Tab");
    // From the last button Tab goes to the browser's own controls, which is where the body has the focus.
    const kept = await dialog.evaluate((element) => {
      const { activeElement, body } = document;
      return element.contains(activeElement) || activeElement === body;
    });
    assert.ok(kept, "Tab leads behind the dialog");
  }
  await keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await waitForSomeFocus(page);

  await openDialog();
  await tabTo(page, dialog.getByRole("button", { name: "Disconnect" }));
  await keyboard.press("Enter");
  await connectButton.waitFor();
  await waitForFocus(connectButton);
});

scenario("the skip link comes first, and leads past the top bar", async ({ page, stack }) => {
  await page.goto(`${stack.origin}/sign-in`);
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await page.evaluate(() => document.activeElement.blur());
  const link = page.getByRole("link", { name: "Skip to content" });
  await tabTo(page, link);
  await page.keyboard.press("Enter");
  await waitForFocus(page.getByRole("main"));
});

scenario("a control that has the focus shows it", async ({ page, stack }) => {
  await page.goto(`${stack.origin}/sign-up`);
  for (const control of [page.getByLabel("Email"), page.getByRole("button", { name: "Create account" })]) {
    await tabTo(page, control);
    const outline = await control.evaluate((element) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      return { visible: (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none" };
    });
    assert.ok(outline.visible, `${control} does not show the focus`);
  }
});
