// Every page in every state: no finding of axe-core in light and dark, nothing wider than the window, and a picture.

import {
  ACCOUNTS,
  allow,
  card,
  chooseFromMenu,
  connect,
  integrations,
  openMenu,
  profile,
  signUp,
  startConnecting,
} from "../support/journeys.mjs";
import { inspect } from "../support/pages.mjs";
import { scenario } from "../support/scenario.mjs";

const DAYS = 24 * 60 * 60;
const CONNECTION = "**/api/integrations**";
const CALLBACK = /\/auth\/instagram\/callback\?/;

/** Holds the answers to matching requests back until the returned function is called. Navigations pass. */
async function hold(page, pattern) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route(pattern, async (route) => {
    if (route.request().resourceType() === "document") return route.continue();
    await released;
    // The page may have gone on without this answer.
    await route.continue().catch(() => {});
  });
  return release;
}

scenario("the pages of people who are not signed in", async ({ page, stack }) => {
  await page.goto(`${stack.origin}/sign-in`);
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await inspect(page, "sign-in");

  await page.getByLabel("Email").fill("nobody@example.com");
  await page.getByLabel("Password", { exact: true }).fill("Not-the-password-1");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Email or password is wrong.").waitFor();
  await inspect(page, "sign-in-refused");

  await page.goto(`${stack.origin}/sign-up`);
  await page.getByRole("heading", { level: 1, name: "Create an account" }).waitFor();
  await inspect(page, "sign-up");

  await page.getByRole("button", { name: "Create account" }).click();
  await page.locator("[aria-invalid=true]").first().waitFor();
  await inspect(page, "sign-up-invalid");

  await page.goto(`${stack.origin}/no/such/page`);
  await page.getByRole("heading", { level: 1, name: "Page not found" }).waitFor();
  await inspect(page, "not-found");

  await page.goto(`${stack.origin}/auth/instagram/callback?code=x&state=y`);
  await page.getByText("Sign in to finish connecting.").waitFor();
  await inspect(page, "callback-unauthenticated");
});

scenario("the card while nothing is connected", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await card(page).getByText("Not connected").waitFor();
  await inspect(page, "card-disconnected");

  const showCard = await hold(page, CONNECTION);
  await page.reload();
  await integrations(page).waitFor();
  await inspect(page, "card-loading");
  showCard();
  await card(page).getByText("Not connected").waitFor();
  await page.unroute(CONNECTION);

  const goOn = await hold(page, "**/auth/instagram/login**");
  await page.getByRole("button", { name: "Connect Instagram" }).click();
  await card(page).getByText("Connecting…").first().waitFor();
  await inspect(page, "card-connecting");
  goOn();
  await page.getByRole("button", { name: "Allow" }).waitFor();

  await page.route(CONNECTION, (route) => route.abort());
  await page.goto(`${stack.origin}/integrations`);
  await card(page).getByText("Could not load").waitFor();
  await inspect(page, "card-failed");
});

scenario("the card while an account is connected", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await connect(page);
  await page.getByText("Connected as @wreckshoprecords").waitFor();
  await inspect(page, "card-connected");

  await openMenu(page);
  await inspect(page, "card-menu");
  await page.getByRole("menuitem", { name: "Disconnect" }).click();
  await page.getByRole("dialog").waitFor();
  await inspect(page, "disconnect-dialog");
  await page.keyboard.press("Escape");

  await stack.simulator.revoke(ACCOUNTS.recordShop, 460);
  await chooseFromMenu(page, "Sync now");
  await card(page).getByText("Action needed").waitFor();
  await inspect(page, "card-needs-reauthorization");
});

scenario("the card of a young account, and of one whose renewal is delayed", async ({ page, stack }) => {
  await stack.simulator.configure({ expires_in: 5 * DAYS });
  await signUp(page, stack.origin);
  await connect(page, ACCOUNTS.sparse);
  await card(page).getByText("Renewal delayed").waitFor();
  await inspect(page, "card-expiring");

  await stack.simulator.configure({});
  await startConnecting(page, "Reconnect");
  await allow(page, ACCOUNTS.sparse);
  await card(page).getByText("Connected", { exact: true }).waitFor();
  await inspect(page, "card-sparse");
});

scenario("the callback page: its steps, and each way in which it can end", async ({ page, stack }) => {
  await signUp(page, stack.origin);

  const goOn = await hold(page, CALLBACK);
  await startConnecting(page);
  await allow(page, ACCOUNTS.recordShop, { untick: ["instagram_business_content_publish"] });
  await page.getByText("Getting access").waitFor();
  await inspect(page, "callback-steps");
  goOn();
  await page.getByText("You left out").waitFor();
  await page.unroute(CALLBACK);
  await inspect(page, "callback-permission-missing");

  const endings = [
    {
      name: "refused",
      shows: "You did not give access",
      consent: () => page.getByRole("button", { name: "Cancel" }).click(),
    },
    {
      name: "personal-account",
      shows: "professional accounts only",
      consent: () => allow(page, ACCOUNTS.personal),
    },
    {
      name: "app-access",
      shows: "does not let this app act",
      consent: () => allow(page, ACCOUNTS.withoutAccess),
    },
    {
      name: "upstream-error",
      shows: "Instagram is not answering right now",
      async consent() {
        await stack.simulator.fail("any", "server_error", { status: 503 });
        await allow(page, ACCOUNTS.creator);
      },
    },
  ];
  for (const { name, shows, consent } of endings) {
    await page.goto(`${stack.origin}/integrations`);
    await profile(page, "wreckshoprecords").waitFor();
    await openMenu(page);
    await page.getByRole("menuitem", { name: "Use another account" }).click();
    await page.getByRole("button", { name: "Allow" }).waitFor();
    await consent();
    await page.getByText(shows).waitFor();
    await inspect(page, `callback-${name}`);
  }
});

scenario("the callback page of a reconnect that comes back as somebody else", async ({ page, stack }) => {
  await stack.simulator.configure({ expires_in: 5 * DAYS });
  await signUp(page, stack.origin);
  await connect(page);
  await startConnecting(page, "Reconnect");
  await allow(page, ACCOUNTS.creator);
  await page.getByText("You signed in as @mara.paints").waitFor();
  await inspect(page, "callback-somebody-else");
});

scenario("the callback page of a link that is too old", async ({ page, stack }) => {
  await signUp(page, stack.origin);
  await page.goto(`${stack.origin}/auth/instagram/callback?code=x&state=unknown`);
  await page.getByText("This sign-in link is too old or was used already.").waitFor();
  await inspect(page, "callback-invalid-state");
});

scenario(
  "a server that has no Instagram app",
  { env: { INSTAGRAM_APP_ID: "", INSTAGRAM_APP_SECRET: "" } },
  async ({ page, stack }) => {
    await signUp(page, stack.origin);
    await card(page).getByText("This server has no Instagram app set up yet").waitFor();
    await inspect(page, "card-not-configured");
  },
);
