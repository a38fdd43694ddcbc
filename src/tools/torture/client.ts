/** A call as a client makes it. */
export interface ClientCall {
  /** Without the provider: what the upstream will see. */
  readonly model: string;
  readonly operation: "chat" | "embeddings";
  readonly stream: boolean;
  readonly maxTokens?: number;
  /** Hangs up after so many milliseconds; absent if the client stays. */
  readonly hangUpMs?: number;
}

/** What a client saw of its call. */
export interface Seen {
  readonly model: string;
  /** Null if there was no answer at all. */
  readonly status: number | null;
  /** The code of an error; null if there was none or the answer ended before. */
  readonly code: string | null;
  /** Whether the whole answer came: a stream to its `[DONE]`, without an error in it. */
  readonly complete: boolean;
  readonly headers: Headers;
}

/** Where calls go, and with which key. */
export interface Endpoint {
  readonly url: string;
  readonly secret: string;
}

/** Makes a call and reads its answer to the end, whatever becomes of it. */
export async function makeCall({ url, secret }: Endpoint, call: ClientCall): Promise<Seen> {
  const hangUp = new AbortController();
  const { hangUpMs } = call;
  const timer = hangUpMs === undefined ? null : setTimeout(() => hangUp.abort(), hangUpMs);
  let status: number | null = null;
  let headers = new Headers();
  try {
    const path = call.operation === "chat" ? "chat/completions" : "embeddings";
    const response = await fetch(`${url}/inference/v1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify(bodyOf(call)),
      signal: hangUp.signal,
    });
    status = response.status;
    headers = response.headers;
    const text = await response.text();
    const code = /"code":"([a-z_]+)"/.exec(text)?.[1] ?? null;
    const ended = !call.stream || text.endsWith("data: [DONE]\n\n");
    return { model: call.model, status, code, complete: response.ok && ended, headers };
  } catch {
    return { model: call.model, status, code: null, complete: false, headers };
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

function bodyOf({ model, operation, stream, maxTokens }: ClientCall) {
  const asked = `openai/${model}`;
  if (operation === "embeddings") return { model: asked, input: "How many?" };
  return {
    model: asked,
    messages: [{ role: "user", content: "How many?" }],
    ...(stream ? { stream } : {}),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  };
}
