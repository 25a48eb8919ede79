// node offboard.mjs [FILE]
//
// Deactivates every user in FILE (or on standard input), one user ID or e-mail address per line, and prints a line for each
// user when that user's update has ended: DONE or FAIL. Ctrl-C cancels the batch. At the end, a REMAINS line names each user
// who was not sent, or whose outcome is unknown. Exit status: 0 all done, 1 some failed, 2 usage error, 3 ended early,
// 130 Ctrl-C.

import { readFileSync } from 'node:fs';
import { CancelledError, Client, UsageError, ZoomUserStatusError } from 'zoom-user-status';

const STDIN = 0;

function readUsers(file) {
  const lines = readFileSync(file, 'utf8').replace(/^\ufeff/, '').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}

async function offboard(zoom, users) {
  const remaining = new Map(users.entries());
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  let done = 0;
  let failed = 0;
  let endedEarly;
  try {
    for await (const result of zoom.updateMany(users, 'deactivate', { signal: interrupt.signal })) {
      const { ok, userId, code, httpStatus, zoomCode, message, trackingId, index } = result;
      if (code === 'ZUS_ERR_CANCELLED') continue; // the update may have been applied: the user remains
      remaining.delete(index);
      if (ok) {
        done++;
        console.log(`DONE ${userId}`);
      } else {
        failed++;
        console.log(`FAIL ${userId} ${code} ${httpStatus}/${zoomCode} ${message} [${trackingId}]`);
      }
    }
  } catch (error) {
    if (!(error instanceof ZoomUserStatusError)) throw error;
    console.error(error.message); // a failure that is fatal for the batch, or Ctrl-C
    endedEarly = error instanceof CancelledError ? 130 : 3;
  }
  for (const user of remaining.values()) console.log(`REMAINS ${user}`);
  console.error(`${done} done, ${failed} failed, ${remaining.size} remaining`);
  return endedEarly ?? (failed > 0 ? 1 : 0);
}

async function main([file = STDIN, ...more]) {
  if (more.length > 0) {
    console.error('usage: node offboard.mjs [FILE]');
    return 2;
  }
  try {
    const users = readUsers(file);
    return await offboard(Client.fromEnv(), users);
  } catch (error) {
    // No credentials, or a file that can't be read.
    if (!(error instanceof UsageError) && error.syscall === undefined) throw error;
    console.error(error.message);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
