// Everything that the browser talks to: the real backend with the real web app, and simulators as Instagram and Spotify.

import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { BACKEND, DIST, SIMULATOR, SPOTIFY_SIMULATOR } from "./places.mjs";
import { freePort } from "./ports.mjs";
import { startServer } from "./processes.mjs";

/** The Instagram app of the tests. The secret is searched for where it must never be. */
export const APP = { id: "1377811407203207", secret: "e2e-app-secret-5f1c" };

/** The Spotify app of the tests. */
export const SPOTIFY_APP = { id: "0f1e2d3c4b5a69788796a5b4c3d2e1f0", secret: "e2e-spotify-secret-9b7d" };

/** As much as can be logged: the secrets test reads all of it. */
const LOG_LEVELS = [
  "debug",
  "backend",
  "instagram_connect",
  "instagram_client",
  "spotify_client",
  "connection_store",
  "token_vault",
];

/**
 * Starts both simulators and a backend on free ports, with an empty database.
 *
 * Without options the backend serves the web app itself, from one origin. With `frontendOrigin` it serves none, and
 * expects the app there.
 *
 * @param {{ backendPort?: number, frontendOrigin?: string, env?: Record<string, string> }} options
 */
export async function startStack({ backendPort, frontendOrigin, env = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "instagram-connect-e2e-"));
  const port = backendPort ?? (await freePort());
  const origin = `http://localhost:${port}`;
  const redirectUri = `${origin}/auth/instagram/callback`;
  const clockFile = join(folder, "clock-offset");
  await writeFile(clockFile, "0");

  // Spotify refuses `localhost`: the browser comes back there, and is passed on.
  const spotifyRedirectUri = `http://127.0.0.1:${port}/auth/spotify/callback`;
  const simulator = await startInstagram(folder, redirectUri);
  const spotify = await startSpotify(folder, spotifyRedirectUri);
  const servers = [simulator.server, spotify.server];
  let ahead = 0;
  const stop = async () => {
    try {
      for (const server of servers) await server.stop();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  const backend = await startServer("backend", BACKEND, {
    folder,
    url: `http://127.0.0.1:${port}/readyz`,
    env: {
      BIND_ADDRESS: `127.0.0.1:${port}`,
      PUBLIC_URL: origin,
      FRONTEND_URL: frontendOrigin ?? origin,
      ...(frontendOrigin ? {} : { FRONTEND_DIST: DIST }),
      DATABASE_URL: `sqlite:${join(folder, "instagram.db")}`,
      INSTAGRAM_APP_ID: APP.id,
      INSTAGRAM_APP_SECRET: APP.secret,
      INSTAGRAM_REDIRECT_URI: redirectUri,
      INSTAGRAM_AUTHORIZE_URL: `${simulator.origin}/oauth/authorize`,
      INSTAGRAM_TOKEN_URL: `${simulator.origin}/oauth/access_token`,
      INSTAGRAM_GRAPH_URL: simulator.origin,
      SPOTIFY_CLIENT_ID: SPOTIFY_APP.id,
      SPOTIFY_CLIENT_SECRET: SPOTIFY_APP.secret,
      SPOTIFY_REDIRECT_URI: spotifyRedirectUri,
      SPOTIFY_ACCOUNTS_URL: spotify.origin,
      SPOTIFY_API_URL: spotify.origin,
      // Every test comes from one address.
      RATE_LIMITS: "off",
      NO_COLOR: "1",
      CLOCK_OFFSET_FILE: clockFile,
      RUST_LOG: LOG_LEVELS.map((name, place) => (place === 0 ? name : `${name}=trace`)).join(","),
      ...env,
    },
  }).catch(async (error) => {
    await stop();
    throw error;
  });
  // The backend first: it may be talking to a simulator.
  servers.unshift(backend);

  return {
    /** Where the app is: what a person types into the address bar. */
    origin: frontendOrigin ?? origin,
    /** Where the API is. */
    backendOrigin: origin,
    simulator,
    spotify,
    stop,
    /** Everything that the backend has logged. */
    logs: backend.output,
    /** Puts the backend's clock that many seconds ahead of the machine's. */
    moveClock: (seconds) => writeFile(clockFile, String(seconds)),
    /** Lets so much time pass for the backend, for Instagram and for Spotify alike. */
    async pass(seconds) {
      ahead += seconds;
      await simulator.advance(seconds);
      await spotify.advance(seconds);
      await writeFile(clockFile, String(ahead));
    },
    /** The bytes of the database with its journals, as one text that keeps every byte. */
    async databaseText() {
      const names = (await readdir(folder)).filter((name) => name.startsWith("instagram.db"));
      const files = await Promise.all(names.map((name) => readFile(join(folder, name), "latin1")));
      return files.join("\n");
    },
  };
}

async function startInstagram(folder, redirectUri) {
  const app = ["--app-id", APP.id, "--app-secret", APP.secret, "--redirect-uri", redirectUri];
  const { ask, ...simulator } = await startSimulator("Instagram simulator", SIMULATOR, app, folder);
  return {
    ...simulator,
    /** Instagram kills the account's tokens, for the reason that the subcode names. */
    revoke: (username, subcode) => ask("POST", `accounts/${username}/revoke`, { subcode }),
    /** Every refresh that Instagram was asked for, with its outcome. */
    refreshes: () => ask("GET", "refreshes"),
    /** The account has so many followers now. */
    setFollowers: (username, count) => ask("PATCH", `accounts/${username}`, { followers_count: count }),
    /** A long-lived token of the account, as a client with an OAuth flow of its own holds it. */
    async issueToken(username) {
      const account = (await ask("GET", "accounts")).find((account) => account.username === username);
      const token = await ask("POST", `accounts/${username}/tokens`);
      return { ...token, user_id: account.user_id };
    },
  };
}

async function startSpotify(folder, redirectUri) {
  const app = ["--client-id", SPOTIFY_APP.id, "--client-secret", SPOTIFY_APP.secret, "--redirect-uri", redirectUri];
  const { ask, ...simulator } = await startSimulator("Spotify simulator", SPOTIFY_SIMULATOR, app, folder);
  return {
    ...simulator,
    /** The person removes the app at Spotify. */
    revoke: (username) => ask("POST", `accounts/${username}/revoke`),
  };
}

/** Starts a simulator, which knows one app. All of them have the same admin routes. */
async function startSimulator(name, file, app, folder) {
  const port = await freePort();
  const admin = `http://127.0.0.1:${port}/__simulator`;
  const args = ["--bind", `127.0.0.1:${port}`, ...app];
  const server = await startServer(name, file, { args, folder, url: `${admin}/health` });

  const ask = async (method, path, body) => {
    const answer = await fetch(`${admin}/${path}`, {
      method,
      headers: body && { "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  };
  return {
    ask,
    server,
    origin: `http://localhost:${port}`,
    /** Makes the provider fail: see `Fault` in its simulator for the kinds. */
    fail: (endpoint, kind, details = {}) =>
      ask("POST", "faults", { endpoint, kind, times: "forever", ...details }),
    /** Makes the provider work again. */
    recover: () => ask("DELETE", "faults"),
    /** Chooses how the provider answers: see `Options` in its simulator. */
    configure: (options) => ask("PUT", "options", options),
    /** Moves the provider's clock forward. */
    advance: (seconds) => ask("POST", "clock", { advance: seconds }),
  };
}
