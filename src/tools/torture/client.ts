/** A call as a client makes it. */
export interface ClientCall {
  /** Without the provider: what the upstream will see. */
  readonly model: string;
  readonly operation: "chat" | "embeddings";
  readonly stream: boolean;
  readonly maxTokens?: number;
  /** OpenAI by default. */
  readonly provider?: string;
  readonly prompt?: string;
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

/** An answer as it came, or what there was of it. */
export interface Answered {
  /** Null if there was no answer at all. */
  readonly status: number | null;
  readonly headers: Headers;
  /** Null if the body was cut off, or there was none. */
  readonly text: string | null;
}

/** Makes a call and reads its answer to the end, whatever becomes of it. */
export async function makeCall(endpoint: Endpoint, call: ClientCall): Promise<Seen> {
  const { status, headers, text } = await ask(endpoint, call);
  const { model, stream } = call;
  if (text === null) return { model, status, code: null, complete: false, headers };
  const code = /"code":"([a-z_]+)"/.exec(text)?.[1] ?? null;
  const ended = !stream || text.endsWith("data: [DONE]\n\n");
  return { model, status, code, complete: status === 200 && ended, headers };
}

/** Makes a call and returns its answer. It never rejects. */
export async function ask({ url, secret }: Endpoint, call: ClientCall): Promise<Answered> {
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
    return { status, headers, text: await response.text() };
  } catch {
    return { status, headers, text: null };
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

/** Returns the body of a call. */
export function bodyOf(call: Omit<ClientCall, "hangUpMs">) {
  const { provider = "openai", operation, stream, maxTokens, prompt = "How many?" } = call;
  const model = `${provider}/${call.model}`;
  if (operation === "embeddings") return { model, input: prompt };
  return {
    model,
    messages: [{ role: "user", content: prompt }],
    ...(stream ? { stream } : {}),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  };
}
