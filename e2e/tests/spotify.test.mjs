// Spotify beside Instagram: one page, two providers, and neither touches the other.

import assert from "node:assert/strict";

import {
  ACCOUNTS,
  LISTENERS,
  allow,
  card,
  chooseFromMenu,
  connect,
  disconnect,
  integrations,
  listener,
  liveThen,
  profile,
  section,
  signIn,
  signUp,
  startConnecting,
} from "../support/journeys.mjs";
import { tabTo, waitForFocus } from "../support/keyboard.mjs";
import { inspect } from "../support/pages.mjs";
import { scenario } from "../support/scenario.mjs";

const DAYS = 24 * 60 * 60;
const CONNECT = "Connect Spotify";

/** Days after which less than two weeks of six months are left, however long those are. */
const AFTER = 175;

/** Connects a listener's account and lets most of the six months pass. The person signs in anew. */
async function connectLongAgo(page, stack) {
  const details = await signUp(page, stack.origin);
  await connectListener(page);
  await stack.pass(AFTER * DAYS);
  await liveThen(page, AFTER);
  await page.reload();
  await signIn(page, details);
}

/** Connects a listener's account, from the integrations page and back to it. */
async function connectListener(page, account = LISTENERS.full) {
  await startConnecting(page, CONNECT);
  await allow(page, account);
  await listener(page, account).waitFor();
}

const badge = (page, words) => card(page, "Spotify").getByText(words, { exact: true });

scenario("both are connected, and one request shows both", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await badge(page, "Not connected").waitFor();
  await card(page, "Spotify").getByText("Read your top artists and tracks").waitFor();
  await inspect(page, "providers-disconnected");

  await connect(page);
  await connectListener(page);
  await page.getByText(`Connected as ${LISTENERS.full}`).waitFor();
  assert.equal(new URL(page.url()).origin, stack.origin, "the page stays where the person is signed in");
  await badge(page, "Connected").waitFor();
  await card(page, "Spotify").getByText("3,829 followers").waitFor();
  await card(page, "Spotify").getByText("Spotify Premium").waitFor();
  const link = await listener(page, LISTENERS.full).getAttribute("href");
  assert.equal(link, `https://open.spotify.com/user/${LISTENERS.full}`);
  await inspect(page, "providers-connected");

  const asked = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/api/integrations")) asked.push(pathname);
  });
  await page.reload();
  await listener(page, LISTENERS.full).waitFor();
  await profile(page, ACCOUNTS.recordShop).waitFor();
  assert.deepEqual(asked, ["/api/integrations"]);
});

scenario("the second card stays where it is when the first one is known", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  const top = async (width) => {
    await page.setViewportSize({ width, height: 800 });
    return (await card(page, "Spotify").boundingBox()).y;
  };
  for (const connected of [false, true]) {
    if (connected) await connect(page);
    for (const width of [1280, 390]) {
      let release;
      const released = new Promise((resolve) => (release = resolve));
      await page.route("**/api/integrations", async (route) => {
        await released;
        await route.continue();
      });
      await page.reload();
      await integrations(page).waitFor();
      const before = await top(width);
      release();
      await badge(page, "Not connected").waitFor();
      const moved = Math.abs((await top(width)) - before);
      assert.ok(moved <= 2, `${width} px wide, connected: ${connected}, the second card moves by ${moved} px`);
      await page.unroute("**/api/integrations");
    }
  }
});

scenario("disconnecting one leaves the other, and says what is left to do there", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await connectListener(page);
  await disconnect(page, "Spotify");
  await page.getByText(`${LISTENERS.full} disconnected`).waitFor();
  await waitForFocus(page.getByRole("button", { name: CONNECT }));
  const remove = card(page, "Spotify").getByRole("link", { name: "Remove it from your account" });
  assert.equal(await remove.getAttribute("href"), "https://www.spotify.com/account/apps/");
  await profile(page, ACCOUNTS.recordShop).waitFor();
  await inspect(page, "spotify-after-disconnect");

  // The other one is connected again meanwhile, and this one as well.
  await chooseFromMenu(page, "Use another account", "Instagram");
  await allow(page, ACCOUNTS.recordShop);
  await page.getByText(`Connected as @${ACCOUNTS.recordShop}`).waitFor();
  await badge(page, "Not connected").waitFor();
  assert.equal(await remove.count(), 0);
  await page.getByRole("button", { name: CONNECT }).click();
  // Spotify does not ask again whom it asked before.
  await listener(page, LISTENERS.full).waitFor();
});

scenario("the last two weeks of six months ask for a reconnect, which begins new ones", async ({ page, stack }) => {
  await connectLongAgo(page, stack);
  await badge(page, "Reconnect soon").waitFor();
  await card(page, "Spotify").getByText("Spotify asks again every six months; reconnecting takes a click.").waitFor();
  await inspect(page, "spotify-expiring");

  await card(page, "Spotify").getByRole("button", { name: "Reconnect" }).click();
  await page.getByText("The app asked for this page").waitFor();
  await allow(page, LISTENERS.full);
  await badge(page, "Connected").waitFor();
});

scenario("another account than the one to reconnect is not put into its place", async ({ page, stack }) => {
  await connectLongAgo(page, stack);
  await card(page, "Spotify").getByRole("button", { name: "Reconnect" }).click();
  await allow(page, LISTENERS.development);
  await page.getByText(`You signed in as ${LISTENERS.development}`).waitFor();
  await page.getByRole("button", { name: `Connect ${LISTENERS.development} as a new connection` }).click();
  // The account that was connected now is the one in use.
  await listener(page, LISTENERS.development).waitFor();
  const others = section(page, "Other Spotify accounts");
  await others.getByRole("link", { name: LISTENERS.full }).waitFor();
  await inspect(page, "spotify-two-accounts");

  await others.getByRole("button", { name: `Use this account ${LISTENERS.full}` }).click();
  await page.getByText(`${LISTENERS.full} is in use now`).waitFor();
  await listener(page, LISTENERS.full).waitFor();
  await card(page, "Spotify").getByText("In use", { exact: true }).waitFor();
  await page.reload();
  await listener(page, LISTENERS.full).waitFor();

  await others.getByRole("link", { name: LISTENERS.development }).click();
  await page.getByRole("heading", { level: 1, name: "Spotify connection" }).waitFor();
  await listener(page, LISTENERS.development).waitFor();
  await page.getByRole("link", { name: "Integrations" }).first().click();
  await chooseFromMenu(page, "Disconnect", "Spotify");
  await page.getByRole("dialog").getByText(`Your application works with ${LISTENERS.development} then.`).waitFor();
});

scenario("an account that the app may not serve is told why", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await startConnecting(page, CONNECT);
  await allow(page, LISTENERS.unlisted);
  await page.getByText("this app may serve five listed people only").waitFor();
  await page.getByRole("link", { name: "How the owner does that" }).waitFor();
  await inspect(page, "spotify-app-access");
  assert.equal(new URL(page.url()).search, "", "the code is out of the address");
});

scenario("a person who says no to Spotify can try again", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await startConnecting(page, CONNECT);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("You did not give access, so nothing was connected.").waitFor();
  await page.getByRole("button", { name: "Back" }).click();
  await badge(page, "Not connected").waitFor();
});

scenario(
  "a server without a Spotify app says so quietly",
  { env: { SPOTIFY_CLIENT_ID: "", SPOTIFY_CLIENT_SECRET: "", SPOTIFY_REDIRECT_URI: "" } },
  async ({ page, stack }) => {
    await signUp(page, stack.origin);
    await badge(page, "Not set up").waitFor();
    await card(page, "Spotify").getByText("This server has no Spotify app set up yet.").waitFor();
    assert.equal(await card(page, "Spotify").getByRole("button").count(), 0);
    assert.equal(await card(page, "Spotify").getByRole("alert").count(), 0);
    await page.getByRole("button", { name: "Connect Instagram" }).waitFor();
    await inspect(page, "spotify-not-configured");
  },
);

scenario("the page of a connection has a curve where Spotify tells followers, and none elsewhere", async ({ page, stack, someoneElse }) => {
  const open = async (page) => {
    await card(page, "Spotify").getByRole("link", { name: "View details" }).click();
    await page.getByRole("heading", { level: 1, name: "Spotify connection" }).waitFor();
    await section(page, "Timeline").getByRole("listitem").first().waitFor();
    await section(page, "Permissions").getByText("Read your private playlists").waitFor();
  };
  await signUp(page, stack.origin);
  await connectListener(page);
  await open(page);
  await section(page, "Followers").waitFor();
  await page.getByRole("button", { name: "Refresh now" }).click();
  await page.getByText("Access renewed", { exact: true }).waitFor();
  await inspect(page, "spotify-connection");

  const { page: other } = await someoneElse();
  await stack.spotify.configure({ development_mode: true });
  await signUp(other, stack.origin);
  await connectListener(other, LISTENERS.development);
  assert.equal(await card(other, "Spotify").getByText("followers").count(), 0);
  await open(other);
  assert.equal(await section(other, "Followers").count(), 0);
  assert.equal(await other.getByRole("alert").count(), 0);
  await inspect(other, "spotify-connection-without-followers");
});

scenario("Spotify is connected and disconnected by keyboard alone", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  const connectButton = page.getByRole("button", { name: CONNECT });
  await connectButton.waitFor();
  await tabTo(page, connectButton);
  await page.keyboard.press("Enter");
  const allowButton = page.getByRole("button", { name: "Allow" });
  await allowButton.waitFor();
  await tabTo(page, allowButton);
  await page.keyboard.press("Enter");
  await listener(page, LISTENERS.full).waitFor();

  await tabTo(page, card(page, "Spotify").getByRole("button", { name: "More actions" }));
  await page.keyboard.press("Enter");
  await waitForFocus(page.getByRole("menuitem").first());
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await waitForFocus(dialog.getByRole("button", { name: "Keep connected" }));
  await tabTo(page, dialog.getByRole("button", { name: "Disconnect" }));
  await page.keyboard.press("Enter");
  await waitForFocus(connectButton);
});
