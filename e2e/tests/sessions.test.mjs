// Where a person is signed in, their password, and the end of their account.

import assert from "node:assert/strict";

import { integrations, openSettings, section, signIn, signUp, withoutList } from "../support/journeys.mjs";
import { waitForFocus } from "../support/keyboard.mjs";
import { inspect } from "../support/pages.mjs";
import { scenario } from "../support/scenario.mjs";

scenario("a session is ended from another browser", async ({ page, stack, someoneElse }) => {
  const details = await signUp(page, stack.origin);
  const others = [(await someoneElse()).page, (await someoneElse()).page, (await someoneElse()).page];
  for (const other of others) {
    await other.goto(`${stack.origin}/sign-in`);
    await signIn(other, details);
    await integrations(other).waitFor();
  }
  await openSettings(page, stack, "api-keys", "API keys");
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Sessions" }).click();
  await waitForFocus(page.getByRole("heading", { level: 1, name: "Sessions" }));
  const list = section(page, "Your sessions");
  await list.getByText("This browser").waitFor();
  const end = list.getByRole("button", { name: "End Chrome on Linux" });
  assert.equal(await end.count(), 3);
  await inspect(page, "settings-sessions");

  await end.first().click();
  await page.getByText("Session ended").waitFor();
  await waitForFocus(page.getByRole("heading", { name: "Your sessions" }));
  assert.equal(await end.count(), 2);
  await page.getByRole("button", { name: "End all others" }).click();
  await page.getByText("All other sessions ended").waitFor();
  assert.equal(await end.count(), 0);
  await list.getByText("This browser").waitFor();
  for (const other of others) {
    await other.reload();
    await other.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  }
  await page.reload();
  await list.getByText("This browser").waitFor();
});

scenario("a password is changed by who knows it", async ({ page, stack, someoneElse }) => {
  const details = await signUp(page, stack.origin);
  await openSettings(page, stack, "sessions", "Sessions");
  const change = page.getByRole("button", { name: "Change password" });
  const current = page.getByLabel("Current password");
  const next = page.getByLabel("New password");
  await current.fill("Not-the-password-1");
  await next.fill("short");
  await change.click();
  await page.getByText("Use at least 10 characters").waitFor();
  await next.fill("A-new-horse-battery-9");
  await change.click();
  await page.getByText("This is not your password").waitFor();
  await waitForFocus(current);
  await inspect(page, "settings-password-refused");
  await current.fill(details.password);
  await page.keyboard.press("Enter");
  await page.getByText("Password changed.").waitFor();
  assert.equal(await current.inputValue(), "");

  const other = (await someoneElse()).page;
  await other.goto(`${stack.origin}/sign-in`);
  await signIn(other, details);
  await other.getByText("Email or password is wrong.").waitFor();
  await signIn(other, { ...details, password: "A-new-horse-battery-9" });
  await integrations(other).waitFor();
});

scenario("a new password revokes the keys, where that is wanted", async ({ page, stack }) => {
  const details = await signUp(page, stack.origin);
  const makeKey = (name) =>
    page.evaluate(
      async (body) => {
        const headers = { "Content-Type": "application/json" };
        const answer = await fetch("/api/api-keys", { method: "POST", headers, body: JSON.stringify(body) });
        return answer.status;
      },
      { name, scopes: ["connections:read"], password: details.password },
    );
  await openSettings(page, stack, "sessions", "Sessions");
  const choice = page.getByRole("checkbox", { name: "Revoke my API keys, too" });
  await section(page, "Your sessions").getByText("This browser").waitFor();
  assert.equal(await choice.count(), 0, "there are none");
  assert.equal(await makeKey("Newsletter"), 201);
  assert.equal(await makeKey("Shop window"), 201);
  await page.reload();
  await page.getByText("Else they go on working: Shop window, Newsletter").waitFor();
  await inspect(page, "settings-password-keys");
  const change = async (from, to) => {
    await page.getByLabel("Current password").fill(from);
    await page.getByLabel("New password").fill(to);
    await page.getByRole("button", { name: "Change password" }).click();
  };
  await change(details.password, "A-new-horse-battery-9");
  await page.getByText("API keys that still work: Shop window, Newsletter").waitFor();
  await choice.check();
  await change("A-new-horse-battery-9", "Another-horse-battery-9");
  await choice.waitFor({ state: "detached" });
  await openSettings(page, stack, "api-keys", "API keys");
  await page.getByText("No keys yet.").waitFor();
});

scenario("an account is deleted, with the password", async ({ page, stack }) => {
  const details = await signUp(page, stack.origin);
  await openSettings(page, stack, "sessions", "Sessions");
  const button = page.getByRole("button", { name: "Delete account" });
  await button.click();
  const dialog = page.getByRole("dialog", { name: "Delete your account?" });
  await inspect(page, "settings-delete");
  await dialog.getByRole("button", { name: "Keep account" }).click();
  await waitForFocus(button);
  await button.click();
  await dialog.getByLabel("Your password").fill("Not-the-password-1");
  await page.keyboard.press("Escape");
  await waitForFocus(button);

  // A mistake on the page behind the dialog is not the one to go to.
  await page.getByRole("button", { name: "Change password" }).click();
  await waitForFocus(page.getByLabel("Current password"));
  await button.click();
  await dialog.getByLabel("Your password").fill("Not-the-password-1");
  await dialog.getByRole("button", { name: "Delete account" }).click();
  await dialog.getByText("This is not your password").waitFor();
  await waitForFocus(dialog.getByLabel("Your password"));
  await inspect(page, "settings-delete-refused");
  await dialog.getByLabel("Your password").fill(details.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await page.getByText("Your account is deleted").waitFor();
  assert.equal(new URL(page.url()).search, "", "nobody is to come back here");
  await signIn(page, details);
  await page.getByText("Email or password is wrong.").waitFor();
});

scenario("a list that does not load says so, and is asked for again", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await withoutList(page, "**/api/sessions", "settings-sessions", () => openSettings(page, stack, "sessions", "Sessions"));
  await page.getByText("This browser").waitFor();
});
