// Prints what the npm package says and binds, a line each, for tests/drift.rs.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { ACTIONS, CODES, ENCODINGS } = require('../../bindings/node/dist/codes.js');
const { DEFAULTS } = require('../../bindings/node/dist/options.js');
const { FUNCTIONS } = require('../../bindings/node/dist/native.js');

const say = (kind, table) => Object.entries(table).forEach(([name, value]) => console.log(kind, name, value));
const upper = (table) => Object.fromEntries(Object.entries(table).map(([name, number]) => [name.toUpperCase(), number]));

for (const [name, number] of Object.entries(CODES)) console.log('code', name.replace('ZUS_', '').replace('ERR_', ''), number);
say('action', upper(ACTIONS));
say('encoding', upper(ENCODINGS));
for (const name of FUNCTIONS) console.log('function', name);
const [connect_ms, total_ms] = DEFAULTS.timeout;
const [first_ms, most_ms] = DEFAULTS.backoff;
const { rate, retries, concurrency } = DEFAULTS;
say('default', { connect_ms, total_ms, attempts: retries + 1, first_ms, most_ms, requests: rate, concurrency });
