using ZoomUserStatus;

var options = ZoomUserStatusOptions.FromEnvironment();
options.AccessToken = null;
options.AccountId = Environment.GetEnvironmentVariable("ZOOM_ACCOUNT_ID");
options.ClientId = Environment.GetEnvironmentVariable("ZOOM_CLIENT_ID");
options.ClientSecret = Environment.GetEnvironmentVariable("ZOOM_CLIENT_SECRET");
using var client = new ZoomUserStatusClient(options);
PAGE
