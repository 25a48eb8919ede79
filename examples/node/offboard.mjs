// node offboard.mjs [FILE]
//
// Deactivates every user in FILE (or on standard input), an ID or e-mail address a line, and prints a line each as it ends.
// Ctrl-C ends it within moments; who was not done is printed at the end as LEFT lines. Exit status: 0 all done, 1 some failed,
// 2 usage error, 3 ended early, 130 ended by Ctrl-C.

import { readFileSync } from 'node:fs';
import { CancelledError, Client, UsageError, ZoomUserStatusError } from 'zoom-user-status';

function read(file) {
  const lines = readFileSync(file, 'utf8').replace(/^\ufeff/, '').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}

async function offboard(zoom, users) {
  const left = new Map(users.entries());
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  let failed = 0;
  let status;
  try {
    for await (const result of zoom.updateMany(users, 'deactivate', { signal: interrupted.signal })) {
      const { ok, userId, code, httpStatus, zoomCode, message, trackingId, index } = result;
      if (code === 'ZUS_ERR_CANCELLED') continue; // it may have been applied: the user stays to be done
      left.delete(index);
      if (ok) console.log(`DONE ${userId}`);
      else console.log(`FAIL ${userId} ${code} ${httpStatus}/${zoomCode} ${message} [${trackingId}]`);
      if (!ok) failed++;
    }
  } catch (error) {
    // A failure that is fatal for the batch, or Ctrl-C.
    if (!(error instanceof ZoomUserStatusError)) throw error;
    console.error(error.message);
    status = error instanceof CancelledError ? 130 : 3;
  }
  for (const user of left.values()) console.log(`LEFT ${user}`);
  console.error(`${users.length - left.size - failed} done, ${failed} failed, ${left.size} left`);
  return status ?? (failed > 0 ? 1 : 0);
}

try {
  if (process.argv.length > 3) throw new Error('usage: node offboard.mjs [FILE]');
  const users = read(process.argv[2] ?? 0);
  process.exitCode = await offboard(Client.fromEnv(), users);
} catch (error) {
  if (!(error instanceof UsageError) && error.code !== 'ENOENT' && !error.message.startsWith('usage')) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
