// The keys of a person's own programs: made, shown once, used and revoked.

import assert from "node:assert/strict";

import { openSettings, section, signUp, withoutList } from "../support/journeys.mjs";
import { tabTo, waitForFocus } from "../support/keyboard.mjs";
import { inspect } from "../support/pages.mjs";
import { scenario } from "../support/scenario.mjs";

const DAYS = 24 * 60 * 60;

/** Makes a key, and answers with what is shown this once. */
async function makeKey(page, name, password) {
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Your password").fill(password);
  await page.getByRole("button", { name: "Create key" }).click();
  const shown = section(page, "Your new key");
  await shown.waitFor();
  return shown.getByText(/^igc_live_/).innerText();
}

/** What the API answers to a program that has the key. */
async function statusWith(stack, key) {
  const answer = await fetch(`${stack.backendOrigin}/api/integrations/instagram`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  return answer.status;
}

scenario("a key is shown once, works, and works no longer once it is revoked", async ({ page, stack }) => {
  const { password } = await signUp(page, stack.origin);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Settings" }).click();
  const heading = page.getByRole("heading", { level: 1, name: "API keys" });
  await waitForFocus(heading);
  assert.equal(await page.title(), "API keys · Instagram Connect");
  const list = section(page, "Your keys");
  await list.getByText("No keys yet.").waitFor();
  await inspect(page, "settings-keys-empty");

  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const key = await makeKey(page, "Newsletter", password);
  await waitForFocus(page.getByRole("heading", { name: "Your new key" }));
  await page.getByText("It will not be shown again.").waitFor();
  assert.equal(await page.getByText(key).count(), 1, "it is found where it is shown");
  await inspect(page, "settings-keys-made");
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  // A person without a connection, but known: not 401.
  assert.equal(await statusWith(stack, key), 404);

  await page.getByRole("button", { name: "Done" }).click();
  await waitForFocus(page.getByRole("heading", { name: "Your keys" }));
  assert.equal(await page.getByText(key).count(), 0);
  await page.reload();
  const row = list.getByRole("listitem").filter({ hasText: "Newsletter" }).first();
  await row.getByText(/^igc_live_.{4}…$/).waitFor();
  await row.getByText("Read connections").waitFor();
  await row.getByText(/^Used/).waitFor();
  assert.equal(await page.getByText(key).count(), 0, "the key is not there a second time");

  await row.getByRole("button", { name: "Revoke Newsletter" }).click();
  const dialog = page.getByRole("dialog", { name: "Revoke this key?" });
  await waitForFocus(dialog.getByRole("button", { name: "Keep key" }));
  await inspect(page, "settings-keys-revoke");
  await dialog.getByRole("button", { name: "Revoke key" }).click();
  await page.getByText("“Newsletter” is revoked").waitFor();
  await waitForFocus(page.getByRole("heading", { name: "Your keys" }));
  assert.equal(await statusWith(stack, key), 401);
});

scenario("what a key may do and when it ends, its person says", async ({ page, stack }) => {
  const { password } = await signUp(page, stack.origin);
  await openSettings(page, stack, "api-keys", "API keys");
  await page.getByRole("button", { name: "New key" }).click();
  await waitForFocus(page.getByLabel("Name"));
  await inspect(page, "settings-keys-form");
  await page.getByRole("checkbox", { name: "Read connections" }).uncheck();
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByText("Give the key a name").waitFor();
  await page.getByText("Choose at least one").waitFor();
  await page.getByText("Enter your password").waitFor();
  await waitForFocus(page.getByLabel("Name"));
  await inspect(page, "settings-keys-form-invalid");

  await page.getByLabel("Name").fill("Shop window");
  await page.getByRole("checkbox", { name: "Publish" }).check();
  await page.getByRole("checkbox", { name: "Messages" }).check();
  await page.getByRole("radio", { name: "30 days" }).check();
  const field = page.getByLabel("Your password");
  assert.equal(await field.getAttribute("autocomplete"), "current-password");
  await field.fill("Not-the-password-1");
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByText("This is not your password").waitFor();
  await waitForFocus(field);
  await inspect(page, "settings-keys-form-refused");
  await field.fill(password);
  const asked = page.waitForRequest((request) => request.method() === "POST");
  await page.getByRole("button", { name: "Create key" }).click();
  const body = (await asked).postDataJSON();
  assert.deepEqual(body.scopes, ["content:publish", "messages:manage"]);
  const days = (new Date(body.expiresAt) - Date.now()) / (DAYS * 1000);
  assert.ok(days > 29.9 && days < 30.1, `${days} days`);
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByText("Publish, Messages").waitFor();

  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill("Backup of everything that happens");
  await page.getByRole("radio", { name: "Never" }).check();
  await page.getByLabel("Your password").fill(password);
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByText("Never ends").waitFor();

  // Thirty-one days later the first has ended.
  await page.clock.setFixedTime(Date.now() + 31 * DAYS * 1000);
  await page.reload();
  const ended = page.getByRole("listitem").filter({ hasText: "Shop window" }).first();
  await ended.getByText("Ended", { exact: true }).waitFor();
  await inspect(page, "settings-keys-list");
});

scenario("a key is made and revoked by keyboard alone", async ({ page, stack }) => {
  const { password } = await signUp(page, stack.origin);
  await openSettings(page, stack, "api-keys", "API keys");
  const { keyboard } = page;
  await tabTo(page, page.getByRole("button", { name: "New key" }));
  await keyboard.press("Enter");
  await waitForFocus(page.getByLabel("Name"));
  await keyboard.type("Robot");
  await tabTo(page, page.getByRole("checkbox", { name: "Messages" }));
  await keyboard.press("Space");
  await tabTo(page, page.getByRole("radio", { name: "90 days" }));
  await keyboard.press("ArrowRight");
  assert.equal(await page.getByRole("radio", { name: "1 year" }).isChecked(), true);
  await tabTo(page, page.getByLabel("Your password"));
  await keyboard.type(password);
  await tabTo(page, page.getByRole("button", { name: "Create key" }));
  await keyboard.press("Enter");
  await waitForFocus(page.getByRole("heading", { name: "Your new key" }));
  await tabTo(page, page.getByRole("button", { name: "Done" }));
  await keyboard.press("Enter");
  await waitForFocus(page.getByRole("heading", { name: "Your keys" }));
  const revoke = page.getByRole("button", { name: "Revoke Robot" });
  await tabTo(page, revoke);
  await keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await keyboard.press("Escape");
  await waitForFocus(revoke);
  await keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Revoke key" }));
  await keyboard.press("Enter");
  await page.getByText("No keys yet.").waitFor();
});

scenario("a list that does not load says so, and is asked for again", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await withoutList(page, "**/api/api-keys", "settings-keys", () => openSettings(page, stack, "api-keys", "API keys"));
  await page.getByText("No keys yet.").waitFor();
});

scenario("a key is made by Enter, too", async ({ page, stack }) => {
  const { password } = await signUp(page, stack.origin);
  await openSettings(page, stack, "api-keys", "API keys");
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill("Nightly report");
  await page.getByLabel("Your password").fill(password);
  await page.getByLabel("Your password").press("Enter");
  const shown = section(page, "Your new key");
  await shown.waitFor();
  await waitForFocus(shown.getByRole("heading", { name: "Your new key" }));
});
