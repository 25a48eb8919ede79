using System;
using System.Collections.Generic;
using System.Management.Automation;
using System.Threading;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>Reads the status of Zoom users: active, inactive or pending.</summary>
    /// <remarks>
    /// The command writes one result for each user of the input, with what Zoom says of the user. A user who can't be read is also an error, written
    /// after the last result. It needs the scope user:read:user:admin, or the classic user:write:admin, and changes nothing.
    /// </remarks>
    /// <example>
    /// <code>Get-ZoomUserStatus ada@example.com</code>
    /// <para>Reads one user.</para>
    /// </example>
    /// <example>
    /// <code>Import-Csv leavers.csv | Get-ZoomUserStatus | Where-Object UserStatus -eq Active | Disable-ZoomUser</code>
    /// <para>Deactivates those of a file who are active.</para>
    /// </example>
    [Cmdlet(VerbsCommon.Get, "ZoomUserStatus", DefaultParameterSetName = "UserId")]
    [OutputType(typeof(ZoomUser))]
    public sealed class GetZoomUserStatusCommand : UserCommand
    {
        private protected override string Activity => "Reading Zoom users";

        private protected override bool Agreed(ZoomUserStatusConnection connection, IReadOnlyList<UserInput> users) => true;

        private protected override ZoomUserResult Make(UserInput user, string status, UserStatusResult result) => new ZoomUser(user, "Get", status, result);

        private protected override UserStatusBatch Run(ZoomUserStatusClient client, string[] users, Action<UserStatusResult> onResult, CancellationToken cancellationToken) =>
            client.GetStatusMany(users, onResult, cancellationToken);
    }
}
