const zus = require('./zus');

const zoom = zus.Client.fromEnv();
process.on('exit', () => zoom.close());
PAGE
