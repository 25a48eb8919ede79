// A caller in Node.js with the npm package.

import { Client, UserNotFoundError } from 'zoom-user-status';

const zoom = Client.fromEnv();
if ((await zoom.deactivate('ada@example.com')).httpStatus !== 204) throw new Error('call: failed: ada');
try {
  await zoom.deactivate('nobody@example.com');
  throw new Error('call: failed: nobody was found');
} catch (error) {
  if (!(error instanceof UserNotFoundError)) throw error;
  console.log(`call: passed: ${error.message}`);
}
// With a call in flight: the end of the process does not wait for it.
zoom.deactivate('answer-never@example.com').catch(() => {});
setTimeout(() => process.exit(0), 200);
