import { expect, test } from "bun:test";
import { CHAT, withProxy } from "../support/data_plane.ts";

test.each([false, true])(
  "a provider with which no TLS connection comes about (stream: %p) is charged nothing",
  (stream) =>
    withProxy({}, async (proxy) => {
      const base_url = proxy.standIn.baseUrls.openai.replace("http:", "https:");
      expect((await proxy.configure("openai", { base_url })).status).toBe(200);
      const answer = await proxy.call({ ...CHAT, stream });
      expect(answer.status).toBe(502);
      expect(answer.json.error).toMatchObject({ code: "upstream_error", upstream_status: null });
      expect(await proxy.calls()).toMatchObject([{ state: "voided", ending: "upstream_failed" }]);
      expect(proxy.standIn.count).toBe(0);
      // The client is not told why; whoever runs the proxy has to know.
      expect(proxy.logged).toMatch(/"cannot reach provider".*"openai".*"EPROTO"/);
    }),
);
