// Many users: calls that are started a window ahead, and their results as they come.

import type { Calls, Operation } from './calls';
import { NoThreadError, QueueFullError } from './errors';
import { errorOf } from './failure';
import * as native from './native';
import type { Result, Subject } from './result';
import { NOBODY } from './result';
import { onAbort } from './signal';

export type Users = Iterable<string> | AsyncIterable<string>;

/**
 * The results of zus_update_status_many and zus_get_user_status_many. What every other user would fail by ends it: no user is
 * started any more, those in flight end, and then its error is thrown. A user without a result was never sent.
 */
export async function* run(calls: Calls, users: Users, operation: Operation, signal: AbortSignal | undefined): AsyncGenerator<Result, void, undefined> {
  const source = Symbol.asyncIterator in users ? users[Symbol.asyncIterator]() : users[Symbol.iterator]();
  calls.beginBatch();
  const batch = new Batch(calls, source, operation, signal);
  const unlisten = onAbort(signal, () => batch.cancel());
  try {
    for (;;) {
      batch.pull();
      const result = batch.ready.shift();
      if (result !== undefined) yield result;
      else if (batch.isOver) break;
      else await batch.changed();
    }
  } finally {
    unlisten();
    await batch.end().finally(() => calls.endBatch());
  }
  if (batch.failure !== undefined) throw batch.failure.error;
  if (signal?.aborted) throw calls.notSent(NOBODY, signal);
}

class Batch {
  /** Results that were not taken yet. */
  readonly ready: Result[] = [];
  /** What ends it early. */
  failure: { error: unknown } | undefined;

  readonly #calls: Calls;
  readonly #operation: Operation;
  readonly #source: Iterator<string> | AsyncIterator<string>;
  /** Of all its calls. */
  readonly #cancel = native.cancelNew();
  readonly #signal: AbortSignal | undefined;
  readonly #window: number;
  #index = 0;
  /** Calls that were started and have not ended. */
  #outstanding = 0;
  #exhausted = false;
  /** No user is started any more. */
  #stopped = false;
  /** For whom there was no room in the queue, or no thread. */
  #refused: Subject | undefined;
  /** The next user is on the way, or the first one is read before anybody is updated. */
  #pulling = false;
  #wake = (): void => {};

  constructor(calls: Calls, source: Iterator<string> | AsyncIterator<string>, operation: Operation, signal: AbortSignal | undefined) {
    this.#calls = calls;
    this.#operation = operation;
    this.#signal = signal;
    this.#window = 2 * calls.concurrency;
    this.#source = source;
  }

  get isOver(): boolean {
    return this.#outstanding === 0 && (this.#stopped || (this.#isOut && !this.#pulling));
  }

  /** Nobody is left to be started. */
  get #isOut(): boolean {
    return this.#exhausted && this.#refused === undefined;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  /** Starts users while there is room. */
  pull(): void {
    while (!this.#stopped && !this.#isOut && !this.#pulling && this.#outstanding + this.ready.length < this.#window) {
      try {
        if (this.#refused === undefined) this.#next();
        else if (!this.#start(this.#refused)) return;
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  #next(): void {
    const next = this.#source.next();
    if (next instanceof Promise || 'then' in next) this.#await(next as PromiseLike<IteratorResult<string>>);
    else this.#accept(next);
  }

  #await(next: PromiseLike<IteratorResult<string>>): void {
    this.#pulling = true;
    next.then(
      (user) => {
        this.#pulling = false;
        try {
          this.#accept(user);
        } catch (error) {
          this.#fail(error);
        }
        this.#wake();
      },
      (error: unknown) => {
        this.#pulling = false;
        this.#fail(error);
        this.#wake();
      },
    );
  }

  #accept(next: IteratorResult<string>): void {
    if (next.done) {
      this.#exhausted = true;
      return;
    }
    if (this.#stopped) return;
    const userId = next.value as unknown;
    if (typeof userId !== 'string') throw new TypeError(`a user ID is a string, not ${userId === null ? 'null' : typeof userId}`);
    const action = typeof this.#operation === 'object' ? this.#operation.update : undefined;
    const subject: Subject = { userId, action, index: this.#index++ };
    const verifies = this.#calls.verifies && (action === 'activate' || action === 'deactivate');
    if (verifies && subject.index === 0) this.#readFirst(subject);
    else this.#start(subject);
  }

  /** Starts a user; not now, when there is no room in the queue or no thread, but some call of ours will end. */
  #start(subject: Subject): boolean {
    try {
      this.#call(this.#operation, subject, (result) => this.#hear(result));
      this.#refused = undefined;
      return true;
    } catch (error) {
      const isFull = error instanceof QueueFullError || error instanceof NoThreadError;
      if (!isFull || this.#outstanding === 0) throw error;
      this.#refused = subject;
      return false;
    }
  }

  /** Reads the first user before anybody is updated: a missing scope for reading would fail every verification. */
  #readFirst(subject: Subject): void {
    this.#pulling = true;
    this.#call('read', subject, (read) => {
      this.#pulling = false;
      if (read.isFatal) {
        this.#hear(Object.freeze({ ...read, delivery: 'not_sent' as const })); // no update was
      } else if (!this.#stopped) {
        try {
          this.#start(subject);
        } catch (error) {
          this.#fail(error);
        }
      }
    });
  }

  #call(operation: Operation, subject: Subject, ended: (result: Result) => void): void {
    const settle = (result: Result): void => {
      this.#outstanding--;
      ended(result);
      this.#wake();
    };
    this.#calls.start(operation, subject, settle, this.#cancel);
    this.#outstanding++;
  }

  #hear(result: Result): void {
    if (result.code === 'ZUS_ERR_CANCELLED' && result.attempts === 0) return; // never sent
    this.ready.push(result);
    if (!result.isFatal) return;
    this.#fail(this.#calls.errorOf(result, this.#signal));
    this.#calls.stop(this.#cancel);
  }

  #fail(error: unknown): void {
    this.failure ??= { error };
    this.#stopped = true;
  }

  /** Ends the users in flight, who still have their results. */
  cancel(): void {
    this.#stopped = true;
    native.cancelTrigger(this.#cancel);
    this.#wake();
  }

  /** Nothing goes on after it. */
  async end(): Promise<void> {
    this.cancel();
    while (this.#outstanding > 0) await this.changed();
    native.cancelFree(this.#cancel);
    if (this.#exhausted) return;
    const returned = this.#source.return?.();
    // A generator that still waits for its next user returns only after that.
    if (this.#pulling) void Promise.resolve(returned).catch(() => {});
    else await returned;
  }
}

/** Throws unless these can be users. */
export function checkUsers(users: unknown): asserts users is Users {
  const isMany = typeof users === 'object' && users !== null && (Symbol.iterator in users || Symbol.asyncIterator in users);
  if (!isMany) throw new TypeError('users must be an array or another iterable of user IDs');
}

/** An error before anything is started. */
export function unknownAction(action: unknown): Error {
  if (typeof action !== 'string') return new TypeError('action must be activate, deactivate, clock_in or clock_out');
  return errorOf('ZUS_ERR_ARGUMENT', `there is no action ${JSON.stringify(action)}: there are activate, deactivate, clock_in and clock_out`);
}
