using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ZoomUserStatus
{
    /// <summary>What came of one user's update or read. Immutable: a copy of everything that the native result holds.</summary>
    [Serializable] // as a part of ZoomUserStatusException
    public sealed class UserStatusResult
    {
        private readonly byte[] _body;
        [NonSerialized] private UserDetails? _user;

        /// <summary>Makes a result, e.g. for the tests of a program that uses this library.</summary>
        /// <param name="userId">The user's ID or e-mail address.</param>
        /// <param name="code">How it ended.</param>
        /// <param name="httpStatus">HTTP status, or 0.</param>
        /// <param name="zoomCode">Zoom's own error code, or 0.</param>
        /// <param name="message">What went wrong, in words.</param>
        /// <param name="trackingId">x-zm-trackingid.</param>
        /// <param name="retryAfter">How long Zoom asks to wait.</param>
        /// <param name="attempts">Attempts begun.</param>
        /// <param name="index">Place in the batch.</param>
        /// <param name="body">Body of the response.</param>
        /// <param name="headers">Headers of the response; names without regard to case.</param>
        /// <param name="userStatus">The user's status, where it was read.</param>
        /// <param name="delivery">Whether a request may have reached Zoom. Null: it did where there is an HTTP status, else it was not sent.</param>
        /// <param name="isFatal">Every remaining user of a batch would fail the same way.</param>
        public UserStatusResult(string userId, UserStatusCode code, int httpStatus = 0, int zoomCode = 0, string message = "", string trackingId = "",
            TimeSpan? retryAfter = null, int attempts = 0, int index = 0, byte[]? body = null, IReadOnlyDictionary<string, string>? headers = null,
            UserStatus userStatus = UserStatus.Unknown, UserStatusDelivery? delivery = null, bool isFatal = false)
        {
            UserId = userId ?? throw new ArgumentNullException(nameof(userId));
            Message = message ?? throw new ArgumentNullException(nameof(message));
            TrackingId = trackingId ?? throw new ArgumentNullException(nameof(trackingId));
            Code = code;
            HttpStatus = httpStatus;
            ZoomCode = zoomCode;
            RetryAfter = retryAfter;
            Attempts = attempts;
            Index = index;
            UserStatus = userStatus;
            Delivery = delivery ?? (httpStatus == 0 ? UserStatusDelivery.NotSent : UserStatusDelivery.Responded);
            IsFatal = isFatal;
            _body = body is null ? Array.Empty<byte>() : (byte[])body.Clone();
            var copy = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            if (headers != null) foreach (KeyValuePair<string, string> h in headers) copy[h.Key] = h.Value;
            Headers = copy;
        }

        /// <summary>Copies a native result, owned or borrowed.</summary>
        internal unsafe UserStatusResult(nint native, string? userId, int index, HeaderNames headers)
        {
            UserId = userId ?? Utf8.Decode(NativeMethods.zus_result_user_id(native));
            Index = index;
            Code = (UserStatusCode)NativeMethods.zus_result_code(native);
            HttpStatus = NativeMethods.zus_result_http_status(native);
            ZoomCode = NativeMethods.zus_result_zoom_code(native);
            Message = Utf8.Decode(NativeMethods.zus_result_message(native));
            TrackingId = Utf8.Decode(NativeMethods.zus_result_tracking_id(native));
            Attempts = NativeMethods.zus_result_attempts(native);
            UserStatus = (UserStatus)NativeMethods.zus_result_user_status(native);
            Delivery = (UserStatusDelivery)NativeMethods.zus_result_delivery(native);
            IsFatal = NativeMethods.zus_result_is_fatal(native) != 0;
            long seconds = NativeMethods.zus_result_retry_after(native);
            RetryAfter = seconds < 0 ? (TimeSpan?)null : TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue));
            nuint length;
            byte* body = NativeMethods.zus_result_body(native, &length);
            _body = new byte[checked((int)length)];
            Marshal.Copy((IntPtr)body, _body, 0, _body.Length);
            Headers = headers.Read(native);
        }

        /// <summary>For calls that ended before there was a native result.</summary>
        internal static unsafe UserStatusResult OfCode(int code, string? userId, int index = 0) =>
            new UserStatusResult(userId ?? "", (UserStatusCode)code, message: Utf8.Decode(NativeMethods.zus_code_text(code)), index: index);

        internal static unsafe string NameOf(UserStatusCode code)
        {
            NativeLibraryCheck.Ensure();
            return Utf8.Decode(NativeMethods.zus_code_name((int)code));
        }

        /// <summary>The user's ID or e-mail address, as given; "" where it was null and for a check of credentials.</summary>
        public string UserId { get; }
        /// <summary>The user's place among those given to UpdateMany, from 0; 0 for a single update.</summary>
        public int Index { get; }
        /// <summary>How it ended.</summary>
        public UserStatusCode Code { get; }
        /// <summary>The code's name in C, for logs and reports: "ZUS_OK", "ZUS_ERR_USER_NOT_FOUND"; "ZUS_ERR_UNKNOWN".</summary>
        public string CodeName => NameOf(Code);
        /// <summary>True when the update, or the read, was done.</summary>
        public bool IsSuccess => Code == UserStatusCode.Ok;
        /// <summary>
        /// The user's status where it was read: by GetStatus, or to verify an update (<see cref="ZoomUserStatusOptions.Verify"/>). Otherwise
        /// <see cref="UserStatus.Unknown"/>.
        /// </summary>
        public UserStatus UserStatus { get; }
        /// <summary>What else Zoom says of the user. Of a result of GetStatus; otherwise it is empty.</summary>
        public UserDetails User => _user ??= new UserDetails(_body);
        /// <summary>Whether a request may have reached Zoom, over all attempts.</summary>
        public UserStatusDelivery Delivery { get; internal set; }
        /// <summary>
        /// True when the failure is fatal for a batch: every remaining user would fail the same way (no token, a rejected token, a missing scope,
        /// the daily limit, a wrong URL).
        /// </summary>
        public bool IsFatal { get; }
        /// <summary>The HTTP status of the last response; 0 when none came.</summary>
        public int HttpStatus { get; }
        /// <summary>Zoom's own error code, e.g. 1001; 0 for none.</summary>
        public int ZoomCode { get; }
        /// <summary>What went wrong, in words, with Zoom's own. Zoom's words depend on language: decide by <see cref="Code"/>.</summary>
        public string Message { get; }
        /// <summary>The response's x-zm-trackingid, which Zoom's support asks for; "" for none.</summary>
        public string TrackingId { get; }
        /// <summary>How long Zoom asks to wait before the next request, from when the response came; null when it doesn't say.</summary>
        public TimeSpan? RetryAfter { get; }
        /// <summary>Attempts begun for this user, retries included: requests sent, and connections that failed. 0 when there was none.</summary>
        public int Attempts { get; }
        /// <summary>
        /// Headers of the last response: those of <see cref="ZoomUserStatusOptions.ResultHeaders"/> that it had. Names without regard to case.
        /// </summary>
        public IReadOnlyDictionary<string, string> Headers { get; }
        /// <summary>The body of the last response as text; bytes that are not UTF-8 become U+FFFD. "" for none.</summary>
        public string Body => Encoding.UTF8.GetString(_body);
        /// <summary>The body of the last response, as it came. A copy.</summary>
        /// <returns>The bytes.</returns>
        public byte[] GetBodyBytes() => (byte[])_body.Clone();

        /// <summary>Returns this result when it is a success, and throws otherwise.</summary>
        /// <returns>This result.</returns>
        /// <exception cref="ZoomUserStatusException">The update failed.</exception>
        public UserStatusResult EnsureSuccess() => IsSuccess ? this : throw new ZoomUserStatusException(this);

        /// <summary>One line for people: user, code, HTTP status, Zoom's code, message, tracking ID; each once. No secrets.</summary>
        /// <returns>The line.</returns>
        public override string ToString()
        {
            var line = new StringBuilder();
            if (UserId.Length != 0) line.Append(UserId).Append(": ");
            line.Append(Code);
            Add(", HTTP ", HttpStatus);
            Add(", Zoom code ", ZoomCode);
            if (Message.Length != 0) line.Append(": ").Append(Message);
            if (UserStatus != UserStatus.Unknown && IsSuccess) line.Append(", ").Append(UserStatus);
            if (!IsSuccess && TrackingId.Length != 0) line.Append(" (tracking id ").Append(TrackingId).Append(')');
            return line.ToString();

            void Add(string label, int number) // the library's messages have them already
            {
                string text = label + number.ToString(CultureInfo.InvariantCulture);
                if (number != 0 && Message.IndexOf(text.Substring(2), StringComparison.Ordinal) < 0) line.Append(text);
            }
        }
    }

    /// <summary>The headers to copy, encoded once per client. The C API looks up a header by name and lists none.</summary>
    internal sealed unsafe class HeaderNames
    {
        private readonly List<KeyValuePair<string, byte[]>> _names = new List<KeyValuePair<string, byte[]>>();

        public HeaderNames(IEnumerable<string> names)
        {
            foreach (string name in names)
                _names.Add(new KeyValuePair<string, byte[]>(name, Utf8.Encode(name)!));
        }

        public IReadOnlyDictionary<string, string> Read(nint result)
        {
            var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (KeyValuePair<string, byte[]> name in _names)
                fixed (byte* n = name.Value)
                {
                    string value = Utf8.Decode(NativeMethods.zus_result_header(result, n));
                    if (value.Length != 0) found[name.Key] = value;
                }
            return found;
        }
    }
}
