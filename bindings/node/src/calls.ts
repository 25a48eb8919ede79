// The calls of one client: started without waiting, and settled by the events of its queue.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers';

import type { Action } from './codes';
import { ACTIONS, codeOf, CODES, EVENT_LOG, EVENT_RESULT, EVENT_TOKEN, logLevelOf } from './codes';
import type { ZoomUserStatusError } from './errors';
import { errorFor, errorOf } from './failure';
import * as native from './native';
import type { ClientOptions, Logger, TokenProvider } from './options';
import { DEFAULTS, open } from './options';
import type { Result, Subject } from './result';
import { make, readResult } from './result';
import { unusable, why } from './text';
import type { Watch } from './watch';
import { watch } from './watch';

/** After this many events, the event loop can do something else. */
const TURN = 64;

/** Whose token provider runs here: a call of that client would wait for itself. */
const providing = new AsyncLocalStorage<object>();

/** What a call does. */
export type Operation = { update: Action } | 'read' | 'check';

export interface Started {
  /** Ends the call within 100 ms. */
  cancel(): void;
}

interface Pending extends Subject {
  /** To be freed; a batch frees its own. */
  cancel: native.Pointer | undefined;
  settle(result: Result): void;
}

export class Calls {
  readonly concurrency: number;
  readonly verifies: boolean;

  /** Stands for this in `providing`, which may outlive it. */
  readonly #identity = {};
  readonly #client: native.Pointer;
  readonly #queue: native.Pointer;
  readonly #provider: TokenProvider | undefined;
  readonly #logger: Logger | undefined;
  readonly #pending = new Map<number, Pending>();
  #watch: Watch | undefined;
  #last = 0;
  /** Batches that run, which start more calls. */
  #batches = 0;
  #closed = false;
  #freed = false;
  #ended = false;
  #whenEnded: (() => void)[] = [];
  /** What the token provider threw last. */
  #providerFailure: unknown;

  constructor(options: ClientOptions) {
    this.concurrency = options.concurrency ?? DEFAULTS.concurrency;
    this.verifies = (options.verify ?? 0) > 0;
    this.#provider = options.tokenProvider;
    this.#logger = options.logger;
    this.#queue = native.queueNew();
    try {
      this.#client = open(options, this.#queue);
    } catch (error) {
      native.queueFree(this.#queue);
      throw error;
    }
  }

  /** Throws once the client is closed. */
  checkOpen(): void {
    if (this.#closed) throw new Error('the client is closed');
  }

  beginBatch(): void {
    this.checkOpen();
    this.#batches++;
  }

  endBatch(): void {
    this.#batches--;
    this.#endWhenIdle();
  }

  /**
   * Starts a call. `settle` gets its result, once, on a later turn. Throws when nothing was started. `shared` is the cancel of a
   * batch, for all of its calls.
   */
  start(operation: Operation, subject: Subject, settle: (result: Result) => void, shared?: native.Pointer): Started {
    if (this.#freed) throw new Error('the client is closed');
    if (providing.getStore() === this.#identity) throw errorOf('ZUS_ERR_REENTRANT', undefined, subject);
    const unable = unusable(subject.userId);
    if (unable !== undefined) {
      setImmediate(() => settle(make(unable, subject, { message: why(unable) })));
      return { cancel: () => {} };
    }
    const watch = this.#watched();
    const cancel = shared ?? native.cancelNew();
    const own = shared === undefined ? cancel : undefined;
    const number = ++this.#last;
    const code = this.#start(operation, subject.userId, cancel, number);
    if (code !== 0) {
      if (own !== undefined) native.cancelFree(own);
      const known = codeOf(code);
      throw errorOf(known === 'ZUS_ERR_UNKNOWN' ? 'ZUS_ERR_PANIC' : known, undefined, subject);
    }
    this.#pending.set(number, { ...subject, cancel: own, settle });
    if (this.#pending.size === 1) watch.ref();
    return {
      cancel: () => {
        if (this.#pending.has(number)) native.cancelTrigger(cancel);
      },
    };
  }

  /** A function of its own: in `start`, the watch's would keep the first call, and with it the client, as long as it lives. */
  #watched(): Watch {
    return (this.#watch ??= watch(this.#queue, (event) => this.#take(event)));
  }

  #start(operation: Operation, userId: string, cancel: native.Pointer, number: number): number {
    if (operation === 'check') return native.startCheck(this.#client, cancel, this.#queue, number);
    if (operation === 'read') return native.startRead(this.#client, userId, cancel, this.#queue, number);
    return native.startUpdate(this.#client, userId, ACTIONS[operation.update], cancel, this.#queue, number);
  }

  /** Ends the calls with this cancel that have sent nothing, and lets the others finish. */
  stop(shared: native.Pointer): void {
    if (!this.#freed) native.clientStopStarted(this.#client, shared);
  }

  /** Lets the calls and batches that run end. */
  close(): Promise<void> {
    this.#closed = true;
    return new Promise((resolve) => {
      this.#whenEnded.push(resolve);
      this.#endWhenIdle();
    });
  }

  /** Cancels the calls that run. They still get their results. */
  destroy(): void {
    this.#closed = true;
    this.#freeClient();
    this.#endWhenIdle();
  }

  #freeClient(): void {
    if (!this.#freed) native.clientFree(this.#client); // cancels what runs, and waits for nothing
    this.#freed = true;
  }

  #endWhenIdle(): void {
    if (!this.#closed || this.#pending.size !== 0 || this.#batches !== 0) return;
    if (!this.#ended) {
      this.#ended = true;
      this.#freeClient();
      const free = (): void => native.queueFree(this.#queue);
      if (this.#watch) this.#watch.close(free);
      else free();
    }
    for (const resolve of this.#whenEnded.splice(0)) resolve();
  }

  /** Takes events until there is none, a few at a turn. */
  #take(first?: native.Pointer): void {
    if (first) this.#handle(first);
    for (let n = 0; n < TURN; n++) {
      if (this.#ended) return; // the queue is freed
      const event = native.queueNext(this.#queue, 0);
      if (!event) return;
      this.#handle(event);
    }
    setImmediate(() => this.#take());
  }

  #handle(event: native.Pointer): void {
    switch (native.eventKind(event)) {
      case EVENT_RESULT:
        return this.#settle(event);
      case EVENT_LOG:
        return this.#log(event);
      case EVENT_TOKEN:
        void this.#provide(event);
        return;
      default:
        native.eventFree(event);
    }
  }

  #settle(event: native.Pointer): void {
    const number = Number(native.eventUserdata(event));
    const pending = this.#pending.get(number);
    if (pending === undefined) return native.eventFree(event);
    const { cancel, settle, userId, action, index } = pending;
    const result = readResult(native.eventResult(event), { userId, action, index });
    native.eventFree(event);
    if (cancel !== undefined) native.cancelFree(cancel);
    this.#pending.delete(number);
    if (this.#pending.size === 0) this.#watch?.unref();
    settle(result);
    this.#endWhenIdle();
  }

  #log(event: native.Pointer): void {
    const level = logLevelOf(native.eventLogLevel(event));
    const message = native.eventMessage(event);
    native.eventFree(event);
    try {
      this.#logger?.(level, message);
    } catch (error) {
      // As of any listener: it is nobody's who waits for a call.
      setImmediate(() => {
        throw error;
      });
    }
  }

  async #provide(event: native.Pointer): Promise<void> {
    try {
      const rejected = native.eventTokenRejected(event) !== 0;
      const token = await providing.run(this.#identity, () => this.#provider?.(rejected));
      const usable = typeof token === 'string' && unusable(token) === undefined && native.eventSetToken(event, token) === 0;
      if (!usable) throw new TypeError('tokenProvider must give a token alone: visible ASCII without "Bearer ", up to 8192 bytes');
      this.#providerFailure = undefined;
    } catch (error) {
      this.#providerFailure = error;
    } finally {
      native.eventFree(event);
    }
  }

  /** The error of what an aborted signal kept from being sent. */
  notSent(subject: Subject, signal: AbortSignal): ZoomUserStatusError {
    return this.errorOf(make('ZUS_ERR_CANCELLED', subject, { message: native.codeText(CODES.ZUS_ERR_CANCELLED) }), signal);
  }

  /** The error of a failed result: its cause is what the token provider threw, or why the signal was aborted. */
  errorOf(result: Result, signal: AbortSignal | undefined): ZoomUserStatusError {
    if (result.code === 'ZUS_ERR_TOKEN') return errorFor(result, this.#providerFailure);
    return errorFor(result, result.code === 'ZUS_ERR_CANCELLED' && signal?.aborted ? signal.reason : undefined);
  }
}
