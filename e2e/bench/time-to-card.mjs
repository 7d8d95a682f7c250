// How much the app sends and how soon the card is there, in Chromium. Run by `cargo xtask bench`.

import { launch } from "../support/browser.mjs";
import { ACCOUNTS, connect, signUp } from "../support/journeys.mjs";
import { startStack } from "../support/stack.mjs";

/** Medians of this many visits are reported. */
const VISITS = 9;

const browser = await launch();
const stack = await startStack({ env: { RUST_LOG: "info" } });
try {
  const context = await browser.newContext({ locale: "en-US", timezoneId: "UTC" });
  const page = await context.newPage();
  await signUp(page, stack.origin);
  await connect(page, ACCOUNTS.recordShop);
  const { cookies } = await context.storageState();
  await context.close();

  const first = [];
  const again = [];
  for (let visit = 0; visit < VISITS; visit += 1) {
    const visitor = await browser.newContext({ locale: "en-US", timezoneId: "UTC" });
    await visitor.addCookies(cookies);
    first.push(await open(visitor));
    again.push(await open(visitor));
    await visitor.close();
  }
  console.log("| the app in Chromium | kB transferred | first paint, ms | time to the card, ms |");
  console.log("| --- | ---: | ---: | ---: |");
  print("first visit", first);
  print("with a warm cache", again);
} finally {
  await stack.stop();
  await browser.close();
}

/** Opens the integrations page in a new tab and watches until the card shows the account. */
async function open(context) {
  const page = await context.newPage();
  const transferred = await countBytes(page);
  await page.addInitScript((username) => {
    const look = () => {
      if (window.cardShownAt === undefined && document.body?.innerText.includes(`@${username}`)) {
        window.cardShownAt = performance.now();
      }
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  }, ACCOUNTS.recordShop);
  await page.goto(`${stack.origin}/integrations`);
  await page.waitForFunction(() => window.cardShownAt !== undefined);
  const times = await page.evaluate(() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    card: window.cardShownAt,
  }));
  await page.waitForLoadState("networkidle");
  await page.close();
  return { ...times, kilobytes: transferred() / 1000 };
}

/** Counts what the app itself sends over the network, headers included: not the API's answers, not pictures. */
async function countBytes(page) {
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  const ofApp = new Set();
  let bytes = 0;
  network.on("Network.responseReceived", ({ requestId, response }) => {
    const url = new URL(response.url);
    const isApp = url.origin === stack.origin && !url.pathname.startsWith("/api/");
    if (isApp && !response.fromDiskCache) ofApp.add(requestId);
  });
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (ofApp.has(requestId)) bytes += encodedDataLength;
  });
  return () => bytes;
}

function print(name, visits) {
  const median = (key) => visits.map((visit) => visit[key]).sort((a, b) => a - b)[Math.floor(visits.length / 2)];
  const row = [median("kilobytes").toFixed(1), median("paint").toFixed(0), median("card").toFixed(0)];
  console.log(`| ${name} | ${row.join(" | ")} |`);
}
