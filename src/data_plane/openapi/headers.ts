/** A header of an answer, and when it is there. */
export interface AnswerHeader {
  readonly about: string;
  readonly on: "every answer" | "answers to a known key" | "successes" | "errors";
  readonly example: string;
}

/** The headers that clients live by. */
export const HEADERS: Readonly<Record<string, AnswerHeader>> = {
  "x-request-id": {
    about: "Names the answer, and its call in the record of calls",
    on: "every answer",
    example: "019ecb27-2200-7440-b544-0000000000aa",
  },
  "x-ratelimit-limit-requests": {
    about: "The requests that the key may make in any 60 seconds",
    on: "answers to a known key",
    example: "60",
  },
  "x-ratelimit-remaining-requests": {
    about: "How many of them are left now",
    on: "answers to a known key",
    example: "59",
  },
  "x-ratelimit-reset-requests": {
    about: "How long until all of them are back",
    on: "answers to a known key",
    example: "1m0s",
  },
  "x-inference-dropped-params": {
    about: "The fields that were left out because the provider has no such thing, comma-separated",
    on: "successes",
    example: "logit_bias",
  },
  "retry-after": {
    about: "Where waiting helps: how many seconds",
    on: "errors",
    example: "12",
  },
  "retry-after-ms": {
    about: "The same in milliseconds, for SDKs that read it",
    on: "errors",
    example: "11840",
  },
  "x-should-retry": {
    about: "Whether trying again can help, for SDKs that read it",
    on: "errors",
    example: "false",
  },
  "x-upstream-status": {
    about: "The status of a provider's error",
    on: "errors",
    example: "429",
  },
};
