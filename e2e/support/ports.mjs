// TCP ports for the servers that a test starts.

import { createServer } from "node:net";

// Below those from which systems choose one for a connection that goes out: such a one could take a port between the moment
// that it is found free and the one that a server starts there.
const LOWEST = 20_000;
const COUNT = 10_000;

/** A port that nothing uses right now. */
export async function freePort() {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * COUNT);
    try {
      await close(await listen(port));
      return port;
    } catch {
      // Taken: another one.
    }
  }
}

/** Fails with a sentence when something uses the port. */
export async function requireFree(port) {
  let server;
  try {
    server = await listen(port);
  } catch {
    throw new Error(
      `Port ${port} is taken, and this test needs that very one. Stop what uses it, then try again.`,
    );
  }
  await close(server);
}

function listen(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject).listen(port, "127.0.0.1", () => resolve(server));
  });
}

function close(server) {
  return new Promise((resolve) => server.close(resolve));
}
