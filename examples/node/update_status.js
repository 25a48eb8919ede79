// node update_status.js USER_ID deactivate|activate|clock_in|clock_out
//
// One call, and what became of it. Exit status: 0 done, 1 refused or failed, 2 usage error. The credentials come from the
// environment: ZOOM_ACCESS_TOKEN, or ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET.

var { Client, UsageError, ZoomUserStatusError } = require('zoom-user-status');

async function zoomExample(userId, action) {

    var zoom = Client.fromEnv();

    // resp: Result
    var resp = await zoom.update(userId, action);

    console.log('HTTP ' + resp.httpStatus);
    if (resp.body) console.log(resp.body);

}

if (process.argv.length !== 4) {
    console.error('usage: node update_status.js USER_ID deactivate|activate|clock_in|clock_out');
    process.exit(2);
}

zoomExample(process.argv[2], process.argv[3]).catch(function (error) {

    if (!(error instanceof ZoomUserStatusError)) throw error;
    if (error instanceof UsageError) {   // ours, not Zoom's: no credentials, an action that there is not
        console.error(error.message);
        process.exitCode = 2;
        return;
    }

    var resp = error.result;
    if (resp.httpStatus !== 0) console.log('HTTP ' + resp.httpStatus);
    console.log(resp.code + ': ' + resp.message);
    if (resp.zoomCode !== 0) console.log("Zoom's code: " + resp.zoomCode);
    if (resp.trackingId) console.log('tracking id: ' + resp.trackingId);
    process.exitCode = 1;

});
