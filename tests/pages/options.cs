using ZoomUserStatus;

var options = ZoomUserStatusOptions.FromEnvironment();
PAGE
using var client = new ZoomUserStatusClient(options);
client.Deactivate("ada@example.com");
