// The long life of a connection: it renews itself, says when it cannot, and is healed by its owner.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import {
  ACCOUNTS,
  allow,
  card,
  chooseFromMenu,
  connect,
  disconnect,
  openDetails,
  profile,
  section,
  signUp,
  startConnecting,
} from "../support/journeys.mjs";
import { BUSY, scenario } from "../support/scenario.mjs";

const HOURS = 60 * 60;
const DAYS = 24 * HOURS;

/** Asks until the answer is a yes, for ten seconds. */
async function until(what, ask) {
  const deadline = Date.now() + 10_000;
  while (!(await ask())) {
    assert.ok(Date.now() < deadline, `${what} did not happen`);
    await pause(100);
  }
}

/** Lets time pass in steps that a session lives through. */
async function pass(page, stack, days) {
  for (let left = days; left > 0; left -= 20) {
    await stack.pass(Math.min(left, 20) * DAYS);
    await page.evaluate(() => fetch("/api/session"));
  }
}

async function renewed(stack) {
  return (await stack.simulator.refreshes()).some(({ outcome }) => outcome === "renewed");
}

scenario(
  "a connection whose renewal is late is seen to renew itself, without a reload",
  BUSY,
  async ({ page, stack }) => {
    await page.clock.install();
    await signUp(page, stack.origin);
    await connect(page);
    await stack.simulator.fail("refresh", "server_error", { status: 503 });
    await pass(page, stack, 52);

    // The page was open all the time. It looks again each minute.
    await page.clock.fastForward("01:01");
    await card(page).getByText("Renewal delayed").waitFor();
    assert.equal(await renewed(stack), false);

    await stack.simulator.recover();
    // No pause between two tries is longer than six hours.
    await stack.pass(7 * HOURS);
    await until("a renewal", () => renewed(stack));
    await until("the card's word of it", async () => {
      await page.clock.fastForward("01:01");
      return card(page).getByText("Connected", { exact: true }).isVisible();
    });
    assert.equal(await card(page).getByRole("button", { name: "Reconnect" }).count(), 0);

    await openDetails(page, stack.origin);
    await section(page, "Timeline").getByText("Instagram renewed the access.").waitFor();
  },
);

scenario(
  "an access that was withdrawn shows itself, and a reconnect heals it and keeps the history",
  BUSY,
  async ({ page, stack }) => {
    await page.clock.install();
    await signUp(page, stack.origin);
    await connect(page);
    await stack.simulator.revoke(ACCOUNTS.recordShop, 460);
    await stack.pass(7 * HOURS);
    await until("the card's word of it", async () => {
      await page.clock.runFor(3_000);
      // What a browser says when the person comes back to its window.
      await page.evaluate(() => window.dispatchEvent(new Event("focus")));
      return card(page).getByText("Action needed").isVisible();
    });
    await card(page).getByText("The Instagram password was changed.").waitFor();

    await openDetails(page, stack.origin);
    await card(page).getByText("Action needed").waitFor();
    assert.equal(await page.getByRole("button", { name: "Refresh now" }).count(), 0);
    await startConnecting(page, "Reconnect");
    await page.getByText("asked you to sign in again").waitFor();
    await allow(page, ACCOUNTS.recordShop);

    // Back where the person was.
    await page.getByRole("heading", { level: 1, name: "Instagram connection" }).waitFor();
    await card(page).getByText("Connected", { exact: true }).waitFor();
    const timeline = section(page, "Timeline");
    await timeline.getByText("@wreckshoprecords was connected.").nth(1).waitFor();
    await timeline.getByText("The Instagram password was changed.").waitFor();
    await section(page, "Followers").getByText("Show as a table").click();
    const rows = section(page, "Followers").getByRole("table").getByRole("rowheader");
    await rows.nth(1).waitFor();
  },
);

scenario(
  "a reconnect that comes back as somebody else is asked about, and swaps nothing",
  async ({ page, stack }) => {
    await signUp(page, stack.origin);
    await connect(page);
    await stack.simulator.revoke(ACCOUNTS.recordShop, 458);
    await chooseFromMenu(page, "Sync now");
    await card(page).getByText("Action needed").waitFor();

    const comeBackAsSomebodyElse = async (button) => {
      await startConnecting(page, button);
      await allow(page, ACCOUNTS.creator);
      await page
        .getByText("You signed in as @mara.paints, but this was to reconnect @wreckshoprecords.")
        .waitFor();
    };
    const stored = () =>
      page.evaluate(async () => {
        const { connection } = await (await fetch("/api/integrations/instagram")).json();
        return `${connection.username} ${connection.status}`;
      });

    await comeBackAsSomebodyElse("Reconnect");
    const first = page.getByRole("button", { name: "Connect @mara.paints as a new connection" });
    assert.equal(await first.evaluate((button) => button === document.activeElement), true);
    assert.equal(await stored(), "wreckshoprecords needs_reauthorization");
    // A reload is no consent.
    await page.reload();
    await first.waitFor();
    assert.equal(await stored(), "wreckshoprecords needs_reauthorization");
    await page.getByRole("button", { name: "Back", exact: true }).click();
    await profile(page, ACCOUNTS.recordShop).waitFor();

    await comeBackAsSomebodyElse("Reconnect");
    await startConnecting(page, "Reconnect @wreckshoprecords");
    await allow(page, ACCOUNTS.recordShop);
    await card(page).getByText("Connected", { exact: true }).waitFor();
    assert.equal(await stored(), "wreckshoprecords active");

    await stack.simulator.revoke(ACCOUNTS.recordShop, 458);
    await chooseFromMenu(page, "Sync now");
    await comeBackAsSomebodyElse("Reconnect");
    await first.click();
    await profile(page, ACCOUNTS.creator).waitFor();
    assert.equal(await stored(), "mara.paints active");

    // The one that was to be reconnected is still there, as it was.
    await chooseFromMenu(page, "Disconnect");
    await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
    await profile(page, ACCOUNTS.recordShop).waitFor();
    assert.equal(await stored(), "wreckshoprecords needs_reauthorization");
  },
);

scenario("a reconnect that was broken off is begun again as a reconnect", async ({ page, stack }) => {
  await stack.simulator.configure({ expires_in: 5 * DAYS });
  await signUp(page, stack.origin);
  await connect(page);
  await startConnecting(page, "Reconnect");
  await page.getByRole("button", { name: "Cancel" }).click();
  await startConnecting(page, "Try again");
  await allow(page, ACCOUNTS.creator);
  await page.getByText("but this was to reconnect @wreckshoprecords").waitFor();
  await page.goto(`${stack.origin}/integrations`);
  await profile(page, ACCOUNTS.recordShop).waitFor();
  await disconnect(page);
});

scenario("what is under way is not told any more once it has failed", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await stack.simulator.fail("profile", "server_error", { status: 503 });
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route("**/me/sync", async (route) => {
    await released;
    await route.continue();
  });
  await chooseFromMenu(page, "Sync now");
  await page.getByRole("status").getByText("Reading the profile from Instagram…").waitFor();
  release();
  await card(page).getByText("Instagram is not answering right now.").waitFor();
  assert.equal(await page.getByRole("status").getByText("Reading the profile").count(), 0);
});
