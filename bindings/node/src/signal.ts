const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/** Throws unless it is a signal, of whichever realm, or none. */
export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return;
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function') throw new TypeError('signal must be an AbortSignal');
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
