// Programs that a test starts: started with their output kept, and stopped for certain.

import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

/** How long a program may take to answer after its start, or to end after SIGTERM, in milliseconds. */
const PATIENCE = 15_000;

const running = new Set();

// Whatever ends this process, a failed test included, ends what it started. There is no time for anything but a kill.
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/**
 * Starts a program that serves HTTP, and waits until `url` answers without an error.
 *
 * The program sees nothing of this process's environment but the path: no variable and no `.env` of the person who
 * runs the tests can change what they test. So its folder should be one that has no `.env` above it.
 *
 * @param {string} name for messages
 * @param {string} file the program
 * @param {{ args?: string[], env?: Record<string, string>, folder: string, url: string }} options
 */
export async function startServer(name, file, { args = [], env = {}, folder, url }) {
  let output = "";
  const child = spawn(file, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`exit ${code ?? signal}`));
  });
  let end;
  ended.then((how) => {
    end = how;
    running.delete(child);
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => (output += text));
  }

  const stop = async () => {
    if (end) return;
    child.kill("SIGTERM");
    const late = Symbol("late");
    if ((await Promise.race([ended, pause(PATIENCE, late, { ref: false })])) === late) {
      child.kill("SIGKILL");
      throw new Error(`The ${name} did not stop within ${PATIENCE} ms of SIGTERM.`);
    }
  };

  const deadline = Date.now() + PATIENCE;
  while (!(await answers(url))) {
    if (end || Date.now() > deadline) {
      await stop().catch(() => {});
      throw new Error(`The ${name} did not start (${end ?? "no answer"}):\n${output}`);
    }
    await pause(25);
  }
  return { output: () => output, stop };
}

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
