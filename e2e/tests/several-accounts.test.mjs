// One person with several Instagram accounts: all are seen, healed and ended, each by itself.

import assert from "node:assert/strict";

import {
  ACCOUNTS,
  allow,
  card,
  chooseFromMenu,
  connect,
  profile,
  section,
  signUp,
  startConnecting,
} from "../support/journeys.mjs";
import { waitForFocus } from "../support/keyboard.mjs";
import { inspect } from "../support/pages.mjs";
import { BUSY, scenario } from "../support/scenario.mjs";

const HOURS = 60 * 60;

/** Connects the record shop's account, then the creator's. */
async function connectTwo(page, stack) {
  await signUp(page, stack.origin);
  await connect(page, ACCOUNTS.recordShop);
  await chooseFromMenu(page, "Use another account");
  await page.getByRole("button", { name: "Allow" }).waitFor();
  await allow(page, ACCOUNTS.creator);
  await profile(page, ACCOUNTS.creator).waitFor();
}

scenario("an account that was connected before stays in sight, and can be ended", async ({ page, stack }) => {
  await connectTwo(page, stack);
  const others = section(page, "Other Instagram accounts");
  const row = others.getByRole("listitem").filter({ hasText: `@${ACCOUNTS.recordShop}` });
  await row.getByText("Connected", { exact: true }).waitFor();
  assert.equal(await row.getByRole("button", { name: "Reconnect" }).count(), 0);
  await inspect(page, "other-accounts");

  const end = row.getByRole("button", { name: `Disconnect @${ACCOUNTS.recordShop}` });
  const dialog = page.getByRole("dialog");
  await end.click();
  await dialog.getByText(`@${ACCOUNTS.recordShop}`).waitFor();
  await page.keyboard.press("Escape");
  await waitForFocus(end);

  await end.click();
  await dialog.getByRole("button", { name: "Disconnect" }).click();
  await page.getByText(`@${ACCOUNTS.recordShop} disconnected`).waitFor();
  await others.waitFor({ state: "detached" });
  await profile(page, ACCOUNTS.creator).waitFor();
  await page.reload();
  await profile(page, ACCOUNTS.creator).waitFor();
  assert.equal(await others.count(), 0);
});

scenario("a sync that comes late leaves the keyboard where it is by then", async ({ page, stack }) => {
  await connectTwo(page, stack);
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route("**/me/sync", async (route) => {
    await released;
    await route.continue();
  });
  await chooseFromMenu(page, "Sync now");
  const end = section(page, "Other Instagram accounts").getByRole("button", { name: /^Disconnect/ });
  await end.focus();
  release();
  await page.getByText("Profile is up to date").waitFor();
  await waitForFocus(end);
});

scenario("another account can be put to use", async ({ page, stack }) => {
  await connectTwo(page, stack);
  const others = section(page, "Other Instagram accounts");
  await others.getByRole("button", { name: `Use this account @${ACCOUNTS.recordShop}` }).click();
  await page.getByText(`@${ACCOUNTS.recordShop} is in use now`).waitFor();
  await profile(page, ACCOUNTS.recordShop).waitFor();
  await waitForFocus(card(page).getByRole("button", { name: "More actions" }));

  // The other one has a page of its own.
  await others.getByRole("link", { name: `@${ACCOUNTS.creator}` }).click();
  await profile(page, ACCOUNTS.creator).waitFor();
  await page.reload();
  await profile(page, ACCOUNTS.creator).waitFor();
  await page.getByRole("button", { name: "Sync now" }).click();
  await page.getByText("Profile is up to date").waitFor();
  await profile(page, ACCOUNTS.creator).waitFor();
});

scenario("disconnecting the newer account brings the other one back", async ({ page, stack }) => {
  await connectTwo(page, stack);
  await chooseFromMenu(page, "Disconnect");
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await profile(page, ACCOUNTS.recordShop).waitFor();
  assert.equal(await section(page, "Other Instagram accounts").count(), 0);
});

scenario(
  "an account whose access died is seen behind a newer one, and is healed by a reconnect of its own",
  BUSY,
  async ({ page, stack }) => {
    await connectTwo(page, stack);
    await stack.simulator.revoke(ACCOUNTS.recordShop, 458);
    await stack.pass(7 * HOURS);
    const others = section(page, "Other Instagram accounts");
    const dead = others.getByText("Action needed");
    for (let looks = 0; looks < 20 && !(await dead.isVisible()); looks += 1) {
      await page.reload();
      await others.waitFor();
    }
    await others.getByText("This app was removed in Instagram's settings.").waitFor();
    await card(page).getByText("Connected", { exact: true }).waitFor();
    await inspect(page, "other-accounts-needs-reauthorization");

    const reconnect = others.getByRole("button", { name: `Reconnect @${ACCOUNTS.recordShop}` });
    await page.route("**/auth/instagram/login**", (route) => route.abort());
    await reconnect.click();
    await others.getByRole("alert").getByText("We could not reach the server.").waitFor();
    await inspect(page, "other-accounts-failed");
    await page.unroute("**/auth/instagram/login**");

    // The wrong account comes back, and nothing is stored unasked.
    await startConnecting(page, `Reconnect @${ACCOUNTS.recordShop}`);
    await allow(page, ACCOUNTS.creator);
    await page.getByText(`You signed in as @${ACCOUNTS.creator}`).waitFor();
    await startConnecting(page, `Reconnect @${ACCOUNTS.recordShop}`);
    await allow(page, ACCOUNTS.recordShop);
    // A reconnect changes nothing about which is in use.
    await others.getByText("Connected", { exact: true }).waitFor();
    await profile(page, ACCOUNTS.creator).waitFor();
    assert.equal(await others.getByText("Action needed").count(), 0);
  },
);
