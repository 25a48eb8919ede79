using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>
    /// The command line's report: a CSV with a line for each user, written in one piece as the user ends. <c>zoom-user-status --report FILE --resume</c>
    /// goes on with it.
    /// </summary>
    internal sealed class Report : IDisposable
    {
        /// <summary>In the command line's order; it fills a few more than this module knows.</summary>
        private static readonly string[] Columns =
        {
            "user", "action", "code", "http_status", "zoom_code", "message", "tracking_id", "attempts", "delivery", "status_before", "status_after",
            "role", "last_login", "time", "account", "api_url",
        };

        private readonly FileStream _file;
        private readonly string _action;
        private readonly string _account;
        private readonly string _apiUrl;
        private DateTime _synced = DateTime.UtcNow;

        /// <summary>Makes the file.</summary>
        /// <param name="path">A path where nothing is.</param>
        /// <param name="action">What is done.</param>
        /// <param name="connection">Whose users they are.</param>
        /// <exception cref="IOException">It can't be made, or there is one already, whose lines would be lost.</exception>
        public Report(string path, UserStatusAction action, ZoomUserStatusConnection connection)
        {
            _action = action switch
            {
                UserStatusAction.Activate => "activate",
                UserStatusAction.Deactivate => "deactivate",
                UserStatusAction.ClockIn => "clock_in",
                _ => "clock_out",
            };
            _account = connection.AccountId;
            _apiUrl = connection.ApiUrl.OriginalString;
            _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 1); // each line at once
            Write(Columns);
        }

        /// <summary>The line of one user; a result without a user is an input that names nobody.</summary>
        /// <param name="result">The result.</param>
        public void Add(UserStatusResult result)
        {
            Write(Line(result));
            // A kill loses nothing; a power failure a second. Who was not sent is written at the end, when nobody should wait for a disk.
            if (result.Delivery == UserStatusDelivery.NotSent || DateTime.UtcNow - _synced < TimeSpan.FromSeconds(1)) return;
            _file.Flush(flushToDisk: true);
            _synced = DateTime.UtcNow;
        }

        private string[] Line(UserStatusResult result) => new[]
        {
            Clean(result.UserId), _action, result.UserId.Length == 0 ? "SKIPPED" : result.CodeName, Text(result.HttpStatus),
            Text(result.ZoomCode), Clean(result.Message), Clean(result.TrackingId), Text(result.Attempts), Delivery(result.Delivery), "", Status(result.UserStatus), "", "",
            DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture), Clean(_account), Clean(_apiUrl),
        };

        private static string Delivery(UserStatusDelivery delivery) => delivery switch
        {
            UserStatusDelivery.NotSent => "not_sent",
            UserStatusDelivery.Responded => "responded",
            _ => "unknown",
        };

        private static string Status(UserStatus status) => status switch
        {
            UserStatus.Active => "active",
            UserStatus.Inactive => "inactive",
            UserStatus.Pending => "pending",
            _ => "",
        };

        private void Write(string[] cells)
        {
            byte[] line = Encoding.UTF8.GetBytes(string.Join(",", cells.Select(Cell)) + "\n");
            _file.Write(line, 0, line.Length);
        }

        public void Dispose() => _file.Dispose();

        private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

        private static string Cell(string text) => text.IndexOfAny(new[] { ',', '"', '\n', '\r' }) < 0 ? text : "\"" + text.Replace("\"", "\"\"") + "\"";

        /// <summary>On one line, without what would steer a terminal.</summary>
        /// <param name="text">Any text.</param>
        internal static string Clean(string text) =>
            new string(string.Join(" ", text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Select(c => IsPrintable(c) ? c : '\uFFFD').ToArray());

        private static bool IsPrintable(char c) => CharUnicodeInfo.GetUnicodeCategory(c) is not (UnicodeCategory.Control or UnicodeCategory.Format or
            UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
    }
}
