// The built web app on an origin of its own, as a host without the backend serves it.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

import { DIST } from "./places.mjs";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Serves `dist/` on the port; an address that is no file gets the app's page. */
export async function serveApp(port) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const name = extname(pathname) in TYPES ? pathname : "/index.html";
    try {
      // `pathname` is normalized: it cannot climb out of the folder.
      const file = await readFile(join(DIST, name));
      response.writeHead(200, { "content-type": TYPES[extname(name)] }).end(file);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return {
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
