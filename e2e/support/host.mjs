// A host application: it has a service key, and sends its users here by links.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

import { COMMANDS } from "./places.mjs";

const KEY = execFileSync(COMMANDS, ["keys", "generate-service"], { encoding: "utf8" }).trim();

/** A server that knows the host application. */
export const HOSTED = { env: { BOOTSTRAP_SERVICE_KEY: KEY } };

/** Asks the service as the host application's backend does. */
export async function asHost(stack, method, path, body) {
  const answer = await fetch(`${stack.backendOrigin}${path}`, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

/** What the host application's backend does to send its user here. */
export async function newLink(stack, body) {
  return (await asHost(stack, "POST", "/api/sessions", body)).url;
}

/** Opens a link and says on its page that one wants to go on as this user. */
export async function followLink(page, url, name = "user-123") {
  await page.goto(url);
  await page.getByRole("button", { name: `Continue as ${name}` }).click();
}
