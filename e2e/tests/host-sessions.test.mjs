// A host application's user: signed in by a link, and never asked to sign up.

import assert from "node:assert/strict";

import { HOSTED, asHost, followLink, newLink } from "../support/host.mjs";
import { connect, integrations, section, signUp } from "../support/journeys.mjs";
import { inspect } from "../support/pages.mjs";
import { scenario } from "../support/scenario.mjs";

const MINUTES = 60;

const ADA = { userId: "user-123", name: "Ada of the host" };

scenario("a link signs in once, and its user is at home", HOSTED, async ({ page, stack, someoneElse }) => {
  const url = await newLink(stack, ADA);
  await page.goto(url);
  await page.getByRole("heading", { name: "Sign in?" }).waitFor();
  await page.getByText("as Ada of the host (user user-123)").waitFor();
  await page.getByRole("main").getByText("Instagram Connect", { exact: true }).waitFor();
  await inspect(page, "host-link");
  await page.getByRole("button", { name: "Continue as Ada of the host" }).click();
  await integrations(page).waitFor();
  assert.equal(new URL(page.url()).search, "", "the secret is not in the address bar");
  await connect(page);
  await page.reload();
  await page.getByRole("link", { name: "@wreckshoprecords" }).waitFor();

  const other = (await someoneElse()).page;
  assert.equal((await other.goto(url)).status(), 400);
  await other.getByRole("heading", { name: "This link no longer works" }).waitFor();
  await inspect(other, "host-link-used");
  await other.goto(`${stack.origin}/integrations`);
  await other.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
});

scenario("a link signs nobody in who did not say so", HOSTED, async ({ page, context, stack, problems }) => {
  const url = await newLink(stack, ADA);
  // A neighbour on the same host: same site, so that the browser sends cookies along and takes them back.
  await page.goto(`${stack.simulator.origin}/__simulator/health`);
  await page.evaluate(async (url) => {
    await fetch(url, { mode: "no-cors", credentials: "include" });
    const image = document.createElement("img");
    const done = new Promise((resolve) => (image.onload = image.onerror = resolve));
    image.src = url;
    document.body.append(image);
    await done;
    const body = new URLSearchParams({ token: new URL(url).searchParams.get("token") });
    await fetch(`${new URL(url).origin}/auth/host`, { method: "POST", mode: "no-cors", credentials: "include", body });
  }, url);
  assert.deepEqual(await context.cookies(stack.backendOrigin), []);
  await page.evaluate((url) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = `${new URL(url).origin}/auth/host`;
    const field = document.createElement("input");
    [field.name, field.value] = ["token", new URL(url).searchParams.get("token")];
    form.append(field);
    document.body.append(form);
    form.submit();
  }, url);
  await page.getByText("cross_site_request").waitFor();
  assert.deepEqual(await context.cookies(stack.backendOrigin), []);
  // The browser reports what it was refused; that is what is wanted.
  problems.length = 0;
  await followLink(page, url, ADA.name);
  await integrations(page).waitFor();
});

scenario("a link works without JavaScript", HOSTED, async ({ page, stack }) => {
  const url = await newLink(stack, ADA);
  const plain = await page.context().browser().newContext({ javaScriptEnabled: false });
  const tab = await plain.newPage();
  await followLink(tab, url, ADA.name);
  await tab.waitForURL(`${stack.origin}/integrations`);
  const [cookie] = await plain.cookies();
  assert.equal(cookie.name, "connect_session");
  await plain.close();
});

scenario("who is signed in as somebody else is told so, and may stay", HOSTED, async ({ page, stack }) => {
  await signUp(page, stack.origin);
  const url = await newLink(stack, ADA);
  await page.goto(url);
  await page.getByRole("heading", { name: "Continue as somebody else?" }).waitFor();
  await inspect(page, "host-link-asks");
  await page.getByRole("link", { name: "Stay signed in" }).click();
  await page.getByRole("button", { name: /^Account of Ada Lovelace/ }).waitFor();
  await followLink(page, url, ADA.name);
  await integrations(page).waitFor();
  await page.getByRole("button", { name: "Account of Ada of the host" }).waitFor();
  assert.equal(new URL(page.url()).search, "", "the secret is not in the address bar");
});

scenario("a host signs its user out everywhere", HOSTED, async ({ page, stack }) => {
  await followLink(page, await newLink(stack, ADA), ADA.name);
  await integrations(page).waitFor();
  await asHost(stack, "DELETE", "/api/users/user-123/sessions");
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
});

scenario("a key of a host's user needs a link that was opened just now", HOSTED, async ({ page, stack }) => {
  await followLink(page, await newLink(stack, { ...ADA, returnTo: "/settings/api-keys" }), ADA.name);
  const make = async (name) => {
    await page.getByRole("button", { name: "New key" }).click();
    assert.equal(await page.getByLabel("Your password").count(), 0, "there is none to ask for");
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Create key" }).click();
  };
  await make("Newsletter");
  await page.getByRole("button", { name: "Done" }).click();
  await stack.moveClock(6 * MINUTES);
  await make("Too late");
  await page.getByText("Open this page from the application that you came from again.").waitFor();
  await inspect(page, "settings-keys-host-refused");
});

scenario("a link that waits for more than ten minutes is dead", HOSTED, async ({ page, stack }) => {
  const [early, late] = [
    await newLink(stack, { userId: "user-123" }),
    await newLink(stack, { userId: "user-123" }),
  ];
  await stack.moveClock(10 * MINUTES - 5);
  await followLink(page, early);
  await integrations(page).waitFor();
  await page.context().clearCookies();
  await stack.moveClock(10 * MINUTES + 5);
  assert.equal((await page.goto(late)).status(), 400);
  await page.getByRole("heading", { name: "This link no longer works" }).waitFor();
});

scenario("a link leads where the host says", HOSTED, async ({ page, stack }) => {
  await followLink(page, await newLink(stack, { userId: "user-123", returnTo: "/settings/api-keys" }));
  await page.getByRole("heading", { level: 1, name: "API keys" }).waitFor();
});

scenario("who has no password here is not asked for one", HOSTED, async ({ page, stack }) => {
  await followLink(page, await newLink(stack, ADA), ADA.name);
  await page.getByRole("button", { name: "Account of Ada of the host" }).waitFor();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Settings" }).click();
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Sessions" }).click();
  await section(page, "Your sessions").getByText("This browser").waitFor();
  assert.equal(await page.getByText("Password").count(), 0);
  assert.equal(await page.getByText("Delete account").count(), 0);
  await inspect(page, "settings-sessions-host");
});
