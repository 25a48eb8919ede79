using ZoomUserStatus;

using ZoomUserStatusClient client = ZoomUserStatusClient.FromEnvironment();
PAGE
