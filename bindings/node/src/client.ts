import type { Action } from './codes';
import { ACTIONS } from './codes';
import { checkUsers, run, unknownAction } from './batch';
import type { Users } from './batch';
import { Calls } from './calls';
import type { Operation } from './calls';
import { errorOf } from './failure';
import type { ClientOptions } from './options';
import { kindOf } from './options';
import type { Credentials, Result, UserStatus } from './result';
import { credentialsOf, userStatusOf } from './result';
import type { CallOptions } from './signal';
import { onAbort, signalOf } from './signal';

/** Closes the connections of clients that nobody has any more, once their last calls have ended. */
const forgotten = new FinalizationRegistry<Calls>((calls) => void calls.close());

/**
 * Activates and deactivates the users of one Zoom account.
 *
 * Make one and share it: it keeps connections, the token and the rate. Making one sends nothing. A call that runs keeps the process
 * alive, as a `fetch` does; the end of the process cancels it.
 *
 * @throws {CredentialsMissingError} no credentials, or a part of them
 * @throws {InvalidArgumentError} a value can't be used
 * @throws {TypeError} an option that there isn't, or a value of another type
 */
export class Client {
  readonly #calls: Calls;
  readonly #kind: Credentials['kind'];

  constructor(options: ClientOptions) {
    this.#kind = kindOf(options);
    this.#calls = new Calls(options);
    forgotten.register(this, this.#calls, this);
  }

  /**
   * A client with the credentials of the environment: ZOOM_ACCESS_TOKEN, else ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and
   * ZOOM_CLIENT_SECRET; also ZOOM_API_URL and ZOOM_OAUTH_URL.
   *
   * @throws {CredentialsMissingError} names what is not set
   */
  static fromEnv(options: Omit<ClientOptions, 'token' | 'accountId' | 'clientId' | 'clientSecret' | 'tokenProvider'> = {}): Client {
    const env = (name: string): string | undefined => process.env[name] || undefined;
    const urls = { baseUrl: env('ZOOM_API_URL'), oauthUrl: env('ZOOM_OAUTH_URL') };
    const token = env('ZOOM_ACCESS_TOKEN');
    if (token !== undefined) return new Client({ ...urls, ...options, token });
    const names = ['ZOOM_ACCOUNT_ID', 'ZOOM_CLIENT_ID', 'ZOOM_CLIENT_SECRET'];
    const missing = names.filter((name) => env(name) === undefined);
    if (missing.length > 0) {
      const others = missing.length === names.length ? 'ZOOM_ACCESS_TOKEN or ' : '';
      throw errorOf('ZUS_ERR_CREDENTIALS', `no credentials in the environment: set ${others}${missing.join(', ')}`);
    }
    const [accountId, clientId, clientSecret] = names.map(env);
    return new Client({ ...urls, ...options, accountId, clientId, clientSecret });
  }

  /**
   * Does one action with one user: Zoom's ID of the user, or the e-mail address, without whitespace around it.
   *
   * Rejects with the `ZoomUserStatusError` of what went wrong, whose `result` has all that is known. What is safe and useful to
   * retry has been retried by then.
   */
  async update(userId: string, action: Action, options?: CallOptions): Promise<Result> {
    if (!Object.hasOwn(ACTIONS, action)) throw unknownAction(action);
    return this.#call({ update: action }, userId, action, options);
  }

  /** Lets a deactivated user sign in again. Zoom does not say that licenses come back. */
  activate(userId: string, options?: CallOptions): Promise<Result> {
    return this.update(userId, 'activate', options);
  }

  /** Blocks the sign-in and removes all licenses. */
  deactivate(userId: string, options?: CallOptions): Promise<Result> {
    return this.update(userId, 'deactivate', options);
  }

  clockIn(userId: string, options?: CallOptions): Promise<Result> {
    return this.update(userId, 'clock_in', options);
  }

  clockOut(userId: string, options?: CallOptions): Promise<Result> {
    return this.update(userId, 'clock_out', options);
  }

  /** Reads one user: active, inactive or pending, and what else Zoom says. Needs the scope `user:read:user:admin` or a classic one. */
  async status(userId: string, options?: CallOptions): Promise<UserStatus> {
    return userStatusOf(await this.#call('read', userId, undefined, options));
  }

  /**
   * Does one action with many users, `concurrency` at a time and at the client's `rate`, and gives their results as they end. A
   * user's failure is a result like any other; a user who is given twice is sent twice. Nothing is sent before the first result is
   * asked for.
   *
   * What every other user would fail by (no token, a rejected token, a missing scope, the daily limit) is thrown after the last
   * result. So is a `CancelledError` when the signal aborts: users in flight are cancelled, and still have their results. A user
   * without a result was never sent. Leaving the loop cancels the users in flight and drops their results.
   */
  updateMany(users: Users, action: Action, options?: CallOptions): AsyncGenerator<Result, void, undefined> {
    if (!Object.hasOwn(ACTIONS, action)) throw unknownAction(action);
    return this.#many(users, { update: action }, options);
  }

  /** Reads many users. Otherwise like `updateMany`: a user who could not be read has a `result` that is not `ok`. */
  statuses(users: Users, options?: CallOptions): AsyncGenerator<UserStatus, void, undefined> {
    return readAll(this.#many(users, 'read', options));
  }

  /**
   * Obtains a token and touches no user. Of a static token or a token provider's nothing can be learned this way.
   * Rejects with a `TokenError` when Zoom gives none for these credentials.
   */
  async checkCredentials(options?: CallOptions): Promise<Credentials> {
    return credentialsOf(this.#kind, await this.#call('check', '', undefined, options));
  }

  /** Lets the calls that run end, and closes the connections. Calls from now on reject. */
  close(): Promise<void> {
    forgotten.unregister(this);
    return this.#calls.close();
  }

  /** Cancels the calls that run, which reject with a `CancelledError`, and closes the connections. */
  destroy(): void {
    forgotten.unregister(this);
    this.#calls.destroy();
  }

  async #call(operation: Operation, userId: string, action: Action | undefined, options: CallOptions | undefined): Promise<Result> {
    const signal = signalOf(options);
    if (typeof userId !== 'string') throw new TypeError(`a user ID is a string, not ${userId === null ? 'null' : typeof userId}`);
    this.#calls.checkOpen();
    const subject = { userId, action, index: 0 };
    if (signal?.aborted) throw this.#calls.notSent(subject, signal);
    const result = await new Promise<Result>((resolve) => {
      const started = this.#calls.start(operation, subject, (settled) => {
        unlisten();
        resolve(settled);
      });
      const unlisten = onAbort(signal, () => started.cancel());
    });
    if (!result.ok) throw this.#calls.errorOf(result, signal);
    return result;
  }

  #many(users: Users, operation: Operation, options: CallOptions | undefined): AsyncGenerator<Result, void, undefined> {
    checkUsers(users);
    const signal = signalOf(options);
    this.#calls.checkOpen();
    return run(this.#calls, users, operation, signal);
  }
}

async function* readAll(results: AsyncGenerator<Result, void, undefined>): AsyncGenerator<UserStatus, void, undefined> {
  for await (const result of results) yield userStatusOf(result);
}
