using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Language;
using System.Threading;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>A command for users. The pipeline is one batch: it begins when the input has ended, and an input that fails sends nothing.</summary>
    public abstract class UserCommand : PSCmdlet
    {
        private static int s_activities = 20_000;

        private readonly List<UserInput> _users = new List<UserInput>();
        private readonly int _activityId = Interlocked.Increment(ref s_activities); // ForEach-Object -Parallel shows several at once
        private UserInputReader? _reader;
        private volatile UserBatch? _batch;

        /// <summary>
        /// The users' IDs or e-mail addresses. Leading and trailing whitespace is removed. An object names a user as it does in the pipeline.
        /// </summary>
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "UserId")]
        [AllowNull, AllowEmptyString, AllowEmptyCollection]
        public PSObject?[]? UserId { get; set; }

        /// <summary>
        /// A user from the pipeline. A string is the user's ID or e-mail address. An object, such as a row of Import-Csv, names the user by the
        /// first of these properties that has a value (case, spaces and hyphens of its name don't matter): UserId, Email, EmailAddress, Mail, PrimaryEmail,
        /// PrimarySmtpAddress, UserPrincipalName, Login. An object without any of them ends the command before anything is sent.
        /// </summary>
        [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "InputObject")]
        [AllowNull, AllowEmptyString]
        public PSObject? InputObject { get; set; }

        /// <summary>The property of the input objects that names the user, instead of those that -InputObject lists.</summary>
        [Parameter, ValidateNotNullOrEmpty, ArgumentCompleter(typeof(PropertyCompleter))]
        public string? Property { get; set; }

        /// <summary>Stops the batch when this number of users has failed: users in flight end, and no other user is sent. Default 0: no limit.</summary>
        [Parameter, ValidateRange(0, int.MaxValue)]
        public int MaximumFailureCount { get; set; }

        /// <summary>A connection of Connect-ZoomUserStatus -PassThru. Default: the one of this runspace, or else the environment variables.</summary>
        [Parameter, ValidateNotNull]
        public ZoomUserStatusConnection? Connection { get; set; }

        /// <summary>Makes a result.</summary>
        /// <param name="user">Who came in.</param>
        /// <param name="status">Done, Failed, Unknown or NotSent.</param>
        /// <param name="result">What the library says.</param>
        private protected abstract ZoomUserResult Make(UserInput user, string status, UserStatusResult result);

        /// <summary>For the progress: "Deactivating Zoom users".</summary>
        private protected abstract string Activity { get; }

        /// <summary>Asks whether to go on.</summary>
        /// <param name="connection">The account.</param>
        /// <param name="users">Who came in.</param>
        private protected abstract bool Agreed(ZoomUserStatusConnection connection, IReadOnlyList<UserInput> users);

        /// <summary>The report; null for none.</summary>
        /// <param name="connection">The account.</param>
        private protected virtual Report? OpenReport(ZoomUserStatusConnection connection) => null;

        /// <summary>The client of the connection that does it.</summary>
        /// <param name="connection">The account.</param>
        private protected virtual ZoomUserStatusClient ClientOf(ZoomUserStatusConnection connection) => connection.Client;

        /// <summary>The client's call.</summary>
        private protected abstract UserStatusBatch Run(ZoomUserStatusClient client, string[] users, Action<UserStatusResult> onResult, CancellationToken cancellationToken);

        /// <inheritdoc/>
        protected override void BeginProcessing() => _reader = new UserInputReader(Property);

        /// <inheritdoc/>
        protected override void ProcessRecord()
        {
            try
            {
                // An array behind -UserId that is null or empty is an input without a user, as it is in the pipeline.
                IEnumerable inputs = ParameterSetName == "InputObject" ? new[] { InputObject } : UserId is { Length: > 0 } ids ? ids : new PSObject?[] { null };
                foreach (object? input in inputs) _users.AddRange(_reader!.Read(input));
            }
            // The input is no target: an error is shown with it, and a row may have a password.
            catch (NoUserException e) { ThrowTerminatingError(new ErrorRecord(e, "NoUserProperty", ErrorCategory.InvalidData, null)); }
        }

        /// <inheritdoc/>
        protected override void EndProcessing()
        {
            if (_users.Count == 0) return;
            ZoomUserStatusConnection connection = this.FindConnection(Connection);
            if (_users.Any(u => u.Refused is null) && !Agreed(connection, _users)) return;
            using Report? report = OpenReport(connection);
            using var batch = new UserBatch(connection, _users, Make, MaximumFailureCount, report);
            _batch = batch;
            if (Stopping) return;
            batch.Start(ClientOf(connection), Run);
            int given = 0;
            try
            {
                Pump(batch, ref given);
            }
            catch // the pipeline stopped: Ctrl-C, Select-Object -First, an error downstream
            {
                batch.Stop();
                batch.Wait();
                SayOnHost(batch, given);
                throw;
            }
            finally { _batch = null; }
            if (Stopping) SayOnHost(batch, given);
            else WriteErrors(batch);
        }

        /// <inheritdoc/>
        protected override void StopProcessing()
        {
            try { _batch?.Cancel(); }
            catch (ObjectDisposedException) { } // it has just ended
        }

        /// <summary>Hands on what the batch has to say, until it ends.</summary>
        private void Pump(UserBatch batch, ref int given)
        {
            var sinceProgress = Stopwatch.StartNew();
            foreach (object? e in batch.Events())
            {
                switch (e)
                {
                    case ZoomUserResult result:
                        given++; // also when this is where the pipeline stops: it has taken it
                        WriteObject(result);
                        break;
                    case LogLine { Level: UserStatusLogLevel.Debug } line: WriteDebug(line.Text); break;
                    case LogLine { Level: UserStatusLogLevel.Warning } line: WriteWarning(line.Text); break;
                    case LogLine line: WriteVerbose(line.Text); break; // a failed user is an error of its own
                }
                if (sinceProgress.ElapsedMilliseconds < 200 || Stopping) continue;
                sinceProgress.Restart();
                WriteProgress(Progress(batch, ProgressRecordType.Processing));
            }
            if (!Stopping) WriteProgress(Progress(batch, ProgressRecordType.Completed));
        }

        /// <summary>A new record each time: a host may keep them.</summary>
        private ProgressRecord Progress(UserBatch batch, ProgressRecordType type)
        {
            int ended = batch.Ended;
            double rate = ended / batch.Elapsed.TotalSeconds;
            return new ProgressRecord(_activityId, Activity, $"{ended} of {_users.Count}, {rate:0.0} a second" + (batch.Failures == 0 ? "" : $", {batch.Failures} failed"))
            {
                RecordType = type,
                PercentComplete = (int)(100L * ended / _users.Count),
                SecondsRemaining = ended == 0 ? -1 : (int)Math.Min((_users.Count - ended) / rate, int.MaxValue),
            };
        }

        /// <summary>The pipeline takes nothing any more: one line on the host says what is known, and the report has it all.</summary>
        private void SayOnHost(UserBatch batch, int given)
        {
            int untaken = _users.Count - given;
            if (untaken == 0) return;
            string line = MyInvocation.MyCommand.Name + " was stopped: " + Errors.Summary(batch.Count) + $". The pipeline did not take {untaken} of these results.";
            try { Host?.UI?.WriteWarningLine(line); }
            catch (HostException) { } // it can't
        }

        private void WriteErrors(UserBatch batch)
        {
            ErrorRecord? fatal = Fatal(batch);
            // Under Stop the first error ends the command: then it is the one that carries the batch.
            if (fatal is null || !Stops())
            {
                foreach ((ZoomUserResult user, UserStatusResult result) in batch.Results)
                    if (user.Status is UserBatch.Failed or UserBatch.Unknown) WriteError(Errors.Of(user, result));
            }
            if (fatal != null) ThrowTerminatingError(fatal);
        }

        private ErrorRecord? Fatal(UserBatch batch)
        {
            List<ZoomUserResult> results = batch.Results.Select(r => r.User).ToList();
            if (batch.Error is ZoomUserStatusException refused) return Errors.OfBatch(refused.Code.ToString(), Errors.Category(refused.Code), refused.Message, results, refused);
            if (batch.Error is Exception e) return Errors.OfBatch(e.GetType().Name, ErrorCategory.NotSpecified, "The batch was stopped: " + e.Message, results, e);
            if (batch.ReportError is Exception full) return Errors.OfBatch("ReportNotWritten", ErrorCategory.WriteError, "The batch was stopped, because the report can't be written: " + full.Message, results, full);
            if (batch.HasTooManyFailures)
                return Errors.OfBatch("MaximumFailureCount", ErrorCategory.LimitsExceeded, $"The batch was stopped: {MaximumFailureCount} users failed (-MaximumFailureCount)", results);
            if (batch.Code is not UserStatusCode code || code is UserStatusCode.Ok or UserStatusCode.Partial or UserStatusCode.Cancelled) return null;
            UserStatusResult? why = batch.Results.Select(r => r.Result).FirstOrDefault(r => r.Code == code);
            ErrorRecord error = Errors.OfBatch(code.ToString(), Errors.Category(code), "The batch was stopped, because every remaining user would fail the same way: " + (why?.Message ?? code.ToString()), results,
                why is null ? null : new ZoomUserStatusException(why));
            if (Errors.Advice(code) is string advice) error.ErrorDetails = new ErrorDetails(error.Exception.Message) { RecommendedAction = advice };
            return error;
        }

        private bool Stops()
        {
            object? preference = MyInvocation.BoundParameters.TryGetValue("ErrorAction", out object? given) ? given : GetVariableValue("ErrorActionPreference");
            return string.Equals(preference?.ToString(), nameof(ActionPreference.Stop), StringComparison.OrdinalIgnoreCase);
        }

        /// <summary>Completes -Property by the known ones.</summary>
        private sealed class PropertyCompleter : IArgumentCompleter
        {
            public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
                UserInputReader.Known.Where(name => name.StartsWith(wordToComplete ?? "", StringComparison.OrdinalIgnoreCase)).Select(name => new CompletionResult(name));
        }
    }
}
