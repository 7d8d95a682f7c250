// A host application's user: signed in by a link, and never asked to sign up.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

import { connect, integrations, section, signUp } from "../support/journeys.mjs";
import { inspect } from "../support/pages.mjs";
import { COMMANDS } from "../support/places.mjs";
import { scenario } from "../support/scenario.mjs";

const MINUTES = 60;

const KEY = execFileSync(COMMANDS, ["keys", "generate-service"], { encoding: "utf8" }).trim();

/** A server that knows the host application. */
const HOSTED = { env: { BOOTSTRAP_SERVICE_KEY: KEY } };

/** What the host application's backend does to send its user here. */
async function newLink(stack, body) {
  const answer = await fetch(`${stack.backendOrigin}/api/sessions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 201);
  return (await answer.json()).url;
}

scenario("a link signs in once, and its user is at home", HOSTED, async ({ page, stack, someoneElse }) => {
  const url = await newLink(stack, { userId: "user-123", name: "Ada of the host" });
  await page.goto(url);
  await integrations(page).waitFor();
  assert.equal(new URL(page.url()).search, "", "the secret is not in the address bar");
  await connect(page);
  await page.reload();
  await page.getByRole("link", { name: "@wreckshoprecords" }).waitFor();

  const other = (await someoneElse()).page;
  assert.equal((await other.goto(url)).status(), 400);
  await other.getByRole("heading", { name: "This link is used up" }).waitFor();
  await inspect(other, "host-link-used");
  await other.goto(`${stack.origin}/integrations`);
  await other.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
});

scenario("who is signed in as somebody else is asked before a link signs them in", HOSTED, async ({ page, stack }) => {
  await signUp(page, stack.origin);
  const url = await newLink(stack, { userId: "user-123", name: "Ada of the host" });
  await page.goto(url);
  await page.getByRole("heading", { name: "Go on as somebody else?" }).waitFor();
  await inspect(page, "host-link-asks");
  await page.getByRole("link", { name: "Stay signed in" }).click();
  await page.getByRole("button", { name: /^Account of Ada Lovelace/ }).waitFor();
  await page.goto(url);
  await page.getByRole("button", { name: "Go on as “Ada of the host”" }).click();
  await integrations(page).waitFor();
  await page.getByRole("button", { name: "Account of Ada of the host" }).waitFor();
  assert.equal(new URL(page.url()).search, "", "the secret is not in the address bar");
});

scenario("a link that waits for more than ten minutes is dead", HOSTED, async ({ page, stack }) => {
  const [early, late] = [
    await newLink(stack, { userId: "user-123" }),
    await newLink(stack, { userId: "user-123" }),
  ];
  await stack.moveClock(10 * MINUTES - 5);
  await page.goto(early);
  await integrations(page).waitFor();
  await page.context().clearCookies();
  await stack.moveClock(10 * MINUTES + 5);
  assert.equal((await page.goto(late)).status(), 400);
  await page.getByRole("heading", { name: "This link is used up" }).waitFor();
});

scenario("a link leads where the host says", HOSTED, async ({ page, stack }) => {
  await page.goto(await newLink(stack, { userId: "user-123", returnTo: "/settings/api-keys" }));
  await page.getByRole("heading", { level: 1, name: "API keys" }).waitFor();
});

scenario("who has no password here is not asked for one", HOSTED, async ({ page, stack }) => {
  await page.goto(await newLink(stack, { userId: "user-123", name: "Ada of the host" }));
  await page.getByRole("button", { name: "Account of Ada of the host" }).waitFor();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Settings" }).click();
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Sessions" }).click();
  await section(page, "Your sessions").getByText("This browser").waitFor();
  assert.equal(await page.getByText("Password").count(), 0);
  assert.equal(await page.getByText("Delete account").count(), 0);
  await inspect(page, "settings-sessions-host");
});
