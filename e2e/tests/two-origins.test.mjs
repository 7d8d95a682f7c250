// The app on one origin and the backend on another, as in development: cookies, CORS and the way back from Instagram.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { HOSTED, followLink, newLink } from "../support/host.mjs";
import { card, connect, disconnect, integrations, profile, signUp } from "../support/journeys.mjs";
import { requireFree } from "../support/ports.mjs";
import { scenario } from "../support/scenario.mjs";
import { serveApp } from "../support/static-server.mjs";

// An app that is served from port 5176 looks for its backend on port 4002 of the same host: no other ports will do.
const FRONTEND_PORT = 5176;
const BACKEND_PORT = 4002;
const FRONTEND = `http://localhost:${FRONTEND_PORT}`;

let app;

before(async () => {
  await requireFree(BACKEND_PORT);
  await requireFree(FRONTEND_PORT);
  app = await serveApp(FRONTEND_PORT);
});

after(() => app?.stop());

const layout = { backendPort: BACKEND_PORT, frontendOrigin: FRONTEND };

scenario("connecting works across two origins", layout, async ({ page }) => {
  await signUp(page, FRONTEND);
  await connect(page);
  assert.equal(new URL(page.url()).origin, FRONTEND);
  await page.reload();
  await profile(page, "wreckshoprecords").waitFor();
  await disconnect(page);
});

scenario(
  "a page of another origin can neither read nor end the session",
  layout,
  async ({ page, problems, stack }) => {
    await signUp(page, FRONTEND);
    // The simulator's origin: same site, so the browser does send the cookie along.
    await page.goto(`${stack.simulator.origin}/__simulator/health`);
    for (const method of ["GET", "DELETE"]) {
      const outcome = await page.evaluate(requestSession, { origin: stack.backendOrigin, method });
      assert.equal(outcome, "refused", method);
    }
    // The browser reports each refusal as an error of the page; here they are what is wanted.
    problems.length = 0;
    await page.goto(`${FRONTEND}/integrations`);
    await card(page).getByText("Not connected").waitFor();
  },
);

scenario("a host's link leads from the backend's page to the app", { ...layout, ...HOSTED }, async ({ page, stack }) => {
  await followLink(page, await newLink(stack, { userId: "user-123" }));
  await integrations(page).waitFor();
  assert.equal(new URL(page.url()).origin, FRONTEND);
  await card(page).getByText("Not connected").waitFor();
});

/** Runs in the page. The browser refuses an answer without CORS headers for the page's origin. */
async function requestSession({ origin, method }) {
  const request = fetch(`${origin}/api/session`, { method, credentials: "include" });
  return request.then(
    () => "answered",
    () => "refused",
  );
}
