using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Threading;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>A command that updates users.</summary>
    public abstract class UpdateCommand : UserCommand
    {
        /// <summary>
        /// A new CSV file, which gets a line as soon as a user has a result. It is the report of the command line, which can resume from it
        /// (zoom-user-status --report FILE --resume). A file that exists is not overwritten: the command ends with an error, and nothing is sent.
        /// </summary>
        [Parameter, ValidateNotNullOrEmpty]
        public string? ReportPath { get; set; }

        /// <summary>
        /// Reads each user afterwards, until the status is the wanted one, for up to 10 seconds: a user whose status does not become that one is Failed,
        /// with the code NotVerified. For Activate and Deactivate. It needs the scope user:read:user:admin, and takes at least one more request for each.
        /// </summary>
        [Parameter]
        public SwitchParameter Verify { get; set; }

        private protected abstract UserStatusAction What { get; }

        private protected override ZoomUserResult Make(UserInput user, string status, UserStatusResult result) => new ZoomUserResult(user, What.ToString(), status, result);

        private protected override string Activity => What switch
        {
            UserStatusAction.Activate => "Activating Zoom users",
            UserStatusAction.Deactivate => "Deactivating Zoom users",
            UserStatusAction.ClockIn => "Clocking in Zoom users",
            _ => "Clocking out Zoom users",
        };

        private protected override bool Agreed(ZoomUserStatusConnection connection, IReadOnlyList<UserInput> users)
        {
            string[] sent = users.Where(u => u.Refused is null).Select(u => u.UserId).ToArray();
            string number = sent.Length == 1 ? "1 Zoom user" : sent.Length + " Zoom users";
            string where = " of " + connection;
            string all = What + " " + number + where + ": " + string.Join(", ", sent);
            foreach (UserInput refused in users.Where(u => u.Refused != null)) all += Environment.NewLine + "Not sent: " + refused.Refused;
            string some = string.Join(", ", sent.Take(3)) + (sent.Length > 3 ? ", ..." : "");
            string effect = What == UserStatusAction.Deactivate ? " They can't sign in any more, and Zoom removes their licenses." : "";
            return ShouldProcess(all, What + " " + number + where + ": " + some + "?" + effect, MyInvocation.MyCommand.Name);
        }

        private protected override Report? OpenReport(ZoomUserStatusConnection connection)
        {
            if (ReportPath is null) return null;
            string path = "";
            try
            {
                path = this.FilePath(ReportPath);
                return new Report(path, What, connection);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
            {
                string message = File.Exists(path) ? path + " exists: choose another -ReportPath, or go on with it by zoom-user-status --report " + path + " --resume. Nothing was sent."
                    : "The report can't be made: " + e.Message + " Nothing was sent.";
                ThrowTerminatingError(new ErrorRecord(new IOException(message, e), "ReportNotMade", ErrorCategory.OpenError, ReportPath));
                throw; // not reached
            }
        }

        private protected override ZoomUserStatusClient ClientOf(ZoomUserStatusConnection connection) => Verify ? connection.VerifyingClient : connection.Client;

        private protected override UserStatusBatch Run(ZoomUserStatusClient client, string[] users, Action<UserStatusResult> onResult, CancellationToken cancellationToken) =>
            client.UpdateMany(users, What, onResult, cancellationToken);
    }

    /// <summary>Deactivates Zoom users.</summary>
    /// <remarks>
    /// The pipeline is one batch: nothing is sent before the end of the input, and if the input fails, nothing is sent at all. Several users are in
    /// flight at once, at the rate limit of the connection. The command writes one result for each user of the input; a failed user is also
    /// an error, written after the last result. It is safe to deactivate a user again who is inactive already.
    /// Deactivated users can't sign in, and Zoom removes all their licenses.
    /// </remarks>
    /// <example>
    /// <code>Import-Csv leavers.csv | Disable-ZoomUser -ReportPath report.csv</code>
    /// <para>Deactivates the users of a file, after a confirmation. The report has a line for each, as it ends.</para>
    /// </example>
    /// <example>
    /// <code>Import-Csv leavers.csv | Disable-ZoomUser -WhatIf</code>
    /// <para>Says who would be deactivated, and sends nothing.</para>
    /// </example>
    /// <example>
    /// <code>$results = Import-Csv leavers.csv | Disable-ZoomUser -Confirm:$false -ErrorAction SilentlyContinue
    /// $results | Where-Object Status -ne Done | Disable-ZoomUser</code>
    /// <para>Deactivates without a question, then sends those that are not done again.</para>
    /// </example>
    [Cmdlet(VerbsLifecycle.Disable, "ZoomUser", DefaultParameterSetName = "UserId", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ZoomUserResult))]
    public sealed class DisableZoomUserCommand : UpdateCommand
    {
        private protected override UserStatusAction What => UserStatusAction.Deactivate;
    }

    /// <summary>Activates Zoom users.</summary>
    /// <remarks>
    /// The pipeline is one batch: nothing is sent before the end of the input, and if the input fails, nothing is sent at all. The command writes one
    /// result for each user of the input; a failed user is also an error, written after the last result. Zoom does not promise to give back the
    /// licenses that a deactivation took.
    /// </remarks>
    /// <example>
    /// <code>Enable-ZoomUser ada@example.com</code>
    /// <para>Activates one user.</para>
    /// </example>
    [Cmdlet(VerbsLifecycle.Enable, "ZoomUser", DefaultParameterSetName = "UserId", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
    [OutputType(typeof(ZoomUserResult))]
    public sealed class EnableZoomUserCommand : UpdateCommand
    {
        private protected override UserStatusAction What => UserStatusAction.Activate;
    }

    /// <summary>Sets the status of Zoom users: activates, deactivates, clocks in or clocks out.</summary>
    /// <remarks>
    /// As Disable-ZoomUser and Enable-ZoomUser, with the action in a parameter. Clocking in and out is for accounts whose users have shifts.
    /// </remarks>
    /// <example>
    /// <code>'ada@example.com', 'grace@example.com' | Set-ZoomUserStatus -Action ClockOut -Confirm:$false</code>
    /// <para>Clocks out two users, without a question.</para>
    /// </example>
    [Cmdlet(VerbsCommon.Set, "ZoomUserStatus", DefaultParameterSetName = "UserId", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
    [OutputType(typeof(ZoomUserResult))]
    public sealed class SetZoomUserStatusCommand : UpdateCommand
    {
        /// <summary>What to do: Activate, Deactivate, ClockIn or ClockOut.</summary>
        [Parameter(Mandatory = true), ValidateSet("Activate", "Deactivate", "ClockIn", "ClockOut")]
        public UserStatusAction Action { get; set; }

        private protected override UserStatusAction What => Action;
    }
}
