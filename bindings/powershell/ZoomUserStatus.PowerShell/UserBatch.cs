using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>
    /// One batch, which runs on a thread of its own, so that the pipeline's may use the same connection for what comes after this command. What it
    /// has to say is queued for the pipeline's thread.
    /// </summary>
    internal sealed class UserBatch : IDisposable
    {
        public const string Done = "Done", Failed = "Failed", Unknown = "Unknown", NotSent = "NotSent";

        private readonly ZoomUserStatusConnection _connection;
        private readonly IReadOnlyList<UserInput> _users;
        private readonly Func<UserInput, string, UserStatusResult, ZoomUserResult> _make;
        private readonly int _mostFailures;
        private readonly Report? _report;
        private readonly UserStatusResult?[] _raw;
        private readonly ZoomUserResult?[] _results;
        private readonly BlockingCollection<object> _events = new BlockingCollection<object>();
        private readonly CancellationTokenSource _cancel = new CancellationTokenSource();
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private Task _running = Task.CompletedTask;
        private volatile bool _stop;
        private int _failures;

        /// <param name="connection">The account.</param>
        /// <param name="users">Who came in.</param>
        /// <param name="make">Makes a result, from the user, the status and what the library says.</param>
        /// <param name="mostFailures">So many failed users stop the batch; 0 for no limit.</param>
        /// <param name="report">Gets a line as each user ends; null for none.</param>
        public UserBatch(ZoomUserStatusConnection connection, IReadOnlyList<UserInput> users, Func<UserInput, string, UserStatusResult, ZoomUserResult> make, int mostFailures, Report? report)
        {
            _connection = connection;
            _users = users;
            _make = make;
            _mostFailures = mostFailures;
            _report = report;
            _raw = new UserStatusResult?[users.Count];
            _results = new ZoomUserResult?[users.Count];
        }

        /// <summary>How the batch ended: a code, or null where an error says why.</summary>
        public UserStatusCode? Code { get; private set; }
        /// <summary>The call could not begin.</summary>
        public Exception? Error { get; private set; }
        /// <summary>The report could not be written any more.</summary>
        public Exception? ReportError { get; private set; }
        /// <summary>So many users failed that it was stopped.</summary>
        public bool HasTooManyFailures { get; private set; }

        public int Ended { get; private set; }
        public int Failures => _failures;
        public TimeSpan Elapsed => _watch.Elapsed;

        /// <summary>What came of each user; when the batch has ended, of all.</summary>
        public IEnumerable<(ZoomUserResult User, UserStatusResult Result)> Results =>
            Enumerable.Range(0, _users.Count).Where(i => _results[i] != null).Select(i => (_results[i]!, _raw[i]!));

        public int Count(string status) => _results.Count(r => r?.Status == status);

        /// <summary>Starts it.</summary>
        /// <param name="client">The connection's.</param>
        /// <param name="run">The client's call: the users, and what is called with each result.</param>
        public void Start(ZoomUserStatusClient client, Func<ZoomUserStatusClient, string[], Action<UserStatusResult>, CancellationToken, UserStatusBatch> run)
        {
            _connection.Logged += Log;
            _running = Task.Factory.StartNew(() => Run(client, run), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        }

        /// <summary>Starts nobody else. The users in flight end.</summary>
        public void Stop() => _stop = true;

        /// <summary>Ends what is in flight, too.</summary>
        public void Cancel()
        {
            _stop = true;
            _cancel.Cancel();
        }

        /// <summary>What the batch has to say, a result or a log line, as it comes; null after a while without anything. It ends with the batch.</summary>
        public IEnumerable<object?> Events()
        {
            while (!_events.IsCompleted) yield return _events.TryTake(out object? e, 200) ? e : null;
        }

        /// <summary>Waits for its end.</summary>
        public void Wait() => _running.Wait(CancellationToken.None);

        public void Dispose()
        {
            _events.Dispose();
            _cancel.Dispose();
        }

#pragma warning disable CA1031 // whatever it is, the pipeline's thread says it
        private void Run(ZoomUserStatusClient client, Func<ZoomUserStatusClient, string[], Action<UserStatusResult>, CancellationToken, UserStatusBatch> run)
        {
            int[] sent = Enumerable.Range(0, _users.Count).Where(i => _users[i].Refused is null).ToArray();
            try
            {
                for (int i = 0; i < _users.Count; i++)
                {
                    if (_users[i].Refused is string why) Hear(i, new UserStatusResult(_users[i].UserId, UserStatusCode.Argument, message: "input " + (i + 1) + ": " + why, index: i));
                }
                Code = run(client, sent.Select(i => _users[i].UserId).ToArray(), result => Hear(sent[result.Index], result), _cancel.Token).Code;
            }
            catch (Exception e) when (e is StopException or UserStatusBatchCanceledException) { Code = UserStatusCode.Cancelled; }
            catch (Exception e) { Error ??= e; }
            finally
            {
                _connection.Logged -= Log;
                for (int i = 0; i < _users.Count; i++)
                {
                    if (_results[i] is null) Keep(i, new UserStatusResult(_users[i].UserId, UserStatusCode.Cancelled, message: "not sent: the batch ended before", index: i), NotSent);
                }
                _events.CompleteAdding();
            }
        }

        /// <summary>Keeps a result, and stops the batch if it is time to. On the batch's thread.</summary>
        private void Hear(int index, UserStatusResult result)
        {
            string status = StatusOf(result);
            Keep(index, result, status);
            if (status is Failed or Unknown && ++_failures == _mostFailures && !_stop && Ended < _users.Count) _stop = HasTooManyFailures = true;
            if (_stop) throw new StopException(); // the users in flight are still reported
        }

        private void Keep(int index, UserStatusResult result, string status)
        {
            _raw[index] = result;
            ZoomUserResult user = _results[index] = _make(_users[index], status, result);
            Ended++;
            _events.Add(user);
            if (ReportError != null) return;
            try { _report?.Add(result); }
            catch (Exception e) // a full disk, and whatever .NET makes of it: nobody else is started
            {
                ReportError = e;
                _stop = true;
            }
        }
#pragma warning restore CA1031

        private static string StatusOf(UserStatusResult result) =>
            result.IsSuccess ? Done
            : result.Delivery == UserStatusDelivery.Unknown ? Unknown
            : result.Code == UserStatusCode.Cancelled && result.Delivery == UserStatusDelivery.NotSent ? NotSent
            : Failed;

        private void Log(UserStatusLogLevel level, string line)
        {
            try { _events.Add(new LogLine(level, line)); }
            catch (InvalidOperationException) { } // the batch has just ended; the line is another one's
        }

        private sealed class StopException : Exception { }
    }

    /// <summary>A line of the client's log.</summary>
    internal sealed class LogLine
    {
        public LogLine(UserStatusLogLevel level, string text)
        {
            Level = level;
            Text = text;
        }

        public UserStatusLogLevel Level { get; }
        public string Text { get; }
    }
}
