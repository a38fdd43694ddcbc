import { RawClient, type RawPlace } from "./raw_client.ts";

/** Who signs in, and with what. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** How long an answer may take, in milliseconds. */
const ANSWER_MS_MAX = 20_000;

/** Signs in to the management plane on a connection of its own. Returns the status of the answer; 0 if there is none. */
export async function signIn(place: RawPlace, { user, password }: Credentials): Promise<number> {
  const client = await RawClient.connect(place);
  const authorization = `Basic ${btoa(`${user}:${password}`)}`;
  client.send(
    `GET /organizations HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${authorization}\r\n\r\n`,
  );
  await client.until(() => client.complete, ANSWER_MS_MAX);
  const { status, complete } = client;
  client.hangUp("close");
  return complete ? status : 0;
}
