import { expect, test } from "bun:test";
import { CHAT, chunk, EventReader, lastChunks, until, withProxy } from "../support/data_plane.ts";
import { connectRaw } from "../support/raw_http.ts";

const STREAM = { ...CHAT, stream: true };

test("a drain waits for the calls in flight, whole and streamed, and they end as usual", () =>
  withProxy({}, async (proxy) => {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    proxy.standIn.next({ until: promise });
    const whole = proxy.call();
    await until(() => proxy.standIn.count === 1);
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "one" });
        await promise;
        yield lastChunks(5, 1);
      })(),
    });
    const reader = new EventReader(await proxy.send(STREAM));
    await reader.next();
    let drained = false;
    const draining = proxy.app.drain().then(() => {
      drained = true;
    });
    expect((await proxy.call()).json.error.code).toBe("shutting_down");
    expect((await fetch(`${proxy.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${proxy.url}/livez`)).status).toBe(200);
    expect(drained).toBe(false);
    release();
    expect((await whole).status).toBe(200);
    expect((await reader.rest()).at(-1)).toBe("[DONE]");
    await draining;
    expect((await proxy.calls()).map(({ ending }) => ending)).toEqual(["completed", "completed"]);
  }));

test("a call whose request is still being sent when the drain begins is not taken", () =>
  withProxy({}, async (proxy) => {
    const connection = await connectRaw(proxy.url);
    const body = JSON.stringify(CHAT);
    connection.socket.write(
      `POST /inference/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${proxy.key.secret}\r\n` +
        `content-length: ${body.length}\r\n\r\n{`,
    );
    // Answered on another connection, so the first one has been taken up.
    await proxy.call("", { path: "/models", method: "GET" });
    await proxy.app.drain();
    connection.socket.write(body.slice(1));
    expect(await connection.until(/shutting_down/)).toStartWith("HTTP/1.1 503");
    connection.socket.destroy();
    expect(proxy.standIn.count).toBe(0);
    expect(await proxy.calls()).toEqual([]);
  }));

test("however a drain meets calls that are just beginning, each has an answer and is settled", () =>
  withProxy({}, async (proxy) => {
    const answering = Array.from({ length: 30 }, () => proxy.call());
    // Some are admitted, some in the middle of it, some have not arrived.
    await until(() => proxy.standIn.count > 0);
    await proxy.app.drain();
    expect(proxy.app.callsInFlight).toBe(0);
    const statuses = (await Promise.all(answering)).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    const rows = await proxy.calls();
    expect(rows).toHaveLength(statuses.filter((status) => status === 200).length);
    expect(rows.every(({ ending }) => ending === "completed")).toBe(true);
  }));

test("calls that outlast the time of the drain are ended, and charged", () =>
  withProxy({ flags: ["--drain-timeout-s", "0"] }, async (proxy) => {
    const { promise: never } = Promise.withResolvers<void>();
    proxy.standIn.next({ until: never });
    const whole = proxy.call({ ...CHAT, max_tokens: 77 });
    await until(() => proxy.standIn.count === 1);
    proxy.standIn.next({
      pieces: (async function* () {
        yield chunk({ content: "x".repeat(35) });
        await never;
      })(),
    });
    const reader = new EventReader(await proxy.send(STREAM));
    await reader.next();
    await proxy.app.drain();
    const answer = await whole;
    expect(answer.status).toBe(503);
    expect(answer.json.error.code).toBe("shutting_down");
    const { error } = JSON.parse((await reader.rest()).at(-1) ?? "");
    expect(error).toMatchObject({ type: "server_error", param: null, code: "shutting_down" });
    expect(await proxy.calls()).toMatchObject([
      { state: "posted", ending: "shutdown", estimated: 1, output_tokens: 77 },
      { state: "posted", ending: "shutdown", estimated: 1, output_tokens: 10 },
    ]);
    await Promise.all(proxy.standIn.requests.map(({ hungUp }) => hungUp));
  }));

test("an app that is closed with calls in flight leaves none open", () =>
  withProxy({}, async (proxy) => {
    const { promise: never } = Promise.withResolvers<void>();
    for (let call = 0; call < 5; call += 1) proxy.standIn.next({ until: never });
    const answering = Array.from({ length: 5 }, () => proxy.call().catch(() => null));
    await until(() => proxy.standIn.count === 5);
    await proxy.restart();
    await Promise.all(answering);
    const rows = await proxy.calls();
    expect(rows).toHaveLength(5);
    expect(rows.every(({ state, ending }) => state === "posted" && ending === "shutdown")).toBe(
      true,
    );
    expect(proxy.logged).not.toContain("posted calls that the last stop left open");
  }));
