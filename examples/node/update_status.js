// node update_status.js USER_ID deactivate|activate|clock_in|clock_out
//
// Updates one user and prints the result. Exit status: 0 done, 1 failed, 2 usage error. The credentials come from the
// environment: ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET.

'use strict';

const { Client, UsageError, ZoomUserStatusError } = require('zoom-user-status');

/** Prints the result of an update that was done or has failed. */
function printResult(result) {
  if (result.httpStatus !== 0) console.log(`HTTP ${result.httpStatus}`);
  if (result.ok) return;
  console.log(`${result.code}: ${result.message}`);
  if (result.zoomCode !== 0) console.log(`Zoom's code: ${result.zoomCode}`);
  if (result.trackingId) console.log(`tracking ID: ${result.trackingId}`);
}

async function main([userId, action, ...more]) {
  if (action === undefined || more.length > 0) {
    console.error('usage: node update_status.js USER_ID deactivate|activate|clock_in|clock_out');
    return 2;
  }
  try {
    const zoom = Client.fromEnv();
    printResult(await zoom.update(userId, action));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) { // no credentials, an unknown action, an empty user ID: nothing was sent
      console.error(error.message);
      return 2;
    }
    if (!(error instanceof ZoomUserStatusError)) throw error;
    printResult(error.result);
    return 1;
  }
}

main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
