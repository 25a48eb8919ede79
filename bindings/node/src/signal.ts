const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/** What each call can be told. */
export interface CallOptions {
  /** Ends the call within 100 ms: it rejects with a `CancelledError`, whose name is `AbortError`. */
  signal?: AbortSignal | undefined;
}

/** The signal of a call's options, of whichever realm. Throws where they are no options. */
export function signalOf(options: CallOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null || isSignal(options)) throw new TypeError('options must be an object: { signal }');
  for (const name of Object.keys(options)) {
    if (name !== 'signal') throw new TypeError(`a call has no option ${name}: there is signal`);
  }
  const { signal } = options;
  if (signal !== undefined && !isSignal(signal)) throw new TypeError('signal must be an AbortSignal');
  return signal;
}

function isSignal(value: unknown): boolean {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

/**
 * Calls a function when the signal aborts, or soon when it has. Returns what takes that back. A signal has one listener of ours
 * however many calls it is given to: Node.js warns of more than ten.
 */
export function onAbort(signal: AbortSignal | undefined, call: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    call();
    return () => {};
  }
  let all = listeners.get(signal);
  if (all === undefined) {
    const set = new Set<() => void>();
    all = set;
    listeners.set(signal, set);
    // The last first: a thread of the library's that an ended call leaves takes the next one.
    signal.addEventListener('abort', () => [...set].reverse().forEach((each) => each()), { once: true });
  }
  const set = all;
  set.add(call);
  return () => set.delete(call);
}
