// What people do, step by step, by the names that they see.

import { inspect } from "./pages.mjs";

/** Accounts of the simulator: see its `accounts` module. */
export const ACCOUNTS = {
  recordShop: "wreckshoprecords",
  creator: "mara.paints",
  personal: "just.sam",
  sparse: "brandnew_bakery",
  withoutAccess: "northwind.gallery",
};

/** Accounts of Spotify's simulator. */
export const LISTENERS = {
  full: "wizzler",
  unnamed: "31vq4f7xk2d5trwl6se0mbn3ya",
  development: "indie.sam",
  unlisted: "mallory.fm",
};

let people = 0;

/** Details for a new account; no two are alike. */
export function newDetails() {
  people += 1;
  return {
    name: "Ada Lovelace",
    email: `ada-${people}@example.com`,
    password: `Correct-horse-battery-${people}`,
  };
}

/** Makes an account and arrives at the integrations page. */
export async function signUp(page, origin, details = newDetails()) {
  await page.goto(`${origin}/sign-up`);
  await page.getByLabel("Name").fill(details.name);
  await page.getByLabel("Email").fill(details.email);
  await page.getByLabel("Password", { exact: true }).fill(details.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await integrations(page).waitFor();
  return details;
}

/** Signs in on the page that asks for it. */
export async function signIn(page, details) {
  await page.getByLabel("Email").fill(details.email);
  await page.getByLabel("Password", { exact: true }).fill(details.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** The heading of the integrations page. */
export function integrations(page) {
  return page.getByRole("heading", { level: 1, name: "Integrations" });
}

/** The card of a provider. */
export function card(page, provider = "Instagram") {
  return page.getByRole("region", { name: provider, exact: true });
}

/** What the card of Instagram shows of the account in use: the link to its profile. */
export function profile(page, username) {
  return card(page).getByRole("link", { name: `@${username} on Instagram` });
}

/** The same on the card of Spotify. */
export function listener(page, username) {
  return card(page, "Spotify").getByRole("link", { name: `${username} on Spotify` });
}

/** Opens the page of the connection. */
export async function openDetails(page, origin) {
  await page.goto(`${origin}/integrations/instagram`);
  await page.getByRole("heading", { level: 1, name: "Instagram connection" }).waitFor();
}

/** Opens a page of the settings by its address. */
export async function openSettings(page, stack, path, title) {
  await page.goto(`${stack.origin}/settings/${path}`);
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
}

/** Opens a page whose list does not come, looks at it while it waits and when it has failed, and has it asked for again. */
export async function withoutList(page, list, screenshots, open) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route(list, async (route) => {
    await released;
    await route.abort();
  });
  await open();
  await inspect(page, `${screenshots}-loading`);
  release();
  await page.getByText("We could not reach the server.").waitFor();
  await inspect(page, `${screenshots}-failed`);
  await page.unroute(list);
  await page.getByRole("button", { name: "Retry" }).click();
}

/** A card of a page, by its heading. */
export function section(page, name) {
  return page.getByRole("region", { name, exact: true });
}

/** Lets days pass at the service and at Instagram, with a sync a day that finds other followers each time. */
export async function liveThrough(page, stack, account, followers) {
  for (const count of followers) {
    await stack.pass(24 * 60 * 60);
    await stack.simulator.setFollowers(account, count);
    const status = await page.evaluate(async () => {
      const answer = await fetch("/api/integrations/instagram/me/sync", { method: "POST" });
      return answer.status;
    });
    if (status !== 200) throw new Error(`a sync answered ${status}`);
  }
}

/** Puts the browser's clock where the service's is. */
export async function liveThen(page, days) {
  await page.clock.setFixedTime(Date.now() + days * 24 * 60 * 60 * 1000);
}

/** Presses "Connect Instagram" and arrives at Instagram's consent page. */
export async function startConnecting(page, button = "Connect Instagram") {
  await page.getByRole("button", { name: button }).click();
  await page.getByRole("button", { name: "Allow" }).waitFor();
}

/** On Instagram's consent page: chooses an account, unticks permissions, and allows the rest. */
export async function allow(page, account, { untick = [] } = {}) {
  await page.getByRole("radio", { name: account }).check();
  for (const permission of untick) await page.getByRole("checkbox", { name: permission }).uncheck();
  await page.getByRole("button", { name: "Allow" }).click();
}

/** Connects an account, from the integrations page and back to it. */
export async function connect(page, account = ACCOUNTS.recordShop) {
  await startConnecting(page);
  await allow(page, account);
  await profile(page, account).waitFor();
}

/** Opens the menu of a card. */
export async function openMenu(page, provider = "Instagram") {
  await card(page, provider).getByRole("button", { name: "More actions" }).click();
}

/** Opens the menu of a card and chooses an entry. */
export async function chooseFromMenu(page, entry, provider) {
  await openMenu(page, provider);
  await page.getByRole("menuitem", { name: entry }).click();
}

/** Disconnects, through the dialog that asks. */
export async function disconnect(page, provider = "Instagram") {
  await chooseFromMenu(page, "Disconnect", provider);
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("button", { name: `Connect ${provider}` }).waitFor();
}
