// The moments before the program runs: what is painted first, what is said where the program does not arrive, and that
// nothing moves when it does.

import assert from "node:assert/strict";

import { connect, openDetails, profile, signUp } from "../support/journeys.mjs";
import { waitForFocus } from "../support/keyboard.mjs";
import { inspect } from "../support/pages.mjs";
import { scenario } from "../support/scenario.mjs";

const CALLBACK = "/auth/instagram/callback?code=the-code&state=the-state";

/** Every page of the app. */
const PAGES = [
  "/integrations",
  "/integrations/instagram",
  "/settings/api-keys",
  "/settings/sessions",
  "/sign-in?next=%2Fintegrations",
  "/sign-up",
  CALLBACK,
  "/no/such/page",
];

/** When a failure has to be said at the latest, and when a wait has, in milliseconds. */
const SOON = 2_000;
const LATE = 10_000;

const SCRIPT = /\/frontend-[0-9a-f]{13,16}\.js$/;
const PROGRAM = /\/frontend-[0-9a-f]{13,16}_bg\.wasm$/;

/** The sentence under this heading, with its way on; `within` milliseconds from now. */
async function assertTold(page, heading, within) {
  const title = page.getByRole("heading", { level: 1, name: heading });
  await title.waitFor({ timeout: within });
  assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
  assert.equal(await page.title(), `${heading} · Instagram Connect`);
  assert.match(await page.getByRole("alert").innerText(), /reload/i);
  await page.getByRole("button", { name: "Reload" }).waitFor();
  await waitForFocus(title);
  assert.equal(await page.locator(".bone:visible").count(), 0, "a skeleton is shown as if something came");
}

/** Opens a page as far as it comes: the load never ends where a file never answers. */
const open = (page, address) => page.goto(address, { waitUntil: "commit" });

scenario("without WebAssembly every page says so, and keeps its address", async ({ page, problems, stack }) => {
  await page.addInitScript(() => delete window.WebAssembly);
  for (const path of PAGES) {
    await open(page, `${stack.origin}${path}`);
    await assertTold(page, "This browser cannot show the app", SOON);
    assert.match(await page.getByRole("alert").innerText(), /WebAssembly.+Lockdown Mode/);
    await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Reload" }).click()]);
    await assertTold(page, "This browser cannot show the app", SOON);
    assert.equal(page.url(), `${stack.origin}${path}`);
  }
  await inspect(page, "start-without-webassembly");
  // The program's own complaint.
  problems.length = 0;
});

for (const [what, file, answer] of [
  ["a .wasm that is not there", PROGRAM, (route) => route.fulfill({ status: 404 })],
  ["a .wasm that fails", PROGRAM, (route) => route.fulfill({ status: 500, body: "no" })],
  ["a .wasm that breaks off", PROGRAM, (route) => route.abort("connectionreset")],
  ["a .js that is not there", SCRIPT, (route) => route.fulfill({ status: 404 })],
  ["a .js that fails", SCRIPT, (route) => route.fulfill({ status: 500, body: "no" })],
]) {
  scenario(`${what} is told on every page, and a reload gets it`, async ({ page, problems, stack }) => {
    await page.route(file, answer);
    for (const path of PAGES) {
      await open(page, `${stack.origin}${path}`);
      await assertTold(page, "A part of the app is missing", SOON);
      assert.equal(page.url(), `${stack.origin}${path}`);
    }
    await open(page, `${stack.origin}${CALLBACK}`);
    await assertTold(page, "A part of the app is missing", SOON);
    await page.unroute(file);
    const asked = page.waitForRequest((request) => request.url().includes("code=the-code&state=the-state"));
    await page.getByRole("button", { name: "Reload" }).click();
    await asked;
    await page.getByText("Sign in to finish connecting.").waitFor();
    // What the browser said about the file.
    problems.length = 0;
  });
}

scenario("a .wasm that is none is told", async ({ page, problems, stack }) => {
  await page.route(PROGRAM, (route) => route.fulfill({ contentType: "application/wasm", body: "<!doctype html>" }));
  await open(page, `${stack.origin}/sign-in`);
  await page.getByRole("button", { name: "Reload" }).waitFor({ timeout: SOON });
  await inspect(page, "start-failed");
  assert.ok(await page.getByText("Instagram Connect", { exact: true }).isVisible(), "a phone says whose page it is");
  problems.length = 0;
});

for (const [what, file] of [
  [".wasm", PROGRAM],
  [".js", SCRIPT],
]) {
  scenario(`a ${what} that is late is told, and the app takes over when it comes`, async ({ page, stack }) => {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route(file, async (route) => {
      await released;
      await route.continue().catch(() => {});
    });
    const began = Date.now();
    await open(page, `${stack.origin}${CALLBACK}`);
    await assertTold(page, "The app is still loading", LATE);
    assert.ok(Date.now() - began < LATE, "it was said late");
    await inspect(page, `start-late${what}`);
    release();
    await page.getByText("Sign in to finish connecting.").waitFor();
    assert.equal(await page.getByText("still loading").count(), 0);
    assert.doesNotMatch(await page.title(), /still loading/);
    await page.waitForFunction(() => document.activeElement !== document.body);
  });
}

scenario("an app that starts in time says nothing", async ({ page, stack }) => {
  await page.addInitScript(() => {
    new MutationObserver(() => {
      const told = document.getElementById("not-started");
      if (told && !told.hidden) window.wasTold = true;
    }).observe(document, { childList: true, subtree: true, attributes: true });
  });
  await open(page, `${stack.origin}/sign-in`);
  await page.getByLabel("Email").waitFor();
  // As a browser extension may do, or a picture that is gone.
  await page.evaluate(() => {
    setTimeout(() => {
      document.body.append(Object.assign(new Image(), { src: "/no-such.png" }));
    });
  });
  await page.waitForTimeout(9_000);
  assert.equal(await page.evaluate(() => window.wasTold), undefined);
  await page.getByLabel("Email").waitFor();
});

scenario("without JavaScript every page says so, and Reload keeps its address", async ({ someoneElse, stack }) => {
  const { page } = await someoneElse({ javaScriptEnabled: false });
  for (const path of PAGES) {
    await open(page, `${stack.origin}${path}`);
    await page.getByRole("heading", { level: 1, name: "JavaScript is switched off" }).waitFor({ timeout: SOON });
    assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    assert.equal(await page.locator(".bone:visible").count(), 0);
    await Promise.all([page.waitForEvent("load"), page.getByRole("link", { name: "Reload" }).click()]);
    assert.equal(page.url(), `${stack.origin}${path}`);
  }
});

/** Where the parts are that the skeleton and the app both have. */
function placesOf(page) {
  return page.evaluate(() =>
    [".top-bar", ".brand", ".brand-name", "h1", ".lede", ".card, .form", ".card + .card", ".form-aside"].map((selector) => {
      const shown = [...document.querySelectorAll(selector)].find((element) => element.getClientRects().length > 0);
      const box = shown?.getBoundingClientRect();
      // How tall the last card becomes is not known before its account is, and nothing stands below it.
      const height = selector === ".card + .card" ? [] : [box?.height];
      return box && [selector, ...[box.x, box.y, box.width, ...height].map(Math.round)].join(" ");
    }),
  );
}

scenario("nothing moves when the program takes over from the skeleton", async ({ page, stack }) => {
  const assertStill = async (path, ready) => {
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      let release;
      const released = new Promise((resolve) => (release = resolve));
      await page.route(PROGRAM, async (route) => {
        await released;
        await route.continue();
      });
      await open(page, `${stack.origin}${path}`);
      await page.locator("h1:visible").waitFor();
      const before = await placesOf(page);
      release();
      await ready();
      await page.waitForLoadState("networkidle");
      assert.deepEqual(await placesOf(page), before, `${path} at ${width}`);
      await page.unroute(PROGRAM);
    }
  };
  await assertStill("/sign-in", () => page.getByLabel("Email").waitFor());
  const name = page.getByRole("banner").getByText("Instagram Connect", { exact: true });
  assert.ok(await name.isVisible(), "a phone says whose page it is");
  await assertStill("/sign-up", () => page.getByLabel("Email").waitFor());
  assert.ok(await name.isVisible());
  await signUp(page, stack.origin);
  await connect(page);
  await assertStill("/integrations", () => profile(page, "wreckshoprecords").waitFor());
  assert.ok(await name.isHidden(), "the navigation needs its room");
  await openDetails(page, stack.origin);
  await assertStill("/integrations/instagram", () => profile(page, "wreckshoprecords").waitFor());
});
