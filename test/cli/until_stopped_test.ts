import { expect, test } from "bun:test";
import { join } from "node:path";
import type { App } from "../../src/app.ts";
import { untilStopped } from "../../src/cli/until_stopped.ts";
import { createLog } from "../../src/std/log.ts";

const quiet = createLog({ level: "error", human: false, nowMs: () => 0, write: () => {} });

/** An app whose calls end when the test says so, and which notes what is asked of it. */
function slowApp() {
  const asked: string[] = [];
  const drained = Promise.withResolvers<void>();
  const app: Pick<App, "drain" | "close" | "callsInFlight"> = {
    callsInFlight: 1,
    drain: () => {
      asked.push("drain");
      return drained.promise;
    },
    close: async () => void asked.push("close"),
  };
  return { app: app as App, asked, finishCalls: drained.resolve };
}

const never = new Promise<void>(() => {});

test("at the first signal calls may end, and only then the app closes", async () => {
  const { app, asked, finishCalls } = slowApp();
  const stopped = untilStopped(app, quiet, { first: Promise.resolve(), second: never });
  await new Promise(setImmediate);
  expect(asked).toEqual(["drain"]);
  finishCalls();
  await stopped;
  expect(asked).toEqual(["drain", "close"]);
});

test("at the second signal the app closes without waiting", async () => {
  const { app, asked } = slowApp();
  await untilStopped(app, quiet, { first: Promise.resolve(), second: Promise.resolve() });
  expect(asked).toEqual(["drain", "close"]);
});

test("a forgotten promise is logged, and the process goes on", async () => {
  const program = `
    import { watchSignals } from "./src/cli/until_stopped.ts";
    watchSignals({ error: (message, fields) => console.log(message, fields.error.split("\\n")[0]) });
    Promise.reject(new Error("forgotten"));
    setImmediate(() => setImmediate(() => { console.log("going on"); process.exit(0); }));`;
  const child = Bun.spawn([process.execPath, "-e", program], {
    cwd: join(import.meta.dir, "../.."),
    stdout: "pipe",
    stderr: "inherit",
  });
  expect(await child.stdout.text()).toBe("unhandled rejection Error: forgotten\ngoing on\n");
  expect(await child.exited).toBe(0);
});

test("a service manager hears of the stop before calls are waited for, and nothing after the end", async () => {
  const { app, asked, finishCalls } = slowApp();
  const service = {
    stopping: () => void asked.push("told"),
    close: () => void asked.push("silent"),
  };
  const stopped = untilStopped(app, quiet, { first: Promise.resolve(), second: never }, service);
  finishCalls();
  await stopped;
  expect(asked).toEqual(["told", "drain", "close", "silent"]);
});
