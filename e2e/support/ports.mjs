// TCP ports for the servers that a test starts.

import { createServer } from "node:net";

/** A port that nothing uses right now. */
export async function freePort() {
  const server = await listen(0);
  const { port } = server.address();
  await close(server);
  return port;
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
