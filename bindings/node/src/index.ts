/**
 * Activate and deactivate Zoom users.
 *
 *     const zoom = Client.fromEnv();
 *     await zoom.deactivate('ada@example.com');
 *
 * @packageDocumentation
 */

import * as native from './native';

export type { Action, Code, Delivery, Encoding, LogLevel, Status } from './codes';
export type { CallOptions } from './signal';
export type { ClientOptions, Logger, TokenProvider } from './options';
export type { Credentials, Result, UserStatus } from './result';
export type { Users } from './batch';
export { Client } from './client';
export * from './errors.js';

/** The version of libzus in use. */
export const version: string = native.version();
