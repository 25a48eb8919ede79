using System;
using System.ComponentModel;
using System.Management.Automation;

namespace ZoomUserStatus.PowerShell
{
    /// <summary>What came of one user that came in.</summary>
    public class ZoomUserResult
    {
        private readonly object? _input; // no property: ConvertTo-Json and the like export every one, and a row may hold a password

        internal ZoomUserResult(UserInput user, string action, string status, UserStatusResult result)
        {
            _input = user.Input;
            UserId = user.UserId;
            Action = action;
            Status = status;
            Code = result.Code.ToString();
            HttpStatus = result.HttpStatus;
            ZoomCode = result.ZoomCode;
            Message = result.Message;
            TrackingId = result.TrackingId;
            Attempts = result.Attempts;
            UserStatus = result.UserStatus == ZoomUserStatus.UserStatus.Unknown ? "" : result.UserStatus.ToString();
        }

        /// <summary>The user's ID or e-mail address, as it was sent.</summary>
        public string UserId { get; }
        /// <summary>Activate, Deactivate, ClockIn, ClockOut or Get.</summary>
        public string Action { get; }
        /// <summary>Done; Failed; Unknown: a request was sent, and nobody knows whether it was applied; NotSent.</summary>
        public string Status { get; }
        /// <summary>The code's name: Ok, UserNotFound, ...</summary>
        public string Code { get; }
        /// <summary>The HTTP status of the last response; 0 for none.</summary>
        public int HttpStatus { get; }
        /// <summary>Zoom's own error code; 0 for none.</summary>
        public int ZoomCode { get; }
        /// <summary>What went wrong, in words.</summary>
        public string Message { get; }
        /// <summary>What Zoom's support asks for.</summary>
        public string TrackingId { get; }
        /// <summary>Requests, and connections that failed.</summary>
        public int Attempts { get; }
        /// <summary>Active, Inactive or Pending, where it was read: by Get-ZoomUserStatus, or by -Verify.</summary>
        public string UserStatus { get; }

        /// <summary>The input: <c>$_.InputObject</c>, by the types file, which hides it from exports.</summary>
        /// <param name="result">A result.</param>
        /// <returns>The string or the object that came in.</returns>
        [EditorBrowsable(EditorBrowsableState.Never)]
        public static object? GetInputObject(PSObject result) => ((result ?? throw new ArgumentNullException(nameof(result))).BaseObject as ZoomUserResult)?._input;

        /// <summary>"ada@example.com: Done".</summary>
        /// <returns>The line.</returns>
        public override string ToString() => UserId + ": " + Status + (Code == nameof(UserStatusCode.Ok) ? "" : ", " + Code);
    }

    /// <summary>What Zoom says of one user that came in.</summary>
    public sealed class ZoomUser : ZoomUserResult
    {
        internal ZoomUser(UserInput user, string action, string status, UserStatusResult result) : base(user, action, status, result)
        {
            UserDetails details = result.User;
            Id = details.Id;
            Email = details.Email;
            DisplayName = details.DisplayName;
            RoleName = details.RoleName;
            Department = details.Department;
            LastLogin = details.LastLogin;
        }

        /// <summary>Zoom's ID of the user.</summary>
        public string Id { get; }
        /// <summary>The e-mail address.</summary>
        public string Email { get; }
        /// <summary>The name that others see.</summary>
        public string DisplayName { get; }
        /// <summary>The role: an admin's status can't be changed.</summary>
        public string RoleName { get; }
        /// <summary>The department.</summary>
        public string Department { get; }
        /// <summary>When the user last signed in.</summary>
        public DateTimeOffset? LastLogin { get; }
    }
}
