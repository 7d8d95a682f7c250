// Where things are that the tests use. `cargo xtask test` names them; the defaults fit a checkout that was built there.

import { fileURLToPath } from "node:url";
import { join } from "node:path";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The built web app. */
export const DIST = join(root, "dist");

/** Where screenshots go. */
export const SCREENSHOTS = process.env.SCREENSHOTS ?? join(root, "target/screenshots");

/** The browser. */
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const binaries = process.env.BINARIES ?? join(root, "target/debug");

/** The backend with a clock that tests can move: what ships, in every other way. */
export const BACKEND = join(binaries, "examples/instagram-connect-with-clock");

/** The backend as it ships, for its commands. */
export const COMMANDS = join(binaries, "instagram-connect");

/** The stand-in for Instagram. */
export const SIMULATOR = join(binaries, "instagram-simulator");

/** The stand-in for Spotify. */
export const SPOTIFY_SIMULATOR = join(binaries, "spotify-simulator");
