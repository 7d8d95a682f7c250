// The page of a connection: curve, permissions, timeline, and what can be done there.

import assert from "node:assert/strict";

import {
  ACCOUNTS,
  allow,
  card,
  connect,
  integrations,
  liveThen,
  liveThrough,
  openDetails,
  openMenu,
  section,
  signUp,
  startConnecting,
} from "../support/journeys.mjs";
import { tabTo, waitForFocus } from "../support/keyboard.mjs";
import { inspect } from "../support/pages.mjs";
import { scenario } from "../support/scenario.mjs";

const HOURS = 60 * 60;
const HISTORY = "**/api/integrations/instagram/me/history**";
const EVENTS = "**/api/integrations/instagram/me/events**";
const ANY = "**/api/integrations**";

/** Followers that grow with some ups and downs. */
function growth(days) {
  return Array.from({ length: days }, (_, day) => Math.round(15_420 + day * 4.2 + Math.sin(day * 0.9) * 9));
}

scenario(
  "a connection of one day: the way there, its page, and the way back",
  async ({ page, stack }) => {
    await signUp(page, stack.origin);
    await connect(page);
    await card(page).getByRole("link", { name: "View details" }).click();
    const heading = page.getByRole("heading", { level: 1, name: "Instagram connection" });
    await waitForFocus(heading);
    assert.equal(await page.title(), "Instagram connection · Instagram Connect");
    await section(page, "Followers").getByText("The curve begins with the next sync.").waitFor();
    await section(page, "Timeline").getByText("@wreckshoprecords was connected.").waitFor();
    assert.equal(await section(page, "Permissions").getByText("Granted").count(), 3);
    await inspect(page, "connection-one-point");

    await page.getByRole("navigation", { name: "Breadcrumb" }).getByRole("link").click();
    await integrations(page).waitFor();
  },
);

scenario("the curve, its table, and how far back they reach", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await liveThrough(page, stack, ACCOUNTS.recordShop, growth(29));
  await liveThen(page, 29);
  await openDetails(page, stack.origin);
  const followers = section(page, "Followers");
  const last = growth(29).at(-1);
  await followers
    .getByText(`${last.toLocaleString("en-US")} followers +${last - 15_420} in 30 days`)
    .waitFor();
  await inspect(page, "connection-many-points");

  await followers.getByText("Show as a table").click();
  const table = followers.getByRole("table", { name: "Followers in the last 30 days" });
  assert.deepEqual(await table.getByRole("columnheader").allInnerTexts(), ["Read", "Followers", "Change"]);
  assert.equal(await table.getByRole("rowheader").count(), 30);
  assert.match(await table.getByRole("row").last().innerText(), /15,420/);
  await inspect(page, "connection-table");

  // Pointing at the right end tells the newest reading.
  await page.setViewportSize({ width: 1280, height: 800 });
  const picture = followers.getByRole("slider", { name: "Followers over time" });
  const { width, height } = await picture.boundingBox();
  await picture.hover({ position: { x: width - 2, y: height / 2 } });
  await followers.locator(".plot-told").getByText(`${last.toLocaleString("en-US")} followers`).waitFor();
  // The pointer loses its place when the window changes; the keyboard does not.
  await page.mouse.move(0, 0);
  await picture.focus();
  for (let press = 0; press < 6; press += 1) await page.keyboard.press("ArrowLeft");
  await inspect(page, "connection-pointing");

  await followers.getByRole("radio", { name: "All" }).check();
  // The table stays open.
  const all = followers.getByRole("table", { name: "Followers since the account was connected" });
  await all.getByRole("rowheader").first().waitFor();
  await followers.getByText(/\+\d+ since /).waitFor();

  await section(page, "Timeline").getByText("Synced 29 times").waitFor();
  await section(page, "Timeline").getByText("@wreckshoprecords was connected.").waitFor();
});

scenario("by keyboard alone", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await liveThrough(page, stack, ACCOUNTS.recordShop, [15_500, 15_600]);
  await liveThen(page, 2);
  await openDetails(page, stack.origin);
  const { keyboard } = page;
  const followers = section(page, "Followers");
  await followers.getByRole("slider").waitFor();

  await tabTo(page, page.getByRole("button", { name: "Sync now" }));
  await keyboard.press("Enter");
  await page.getByText("Profile is up to date").waitFor();
  await waitForFocus(page.getByRole("button", { name: "Sync now" }));

  await tabTo(page, followers.getByRole("radio", { name: "30 days" }));
  await keyboard.press("ArrowRight");
  assert.equal(await followers.getByRole("radio", { name: "90 days" }).isChecked(), true);

  const picture = followers.getByRole("slider");
  await tabTo(page, picture);
  await keyboard.press("Home");
  assert.match(await picture.getAttribute("aria-valuetext"), /: 15,420 followers$/);
  await keyboard.press("ArrowRight");
  assert.match(await picture.getAttribute("aria-valuetext"), /: 15,500 followers$/);

  await tabTo(page, followers.getByText("Show as a table"));
  await keyboard.press("Enter");
  await followers.getByRole("table").waitFor();
});

scenario("syncing and refreshing, and what comes of it", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await openDetails(page, stack.origin);
  const timeline = section(page, "Timeline");

  await page.getByRole("button", { name: "Refresh now" }).click();
  await card(page)
    .getByText("Instagram renews an access only once it is a day old. Try again in 24 hours.")
    .waitFor();
  await inspect(page, "connection-too-young");

  await stack.simulator.setFollowers(ACCOUNTS.recordShop, 15_421);
  await page.getByRole("button", { name: "Sync now" }).click();
  await page.getByText("Profile is up to date").waitFor();
  await card(page).getByText("15,421 followers").waitFor();
  await section(page, "Followers").getByText("15,421 followers +1 since").waitFor();
  await timeline.getByText("The profile was read from Instagram.").waitFor();
  assert.equal(await card(page).getByRole("alert").count(), 0, "the old failure is gone");

  await stack.pass(25 * HOURS);
  await page.getByRole("button", { name: "Refresh now" }).click();
  await page.getByText(/Access renewed until/).waitFor();
  await timeline.getByText("Instagram renewed the access.").waitFor();

  await stack.simulator.fail("profile", "server_error", { status: 503 });
  await page.getByRole("button", { name: "Sync now" }).click();
  await card(page).getByText("Instagram is not answering right now. This is what it said last.").waitFor();
  await stack.simulator.recover();

  await stack.simulator.revoke(ACCOUNTS.recordShop, 460);
  await page.getByRole("button", { name: "Sync now" }).click();
  await card(page).getByText("Action needed").waitFor();
  await waitForFocus(card(page).getByRole("button", { name: "Reconnect" }));
  await timeline.getByText("The Instagram password was changed.").waitFor();
  await inspect(page, "connection-needs-reauthorization");
});

scenario("a missing permission says what it costs, and can be granted", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await startConnecting(page);
  await allow(page, ACCOUNTS.recordShop, { untick: ["instagram_business_manage_messages"] });
  await page.getByRole("button", { name: "Continue without" }).click();
  await openDetails(page, stack.origin);
  const permissions = section(page, "Permissions");
  await permissions.getByText("Without it we cannot answer messages for you.").waitFor();
  assert.equal(await permissions.getByText("Granted").count(), 2);
  await card(page).getByText("Limited", { exact: true }).waitFor();
  await inspect(page, "connection-missing-permission");

  await startConnecting(page, "Grant Read and answer messages");
  await allow(page, ACCOUNTS.recordShop);
  await permissions.getByText("Granted").nth(2).waitFor();
  await card(page).getByText("Connected", { exact: true }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/integrations/instagram");
});

scenario("a timeline that is longer than one page", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await liveThrough(page, stack, ACCOUNTS.recordShop, growth(20));
  await openDetails(page, stack.origin);
  const timeline = section(page, "Timeline");
  await timeline.getByText("Synced 20 times").waitFor();
  assert.equal(await timeline.getByRole("button", { name: "Show more" }).count(), 0);

  // A page of the list is asked for as the server gives it, only shorter.
  await page.route(EVENTS, (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set("limit", "8");
    return route.continue({ url: url.href });
  });
  await page.reload();
  const more = timeline.getByRole("button", { name: "Show more" });
  await timeline.getByText("Synced 8 times").waitFor();
  await inspect(page, "connection-more-events");
  await more.click();
  await timeline.getByText("Synced 16 times").waitFor();
  await waitForFocus(more);
  await more.click();
  await timeline.getByText("Synced 20 times").waitFor();
  await timeline.getByText("@wreckshoprecords was connected.").waitFor();
  await waitForFocus(timeline.getByRole("list"));
});

scenario("a card that does not load leaves the others as they are", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  for (const pattern of [HISTORY, EVENTS]) await page.route(pattern, (route) => route.abort());
  await openDetails(page, stack.origin);
  for (const name of ["Followers", "Timeline"]) {
    await section(page, name).getByText("We could not reach the server.").waitFor();
  }
  await card(page).getByText("Connected", { exact: true }).waitFor();
  assert.equal(await section(page, "Permissions").getByText("Granted").count(), 3);
  await inspect(page, "connection-failed");
  for (const pattern of [HISTORY, EVENTS]) await page.unroute(pattern);
  await section(page, "Followers").getByRole("button", { name: "Retry" }).click();
  await section(page, "Followers").getByText("The curve begins with the next sync.").waitFor();
  await waitForFocus(page.getByRole("heading", { name: "Followers" }));
  await section(page, "Timeline").getByRole("button", { name: "Retry" }).click();
  await section(page, "Timeline").getByText("@wreckshoprecords was connected.").waitFor();
});

scenario("while it loads nothing moves, and the three requests go out at once", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const asked = [];
  await page.route(ANY, async (route) => {
    asked.push(new URL(route.request().url()).pathname.split("/").at(-1));
    await released;
    await route.continue().catch(() => {});
  });
  await openDetails(page, stack.origin);
  await section(page, "Timeline").waitFor();
  assert.deepEqual(asked.sort(), ["events", "history", "integrations"]);
  await inspect(page, "connection-loading");

  const top = async (width) => {
    await page.setViewportSize({ width, height: 800 });
    return (await section(page, "Followers").boundingBox()).y;
  };
  const widths = [1280, 390];
  const before = [await top(widths[0]), await top(widths[1])];
  release();
  await card(page).getByText("Connected", { exact: true }).waitFor();
  await section(page, "Followers").getByText("The curve begins").waitFor();
  const after = [await top(widths[0]), await top(widths[1])];
  widths.forEach((width, index) => {
    const moved = Math.abs(after[index] - before[index]);
    assert.ok(moved <= 2, `${width} px wide, the second card moves by ${moved} px`);
  });
});

scenario("a page of a connection that there is not", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await openDetails(page, stack.origin);
  await card(page).getByText("Not connected").waitFor();
  assert.equal(await section(page, "Followers").count(), 0);
  await inspect(page, "connection-not-connected");
  await page.getByRole("link", { name: "Go to integrations" }).click();
  await integrations(page).waitFor();
});

scenario("disconnecting is offered here too", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await openDetails(page, stack.origin);
  await openMenu(page);
  await page.getByRole("menuitem", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await page.getByText(`@${ACCOUNTS.recordShop} disconnected`).waitFor();
  await waitForFocus(page.getByRole("link", { name: "Go to integrations" }));
});

scenario("the narrowest windows", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await liveThrough(page, stack, ACCOUNTS.recordShop, [15_500]);
  await page.setViewportSize({ width: 320, height: 800 });
  await openDetails(page, stack.origin);
  await section(page, "Followers").getByRole("slider").waitFor();
  const excess = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(excess, 0);
});
