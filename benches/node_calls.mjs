// Many calls at once in one event loop: node_calls.mjs zus|fetch API CALLS. Prints the seconds they took and by how many a 10 ms timer of
// the same loop was late at the most.

import { createRequire } from 'node:module';

const [kind, api, calls] = process.argv.slice(2);
const token = 'sandbox-token';
const users = Array.from({ length: Number(calls) }, () => 'ada@example.com');

function withZus() {
  const { Client } = createRequire(import.meta.url)('../bindings/node');
  const zoom = new Client({ token, baseUrl: api, rate: null, concurrency: users.length });
  return async (user) => (await zoom.deactivate(user)).httpStatus;
}

function withFetch() {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return async (user) => {
    const response = await fetch(`${api}/users/${user}/status`, { method: 'PUT', headers, body: JSON.stringify({ action: 'deactivate' }) });
    await response.text();
    return response.status;
  };
}

const call = kind === 'zus' ? withZus() : withFetch();
let late = 0;
let due = performance.now() + 10;
const timer = setInterval(() => {
  const now = performance.now();
  late = Math.max(late, now - due);
  due = now + 10;
}, 10);
await new Promise((resolve) => setTimeout(resolve, 50));
late = 0;
const began = performance.now();
const statuses = await Promise.all(users.map(call));
const took = performance.now() - began;
clearInterval(timer);
if (statuses.some((status) => status !== 204)) throw new Error(`not all done: ${new Set(statuses)}`);
console.log((took / 1000).toFixed(6), (late / 1000).toFixed(6));
