import { foldUserName } from "../domain/names.ts";
import { parseBasicAuth } from "../std/basic_auth.ts";
import { PasswordsBusyError } from "../std/password.ts";
import type { Secret } from "../std/secret.ts";
import type { Row } from "../store/tables.ts";
import { findUser } from "../store/users.ts";
import type { ManagementDeps } from "./deps.ts";
import { ManagementError } from "./error_response.ts";

const CHALLENGE = { "www-authenticate": 'Basic realm="inference-proxy", charset="UTF-8"' };

/** How often at most, in milliseconds, it is said that sign-ins are refused. */
const REFUSALS_SAID_MS = 10_000;

/** Returns the user of a request. @throws {ManagementError} If nobody is signed in by it. */
export type Authenticate = (request: Request, address: string) => Promise<Row<"users">>;

/** What signing in stands on. */
type SignInDeps = Pick<ManagementDeps, "db" | "clock" | "passwords" | "throttle" | "log">;

/** Creates the one way into the management plane: HTTP basic authentication. */
export function createAuthenticator(deps: SignInDeps): Authenticate {
  // Parallel requests of one client are one attempt: they carry the same password.
  const pending = new Map<string, Promise<void>>();
  const sayRefused = createRefusalLog(deps);

  return async (request, address) => {
    const header = request.headers.get("authorization");
    const credentials = parseBasicAuth(header);
    if (credentials === null) throw unauthorized();
    const name = foldUserName(credentials.user);
    const user = await findUser(deps.db, name);
    const same = [address, user?.password_hash ?? "", header].join("\n");
    let attempt = pending.get(same);
    if (attempt === undefined) {
      const { password } = credentials;
      attempt = verify({ name, password, user, address }).finally(() => pending.delete(same));
      pending.set(same, attempt);
    }
    await attempt;
    // While the password was checked it may have been changed, or the user deleted.
    const now = await findUser(deps.db, name);
    if (user === undefined || now?.password_hash !== user.password_hash) throw unauthorized();
    return now;
  };

  async function verify({ name, password, user, address }: SignIn): Promise<void> {
    const attempt = deps.throttle.attempt(name, address);
    if (typeof attempt === "number") {
      sayRefused(address);
      throw tooManyAttempts(attempt);
    }
    let right = false;
    try {
      right = await deps.passwords.verify({
        user: name,
        password: password.reveal(),
        hash: user?.password_hash ?? null,
      });
    } catch (error) {
      attempt.abandoned();
      throw error instanceof PasswordsBusyError ? busy() : error;
    }
    if (right) return attempt.succeeded();
    attempt.failed();
    deps.log.warn("sign-in refused: wrong user or password", { address });
    throw unauthorized();
  }
}

interface SignIn {
  /** Folded. */
  readonly name: string;
  readonly password: Secret;
  readonly user: Row<"users"> | undefined;
  readonly address: string;
}

/** Says that sign-ins are refused without a look at their passwords: not each, which would fill the disk. */
function createRefusalLog({ clock, log }: Pick<SignInDeps, "clock" | "log">) {
  let refusals = 0;
  let saidMs = -Infinity;
  return (address: string): void => {
    refusals += 1;
    const nowMs = clock.monotonicMs();
    if (nowMs - saidMs < REFUSALS_SAID_MS) return;
    log.warn("sign-in refused: too many failures", { address, refusals });
    refusals = 0;
    saidMs = nowMs;
  };
}

/** Hashes a new password. @throws {ManagementError} `overloaded` if too many wait to be hashed. */
export async function hashPassword(
  password: string,
  { passwords }: Pick<ManagementDeps, "passwords">,
): Promise<string> {
  try {
    return await passwords.hash(password);
  } catch (error) {
    throw error instanceof PasswordsBusyError ? busy() : error;
  }
}

function busy(): ManagementError {
  return new ManagementError("overloaded", "Cannot check password: too many are being checked", {
    "retry-after": "1",
  });
}

function unauthorized(): ManagementError {
  return new ManagementError(
    "unauthorized",
    "Cannot sign in: expected HTTP basic authentication with a known user and password",
    CHALLENGE,
  );
}

function tooManyAttempts(waitMs: number): ManagementError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new ManagementError(
    "too_many_attempts",
    `Cannot sign in: too many failures, try again in ${seconds} s`,
    { "retry-after": String(seconds) },
  );
}
