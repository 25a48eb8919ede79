// node update_status.js USER_ID deactivate|activate|clock_in|clock_out
//
// Exit status: 0 done, 1 refused or failed, 2 misuse. The credentials come from the environment (zus.js, fromEnv).

var zus = require('./zus');

function zoomExample(userId, action) {

    // The address, the token and the form that the call needs are the library's business.

    var zoom = zus.Client.fromEnv();

    var resp = zoom.update(userId, action);
    zoom.close();

    if (resp.statusCode === 0) {   // no answer came
        console.log(resp.code + ': ' + resp.message);
        return 1;
    }

    console.log('HTTP ' + resp.statusCode);
    if (resp.ok) {
        if (resp.body) console.log(resp.body);
        return 0;
    }

    console.log(resp.code + ': ' + resp.message);
    if (resp.zoomCode !== 0) console.log("Zoom's code: " + resp.zoomCode);
    if (resp.trackingId) console.log('tracking id: ' + resp.trackingId);
    return 1;

}

if (process.argv.length !== 4 || !(process.argv[3] in zus.ACTIONS)) {
    console.error('usage: node update_status.js USER_ID deactivate|activate|clock_in|clock_out');
    process.exit(2);
}
try {
    process.exitCode = zoomExample(process.argv[2], process.argv[3]);
} catch (mistake) {   // ours, not Zoom's: no credentials, a blank id
    console.error(mistake.code + ': ' + mistake.message);
    process.exitCode = 2;
}
