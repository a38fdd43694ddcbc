/** The floor: the least that a proxy in JavaScript can do. It reads the body, sends it on and relays the answer. */
const upstream = process.argv[2] ?? "";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  idleTimeout: 255,
  fetch: async (request) => {
    const answer = await fetch(upstream + request.url.slice(request.url.indexOf("/", 8)), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: request.headers.get("authorization") ?? "",
      },
      body: await request.arrayBuffer(),
    });
    const type = answer.headers.get("content-type") ?? "";
    return new Response(answer.body, { status: answer.status, headers: { "content-type": type } });
  },
});
process.on("disconnect", () => process.exit());
process.send?.({ port: server.port });

export {};
