// Connecting an Instagram account: the whole way, and each way in which it can end early.

import assert from "node:assert/strict";

import {
  ACCOUNTS,
  allow,
  card,
  chooseFromMenu,
  connect,
  disconnect,
  integrations,
  profile,
  signIn,
  signUp,
  startConnecting,
} from "../support/journeys.mjs";
import { inspect } from "../support/pages.mjs";
import { scenario } from "../support/scenario.mjs";

const MINUTES = 60;
const DAYS = 24 * 60 * MINUTES;

/** Waits for a sentence of the callback page, and for the button that leads on. */
async function assertFailure(page, sentence, wayOn) {
  await page.getByText(sentence).waitFor();
  await page.getByRole("button", { name: wayOn }).waitFor();
}

scenario(
  "an account is connected, survives a reload, is disconnected and connected again",
  async ({ page, stack }) => {
    await signUp(page, stack.origin);
    await card(page).getByText("Not connected").waitFor();

    await startConnecting(page);
    await allow(page, ACCOUNTS.recordShop);
    await page.getByText("Connected as @wreckshoprecords").waitFor();
    assert.equal(new URL(page.url()).pathname, "/integrations");

    const assertConnected = async () => {
      for (const text of [
        "Wreck Shop Records",
        "@wreckshoprecords",
        "15,420 followers",
        "823 following",
        "456 posts",
      ]) {
        await card(page).getByText(text).first().waitFor();
      }
      await card(page).getByText("Connected", { exact: true }).waitFor();
      await card(page)
        .getByText(/in 60 days/)
        .first()
        .waitFor();
    };
    await assertConnected();

    await page.reload();
    await assertConnected();

    await disconnect(page);
    await page.getByText(`@${ACCOUNTS.recordShop} disconnected`).waitFor();
    await page.reload();
    await card(page).getByText("Not connected").waitFor();

    await connect(page);
    await assertConnected();
  },
);

scenario("an account without any details shows what there is", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page, ACCOUNTS.sparse);
  await card(page).getByText("Connected", { exact: true }).waitFor();
  assert.equal(
    await card(page)
      .getByText(/null|undefined|NaN/)
      .count(),
    0,
  );
});

scenario("another account is asked for in Instagram's own way", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await chooseFromMenu(page, "Use another account");
  await page.getByText("asked you to sign in again").waitFor();
  await allow(page, ACCOUNTS.creator);
  await profile(page, "mara.paints").waitFor();
});

scenario("refusing consent connects nothing and says so", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await startConnecting(page);
  await page.getByRole("button", { name: "Cancel" }).click();
  await assertFailure(page, "You did not give access, so nothing was connected.", "Try again");
  await page.getByRole("button", { name: "Back" }).click();
  await card(page).getByText("Not connected").waitFor();
});

scenario("a personal account is told how to switch", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await startConnecting(page);
  await allow(page, ACCOUNTS.personal);
  await assertFailure(page, "Instagram gives access to professional accounts only.", "Try again");
});

scenario("an account that the app may not act for is explained", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await startConnecting(page);
  await allow(page, ACCOUNTS.withoutAccess);
  await assertFailure(page, "does not let this app act for your account yet", "Try again");
});

scenario("a permission that was left out is named, and can be done without", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await startConnecting(page);
  await allow(page, ACCOUNTS.recordShop, { untick: ["instagram_business_manage_messages"] });
  await assertFailure(page, "You left out", "Connect again");
  await page.getByRole("button", { name: "Continue without" }).click();
  await profile(page, "wreckshoprecords").waitFor();
  await card(page).getByText("Limited", { exact: true }).waitFor();
  assert.equal(await card(page).getByText("Connected", { exact: true }).count(), 0);
  const notice = await card(page).getByText("You left out").boundingBox();
  const name = await profile(page, "wreckshoprecords").boundingBox();
  assert.ok(notice.y < name.y, "what is missing stands above the profile");
  await inspect(page, "card-limited");
});

scenario("a state older than ten minutes is refused, and starting again works", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await startConnecting(page);
  await stack.moveClock(11 * MINUTES);
  await allow(page, ACCOUNTS.recordShop);
  await assertFailure(page, "This sign-in link is too old or was used already.", "Start again");
  await startConnecting(page, "Start again");
  await allow(page, ACCOUNTS.recordShop);
  await profile(page, "wreckshoprecords").waitFor();
});

scenario(
  "a callback in a browser without a session asks to sign in, then goes on",
  async ({ page, stack, someoneElse }) => {
    const details = await signUp(page, stack.origin);
    await startConnecting(page);
    // Instagram's answer, a redirect, is caught on its way, and opened where nobody is signed in.
    let callback;
    await page.route("**/oauth/authorize", async (route) => {
      callback = (await route.fetch({ maxRedirects: 0 })).headers().location;
      await route.fulfill({ contentType: "text/html", body: "caught" });
    });
    await allow(page, ACCOUNTS.recordShop);
    await page.getByText("caught").waitFor();

    const other = (await someoneElse()).page;
    await other.goto(callback);
    await other.getByText("Sign in to finish connecting.").waitFor();
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    await signIn(other, details);
    await profile(other, "wreckshoprecords").waitFor();
  },
);

scenario("while Instagram is down nothing is saved, and trying again works", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await startConnecting(page);
  await stack.simulator.fail("any", "server_error", { status: 503 });
  await allow(page, ACCOUNTS.recordShop);
  await assertFailure(page, "Instagram is not answering right now. Nothing was saved.", "Try again");

  await page.goto(`${stack.origin}/integrations`);
  await card(page).getByText("Not connected").waitFor();
  await stack.simulator.recover();
  await connect(page);
});

scenario(
  "two users see only their own, and cannot share one account",
  async ({ page, stack, someoneElse }) => {
    await signUp(page, stack.origin);
    await connect(page);

    const other = (await someoneElse()).page;
    await signUp(other, stack.origin);
    await card(other).getByText("Not connected").waitFor();
    assert.equal(await other.getByText("wreckshoprecords").count(), 0);

    await startConnecting(other);
    await allow(other, ACCOUNTS.recordShop);
    await assertFailure(
      other,
      "This Instagram account is connected to another user here.",
      "Use another account",
    );

    await other.goto(`${stack.origin}/integrations`);
    await connect(other, ACCOUNTS.creator);
    await page.reload();
    await profile(page, "wreckshoprecords").waitFor();
    assert.equal(await page.getByText("mara.paints").count(), 0);
  },
);

scenario("a token near its end says that renewal is delayed", async ({ page, stack }) => {
  await stack.simulator.configure({ expires_in: 5 * DAYS });
  await signUp(page, stack.origin);
  await connect(page);
  await card(page).getByText("Renewal delayed").waitFor();
  await card(page).getByRole("button", { name: "Reconnect" }).waitFor();
});

scenario("a card that cannot be loaded offers to try again", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await page.route("**/api/integrations**", (route) => route.abort());
  await page.reload();
  await card(page).getByText("Could not load").waitFor();
  await page.unroute("**/api/integrations**");
  await card(page).getByRole("button", { name: "Retry" }).click();
  await card(page).getByText("Not connected").waitFor();
  await integrations(page).waitFor();
});

scenario("a sync shows what has changed at Instagram", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page, ACCOUNTS.recordShop);
  await stack.simulator.setFollowers(ACCOUNTS.recordShop, 15_421);
  await chooseFromMenu(page, "Sync now");
  await card(page).getByText("15,421 followers").waitFor();
  await page.getByText("Profile is up to date").waitFor();

  await stack.simulator.fail("profile", "server_error", { status: 503 });
  await chooseFromMenu(page, "Sync now");
  await card(page).getByText("Instagram is not answering right now. This is what it said last.").waitFor();
  await card(page).getByText("15,421 followers").waitFor();
});

scenario("a revoked access asks for a reconnect, which heals it", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page, ACCOUNTS.recordShop);
  await stack.simulator.revoke(ACCOUNTS.recordShop, 460);
  await chooseFromMenu(page, "Sync now");
  await card(page).getByText("Action needed").waitFor();
  await card(page).getByText("The Instagram password was changed.").waitFor();
  await startConnecting(page, "Reconnect");
  await allow(page, ACCOUNTS.recordShop);
  await card(page).getByText("Connected", { exact: true }).waitFor();
});
