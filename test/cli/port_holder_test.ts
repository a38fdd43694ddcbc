import { expect, test } from "bun:test";
import { listeningSockets, portHolder } from "../../src/cli/port_holder.ts";

const LIST = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11111 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 22222 1 0 20 4 30 10 -1
   2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 33333 1 0 100 0 0 10 0
`;

test("of the system's list, those count that listen on the port", () => {
  expect(listeningSockets(LIST, 8080)).toEqual(["socket:[11111]"]);
  expect(listeningSockets(LIST, 8081)).toEqual(["socket:[33333]"]);
  expect(listeningSockets(LIST, 0x190)).toEqual([]);
  expect(listeningSockets("", 8080)).toEqual([]);
});

test("this process is found by a port that it holds, and nobody once it does not", async () => {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const port = server.port ?? 0;
  expect(portHolder(port)?.pid).toBe(process.pid);
  await server.stop(true);
  expect(portHolder(port)).toBeNull();
});
