// No Instagram token, app secret, password or session token anywhere that a person or an operator can read it.

import assert from "node:assert/strict";

import { ACCOUNTS, allow, connect, disconnect, signUp, startConnecting } from "../support/journeys.mjs";
import { scenario } from "../support/scenario.mjs";
import { APP } from "../support/stack.mjs";

/** What every token of Instagram begins with, and enough after it to be one. */
const INSTAGRAM_TOKEN = /IGAA[\w-]{8,}/;

scenario(
  "no secret is in a log, a response, an address or the database",
  async ({ page, context, stack }) => {
    const responses = [];
    const addresses = [];
    const reading = [];
    page.on("request", (request) => {
      if (request.url().startsWith(stack.origin)) addresses.push(request.url());
    });
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (!pathname.startsWith("/api") && !pathname.startsWith("/auth")) return;
      const headers = Object.entries(response.headers()).filter(([name]) => name !== "set-cookie");
      responses.push(JSON.stringify(headers));
      // The browser forgets a body when it leaves the page. That happens to the login route's, read below.
      reading.push(response.text().catch(() => ""));
    });

    // A good connection, its end, one that Instagram breaks off, and one that the person refuses.
    const details = await signUp(page, stack.origin);
    const session = (await context.cookies()).find(({ name }) => name === "connect_session").value;
    await connect(page);
    await disconnect(page);
    for (const kind of ["html", "wrong_json", "truncated", "graph_error"]) {
      await stack.simulator.fail("profile", kind, { code: 100 });
      await startConnecting(page);
      await allow(page, ACCOUNTS.recordShop);
      await page.getByRole("button", { name: "Try again" }).waitFor();
      await stack.simulator.recover();
      await page.goto(`${stack.origin}/integrations`);
    }
    await startConnecting(page);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("You did not give access").waitFor();

    // A client that holds a token of its own may send it: another way into the logs.
    const own = await stack.simulator.issueToken(ACCOUNTS.creator);
    assert.match(own.access_token, INSTAGRAM_TOKEN, "the pattern finds tokens");
    const status = await page.evaluate(async (own) => {
      const { user } = await (await fetch("/api/session")).json();
      await (await fetch("/auth/instagram/login")).text();
      const answer = await fetch("/api/integrations/instagram/callback", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ userId: user.id, ...own }),
      });
      await answer.text();
      return answer.status;
    }, own);
    assert.equal(status, 200);
    responses.push(...(await Promise.all(reading)));

    const places = {
      "the backend's log": stack.logs(),
      "a response": responses.join("\n"),
      "an address": addresses.join("\n"),
      "the database": await stack.databaseText(),
    };
    const secrets = {
      "an Instagram token": INSTAGRAM_TOKEN,
      "the app secret": APP.secret,
      "the password": details.password,
      "the session token": session,
    };
    assert.ok(places["the backend's log"].includes("/api/integrations/instagram"), "the log was read");
    assert.ok(places["a response"].includes("sealed."), "the responses were read");
    assert.ok(places["a response"].includes("authUrl"), "the login route's answer was read");
    assert.ok(places["an address"].includes("/auth/instagram/callback?"), "the addresses were read");
    assert.ok(places["the database"].includes("mara.paints"), "the database was read");
    for (const [place, text] of Object.entries(places)) {
      for (const [secret, pattern] of Object.entries(secrets)) {
        const at = typeof pattern === "string" ? text.indexOf(pattern) : text.search(pattern);
        const around = text.slice(Math.max(0, at - 200), at + 60);
        assert.equal(at, -1, `${secret} is in ${place}: …${around}…`);
      }
    }
  },
);
