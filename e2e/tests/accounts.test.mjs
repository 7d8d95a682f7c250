// Accounts of this service: making one, signing in and out, and what the forms say.

import assert from "node:assert/strict";

import { integrations, newDetails, signIn, signUp } from "../support/journeys.mjs";
import { waitForFocus } from "../support/keyboard.mjs";
import { scenario } from "../support/scenario.mjs";

scenario(
  "whoever is not signed in is asked to, and then gets where they were going",
  async ({ page, stack, someoneElse }) => {
    const details = await signUp(page, stack.origin);
    const other = (await someoneElse()).page;
    await other.goto(`${stack.origin}/integrations`);
    await other.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    await signIn(other, details);
    await integrations(other).waitFor();
  },
);

scenario("a visitor who is signed out meets no error", async ({ page, stack }) => {
  const reported = [];
  page.on("console", (message) => message.type() === "error" && reported.push(message.text()));
  page.on("response", (response) => response.status() >= 400 && reported.push(response.url()));
  for (const path of ["/", "/sign-in", "/sign-up", "/integrations", "/integrations/instagram", "/settings/api-keys"]) {
    await page.goto(`${stack.origin}${path}`);
    const name = path === "/sign-up" ? "Create account" : "Sign in";
    await page.getByRole("button", { name, exact: true }).waitFor();
    await page.waitForLoadState("networkidle");
    assert.deepEqual(reported, [], path);
  }
});

scenario("signing out ends the session on the server too", async ({ page, context, stack }) => {
  await signUp(page, stack.origin);
  const cookies = await context.cookies();
  await page.getByRole("button", { name: /Ada Lovelace/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();

  // The old cookie, put back by hand.
  await context.addCookies(cookies);
  await page.goto(`${stack.origin}/integrations`);
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
});

scenario(
  "a form says what is wrong under the field, and goes to the first such field",
  async ({ page, stack }) => {
    await page.goto(`${stack.origin}/sign-up`);
    await page.getByLabel("Email").fill("ada@example.com");
    await page.getByLabel("Password", { exact: true }).fill("short");
    await page.getByRole("button", { name: "Create account" }).click();
    const password = page.getByLabel("Password", { exact: true });
    await page.getByText("Use at least 10 characters").waitFor();
    assert.equal(await password.getAttribute("aria-invalid"), "true");
    await waitForFocus(password);
  },
);

scenario("an email address has one account", async ({ page, stack, someoneElse }) => {
  const details = await signUp(page, stack.origin);
  const other = (await someoneElse()).page;
  await other.goto(`${stack.origin}/sign-up`);
  await other.getByLabel("Email").fill(details.email.toUpperCase());
  await other.getByLabel("Password", { exact: true }).fill(newDetails().password);
  await other.getByRole("button", { name: "Create account" }).click();
  await other.getByText("This email has an account already").waitFor();
});

scenario("a wrong password and an unknown email are told the same", async ({ page, stack, someoneElse }) => {
  const details = await signUp(page, stack.origin);
  const other = (await someoneElse()).page;
  for (const email of [details.email, "nobody@example.com"]) {
    await other.goto(`${stack.origin}/sign-in`);
    await signIn(other, { email, password: "Not-the-password-1" });
    await other.getByText("Email or password is wrong.").waitFor();
  }
});

scenario("an unknown address says so and leads home", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await page.goto(`${stack.origin}/no/such/page`);
  await page.getByRole("heading", { level: 1, name: "Page not found" }).waitFor();
  await page.getByRole("link", { name: "Go to integrations" }).click();
  await integrations(page).waitFor();
});
