// How the event loop learns that events came.

import { Socket } from 'node:net';

import * as native from './native';

/** Calls a function on the event loop when events came. It keeps the process alive between `ref` and `unref` only. */
export interface Watch {
  ref(): void;
  unref(): void;
  /** Watches no more; `closed` is called when the queue can be freed. */
  close(closed: () => void): void;
}

const WAIT_MS = 500;

/** Watches the queue's descriptor, where Node.js can watch one; else waits for the queue on a thread of its pool. */
export function watch(queue: native.Pointer, came: (event?: native.Pointer) => void): Watch {
  if (process.platform === 'win32') return new Pool(queue, came);
  const descriptor = native.queueDescriptor(queue);
  return descriptor < 0 ? new Pool(queue, came) : new Descriptor(descriptor, came);
}

/** The descriptor is one end of a socket. The bytes that come say nothing: that they come does. */
class Descriptor implements Watch {
  readonly #socket: Socket;

  constructor(descriptor: number, came: () => void) {
    this.#socket = new Socket({ fd: descriptor, readable: true, writable: false });
    this.#socket.on('data', () => came());
    this.#socket.unref();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  close(closed: () => void): void {
    this.#socket.destroy();
    closed();
  }
}

/** Those that have a thread of the pool now. */
const waiting = new Set<Pool>();

// The end of the process waits for the pool's threads.
function wakeAll(): void {
  for (const pool of waiting) pool.wake();
}

class Pool implements Watch {
  readonly #queue: native.Pointer;
  readonly #came: (event?: native.Pointer) => void;
  #wanted = false;
  #closed: (() => void) | undefined;

  constructor(queue: native.Pointer, came: (event?: native.Pointer) => void) {
    this.#queue = queue;
    this.#came = came;
  }

  ref(): void {
    this.#wanted = true;
    if (!waiting.has(this)) this.#wait();
  }

  unref(): void {
    this.#wanted = false;
  }

  close(closed: () => void): void {
    this.#wanted = false;
    if (!waiting.has(this)) return closed();
    this.#closed = closed;
    this.wake();
  }

  wake(): void {
    native.queueWake(this.#queue);
  }

  #wait(): void {
    if (waiting.size === 0) process.on('exit', wakeAll);
    waiting.add(this);
    native.queueNext.async(this.#queue, WAIT_MS, (_error, event) => {
      waiting.delete(this);
      if (waiting.size === 0) process.off('exit', wakeAll);
      if (this.#closed) {
        if (event) native.eventFree(event);
        return this.#closed();
      }
      this.#came(event ?? undefined);
      if (this.#wanted && !waiting.has(this)) this.#wait();
    });
  }
}
