// What the tests share: a sandbox, clients of it, and programs that are run.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
export const ROOT = path.join(PACKAGE, '..', '..');
const SANDBOX = process.env.ZUS_SANDBOX ?? path.join(ROOT, 'target/debug/examples/sandbox');

export async function startSandbox(...options) {
  const child = spawn(SANDBOX, ['--until-stdin-closes', '--quiet', ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  const env = {};
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') break;
    const at = line.indexOf('=');
    env[line.slice(0, at)] = line.slice(at + 1);
  }
  child.stdout.resume();
  return {
    env,
    options: { token: env.ZOOM_ACCESS_TOKEN, baseUrl: env.ZOOM_API_URL, oauthUrl: env.ZOOM_OAUTH_URL },
    oauth: {
      accountId: env.ZOOM_ACCOUNT_ID,
      clientId: env.ZOOM_CLIENT_ID,
      clientSecret: env.ZOOM_CLIENT_SECRET,
      baseUrl: env.ZOOM_API_URL,
      oauthUrl: env.ZOOM_OAUTH_URL,
    },
    /** What came, and what became of it. */
    async ledger() {
      const response = await fetch(new URL('/sandbox/ledger', env.ZOOM_API_URL));
      return response.json();
    },
    async stop() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

/** The environment of a program: nothing of this one's that changes what the package does. */
export function environment(env = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(ZOOM_|NODE_)/.test(name) && !/proxy/i.test(name));
  return { ...Object.fromEntries(kept), ...env };
}

/** Runs a program: its exit status or signal, what it printed, and for how long it ran. `during` may talk to it. */
export async function run(command, args, { env = {}, cwd = PACKAGE, during, input } = {}) {
  const started = performance.now();
  const child = spawn(command, args, { cwd, env: environment(env) });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  child.stdin.end(input);
  during?.(child);
  const [status, signal] = await once(child, 'close');
  return { status, signal, stdout, stderr, ms: performance.now() - started };
}

/** Runs a piece of JavaScript in a process of its own. */
export function program(code, options) {
  return run(process.execPath, ['--input-type=module', '-e', `import { Client } from 'zoom-user-status';\n${code}`], options);
}

/** Waits until something is so. */
export async function until(is, what, ms = 10_000) {
  const end = performance.now() + ms;
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function collect(results) {
  const all = [];
  for await (const result of results) all.push(result);
  return all;
}
